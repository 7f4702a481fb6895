"""Telegram exports: speed and memory of both looks through a generated ``result.json`` and through pages in HTML.

Timed: CPU seconds of a child process per size, both looks together (survey, then rows); memory: its peak resident set.
The bar: a file of 100 MB and more in less than 256 MiB. Not timed: generating, imports of the child.

    python -m tests.benchmarks.bench_telegram --megabytes 10 100
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.telegram_pages import page
from tests.unit.telegram_files import message

BAR_MIB = 256
CHILD = """
import resource, sys, time
from conversations.imports.survey import Choices, settle
from conversations.imports.telegram import TelegramReader
from resources.imports.telegram_html import TelegramHtml
from resources.imports.telegram_json import TelegramJson
path = sys.argv[1]
opener = lambda: open(path, "rb")
units = (TelegramJson(opener) if path.endswith("json") else TelegramHtml([("messages.html", opener)])).units
started = time.process_time()
reader, choices = TelegramReader(), Choices()
chats = settle(reader.survey(units(), choices), choices)
count = sum(1 for _ in reader.rows(units(), chats, choices))
print(count, time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def write_json(path: Path, megabytes: int) -> int:
    """An account with one chat after another until the file has its size; returns the messages."""
    count = chat = 0
    with path.open("w", encoding="utf-8") as file:
        file.write('{"about": "", "chats": {"about": "", "list": [')
        while file.tell() < megabytes * 1_000_000:
            chat += 1
            file.write(("," if chat > 1 else "") + f'{{"name": "К{chat}", "type": "personal_chat", "id": {chat}, ')
            items = [message(count + n, f"user{chat}" if n % 2 else "user999999") for n in range(1, 5_001)]
            file.write(f'"messages": [{",".join(json.dumps(one, ensure_ascii=False, indent=1) for one in items)}]}}')
            count += len(items)
        file.write("]}}")
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[10, 100])
    sizes = parser.parse_args().megabytes
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            path = Path(folder, "result.json")
            expected = write_json(path, size)
            _measure(path, expected)
        path = Path(folder, "messages.html")
        path.write_text(page("Анна", 20_000), "utf-8")
        _measure(path, 20_000)


def _measure(path: Path, expected: int) -> None:
    megabytes = path.stat().st_size / 1_000_000
    done = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=True)
    count, seconds, peak = (float(one) for one in done.stdout.split())
    assert count == expected, f"{count:.0f} messages of {expected}"
    verdict = "holds" if peak < BAR_MIB else "MISSED"
    print(
        f"{path.name}: {megabytes:.0f} MB, {expected} messages, both looks {seconds:.1f} s CPU, "
        f"{2 * megabytes / seconds:.1f} MB/s, peak {peak:.0f} MiB (bar {BAR_MIB} MiB: {verdict})"
    )


if __name__ == "__main__":
    main()
