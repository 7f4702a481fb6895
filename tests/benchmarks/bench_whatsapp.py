"""Reading WhatsApp exports: speed and memory, and how much whatstk and chat-miner find in the same files.

Speed: a generated file from disk, decoded, through both passes (survey and rows), each size in a process of its own;
lines per CPU second of that process, and the highest memory it ever had, of which the interpreter and imports are a
part (the smallest file shows how large). The bars: 100,000 lines a second on one core; no more memory for ten times the
lines.

Right messages: the published files beside the repository (where they lie) and the generated matrix of phones; a message
is found when its minute and its author are right. The other libraries know no kinds of messages, so those are counted
for this reader only. They live in a venv of their own, made here.

    python -m tests.benchmarks.bench_whatsapp [--lines 1000000] [--without-others]
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from operator import methodcaller
from pathlib import Path
from zoneinfo import ZoneInfo

from conversations.imports.survey import Choices, Settled
from conversations.imports.whatsapp import WhatsAppReader, meaning
from tests.benchmarks.other_venv import other_python
from tests.unit.whatsapp_exports import PHONES, Phone, talk

BAR = 100_000
OTHERS = ("whatstk", "chat-miner")
CUSTOMER, SHOP = "Анна Петрова", "Магазин Уют"
KINDS = {"media": "media", "attached": "media", "place": "media", "once": "media", "sticker": "sticker",
         "missed": "call", "deleted": "deleted"}  # fmt: skip
PUBLISHED = (
    Path(__file__).resolve().parents[3] / "shared" / "data" / "chat_exports" / "chat-miner" / "test" / "whatsapp"
)
WORDS = (
    "да",
    "нет",
    "добрый",
    "день",
    "заказ",
    "доставка",
    "сколько",
    "стоит",
    "размер",
    "спасибо",
    "завтра",
    "хорошо",
)


def write(path: Path, count: int, ios: bool) -> None:
    """``count`` lines of an invented chat: 15 % go on with a message, some are media."""
    choose, at = random.Random(5), datetime(2020, 1, 3, 9)
    with path.open("w", encoding="utf-8") as file:
        for _ in range(count):
            text = " ".join(choose.choices(WORDS, k=choose.randint(1, 12)))
            if choose.random() < 0.15:
                file.write(text + "\n")
                continue
            at += timedelta(seconds=choose.randint(0, 240))
            name = choose.choice((CUSTOMER, SHOP))
            if choose.random() < 0.08:
                text = "\u200eизображение отсутствует" if ios else "<Без медиафайлов>"
            stamp = f"[{at:%d.%m.%Y, %H:%M:%S}] " if ios else f"{at:%d.%m.%Y, %H:%M} - "
            file.write(f"{stamp}{name}: {text}\n")


def lines(path: Path) -> Iterator[str]:
    """Decoded lines without their ends, as cheaply as Python has them: the reader is measured, not this."""
    with path.open(encoding="utf-8") as file:
        yield from map(methodcaller("rstrip", "\n"), file)


def settled(path: Path, choices: Choices) -> dict[str, Settled]:
    survey = WhatsAppReader().survey(lines(path), choices)
    (chat,) = survey.chats.values()
    return {chat.key: Settled(chat, dict.fromkeys(chat.authors, "customer"), choices.time_zone, survey.facts)}


def measure(path: Path) -> None:
    """Both passes in this process; prints JSON."""
    choices, started = Choices(chat=CUSTOMER), time.process_time()
    chats = settled(path, choices)
    surveyed = time.process_time()
    count = sum(1 for _ in WhatsAppReader().rows(lines(path), chats, choices))
    ended = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"rows": count, "survey": surveyed - started, "rows_cpu": ended - surveyed, "peak": peak}))


def speed(most: int) -> None:
    with tempfile.TemporaryDirectory(prefix="otklik-bench-whatsapp-") as folder:
        for ios in (False, True):
            peaks = []
            for count in (most // 10, most):
                path = Path(folder) / "chat.txt"
                write(path, count, ios)
                command = [sys.executable, "-m", "tests.benchmarks.bench_whatsapp", "--measure", str(path)]
                answers = [json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                           for _ in range(3)]  # fmt: skip
                best = min(answers, key=lambda one: one["survey"] + one["rows_cpu"])
                total = best["survey"] + best["rows_cpu"]
                peaks.append(best["peak"])
                verdict = "holds" if count / total >= BAR else "MISSED"
                print(
                    f"  {'iOS' if ios else 'Android':<8}{count:>10,} lines, {best['rows']:>9,} rows: "
                    f"{count / total:>9,.0f} lines/CPU s ({best['survey']:.2f} s + {best['rows_cpu']:.2f} s), "
                    f"peak {best['peak']} MiB; the bar is {BAR:,}: {verdict}"
                )
            print(f"          ten times the lines: {peaks[1] - peaks[0]:+d} MiB")


def ours(path: Path, title: str | None) -> list[tuple[str, str, str]]:
    choices = Choices(time_zone="UTC", chat=title)
    chats = settled(path, choices)
    (chat,) = chats.values()
    found = []
    for row in WhatsAppReader().rows(lines(path), chats, choices):
        if row.payload.get("author") and row.event_at is not None:
            meant = meaning(row.payload)
            kind = "deleted" if meant.is_deleted else meant.content_kind
            author = chat.chat.authors[row.payload["author"]].name or ""
            found.append((row.event_at.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M"), author, kind))
    return found


def right(expected: list[tuple[str, str]], found: list[tuple[str, str]]) -> tuple[int, int]:
    """Messages found with minute and author, and what was found that is none."""
    wanted, got = Counter(expected), Counter(found)
    return (wanted & got).total(), (got - wanted).total()


def compare(with_others: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="otklik-bench-whatsapp-") as folder:
        files: list[tuple[Path, list[tuple[str, str, str]]]] = []
        for phone in PHONES:
            files.append((Path(folder) / f"{phone.name}.txt", matrix(phone, Path(folder) / f"{phone.name}.txt")))
        published = published_files()
        found = {"otklik": [ours(path, CUSTOMER) for path, _ in files] + [ours(path, None) for path, _ in published]}
        everything = files + published
        if with_others:
            python = other_python("whatsapp", *OTHERS)
            script = str(Path(__file__).with_name("whatsapp_others.py"))
            for name in OTHERS:
                command = [str(python), script, name, *(str(path) for path, _ in everything)]
                answers = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
                found[name] = [
                    [(at, author, "") for at, author, _ in json.loads(answer).get("messages", [])] for answer in answers
                ]
        for label, first, last in (
            ("generated matrix", 0, len(files)),
            ("published files", len(files), len(everything)),
        ):
            report(label, everything[first:last], {name: one[first:last] for name, one in found.items()})


def report(
    label: str,
    files: list[tuple[Path, list[tuple[str, str, str]]]],
    found: dict[str, list[list[tuple[str, str, str]]]],
) -> None:
    total = sum(len(expected) for _, expected in files)
    print(f"{label}: {len(files)} files, {total} messages of people")
    for name, answers in found.items():
        sums = [
            right([one[:2] for one in expected], [one[:2] for one in answer])
            for (_, expected), answer in zip(files, answers, strict=True)
        ]
        good, extra = (sum(one[index] for one in sums) for index in (0, 1))
        whole = sum(one == (len(expected), 0) for one, (_, expected) in zip(sums, files, strict=True))
        kinds = ""
        if name == "otklik":
            pairs = zip(files, answers, strict=True)
            same = sum((Counter(expected) & Counter(answer)).total() for (_, expected), answer in pairs)
            kinds = f", {same} with the right kind as well"
        print(
            f"  {name:<11} {good:>5} with the right author and minute, {extra:>4} that are none; "
            f"{whole:>3} files without a fault{kinds}"
        )


def matrix(phone: Phone, path: Path) -> list[tuple[str, str, str]]:
    talked = talk(CUSTOMER, SHOP, phone.language)
    path.write_text("".join(line + "\n" for line in phone.lines(talked)), "utf-8")
    return [
        (f"{one.at:%Y-%m-%dT%H:%M}", one.author, "media" if one.text == "" else KINDS.get(one.what, "text"))
        for one in talked
        if one.author is not None
    ]


def published_files() -> list[tuple[Path, list[tuple[str, str, str]]]]:
    if not PUBLISHED.exists():
        return []
    target = json.loads((PUBLISHED / "target.json").read_text("utf-8"))
    # one message is left out of the published target: "John Doe:."
    expected = [(one["timestamp"][:16], one["author"], "text") for one in target] + [
        ("2019-01-20T11:23", "John Doe", "text")
    ]
    return [(path, expected) for path in sorted(PUBLISHED.glob("*.txt"))]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--lines", type=int, default=1_000_000)
    arguments.add_argument("--without-others", action="store_true")
    arguments.add_argument("--measure", type=Path)
    given = arguments.parse_args()
    if given.measure is not None:
        measure(given.measure)
        return
    compare(not given.without_others)
    speed(given.lines)


if __name__ == "__main__":
    main()
