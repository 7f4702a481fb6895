"""How many messages per CPU second the lexicons read, beside two ways that people would write first.

Timed, in one process, on the same messages, both sides as in a shop: ``Lexicon.find`` after its words are known (what a
day's run pays) and from nothing (its first run); a naive list of regular expressions, one for each entry with an
alternative for each of its Russian and Kazakh words; and lemmas of every word by pymorphy3 without remembering any. Not
timed: compiling (printed apart). The messages are those of the invented shop and the labelled ones, every text once.
Run: ``python -m tests.benchmarks.bench_lexicon [MESSAGES]``.
"""

from __future__ import annotations

import gc
import json
import re
import sys
import time
from collections.abc import Callable, Iterable
from datetime import date

from conversations.lexicon import Lexicon, Side
from conversations.lexicon.reading import Entry
from tests.emulators.shop.generate import generate
from tests.labelled.measure import labelled

LEAST = 20_000
_WORD = re.compile(r"[^\W\d_]+")
Message = tuple[str, Side]


def messages(most: int) -> list[Message]:
    """Texts as shops and customers write them, each once, in the order in which they came."""
    shop = generate(7, date(2026, 3, 16), 4)
    said: dict[Message, None] = {(row.text, row.side): None for row in labelled("intents.yaml")}
    for message in shop.messages:
        text = message.text(shop.clock)
        if text and message.sender in ("customer", "user"):
            said[(text, "customer" if message.sender == "customer" else "manager")] = None
    return list(said)[:most]


def naive(lexicon: Lexicon) -> Callable[[str, Side], int]:
    """One regular expression for each entry; words may follow each other at any distance, endings are ``\\w*``."""
    patterns = [
        re.compile("|".join(_naive(text) for text in (*entry.ru, *entry.kk)), re.IGNORECASE)
        for one in lexicon.source.intents
        for entry in one.entries
    ]
    return lambda text, side: sum(pattern.search(text) is not None for pattern in patterns)


def _naive(phrase: str) -> str:
    words = (_WORD.findall(word)[:6] for word in phrase.split())
    stems = [
        "(?:" + "|".join(rf"\b{word[: max(3, len(word) - 2)]}\w*" for word in each) + ")" for each in words if each
    ]
    return r"\W+(?:\w+\W+){0,3}?".join(stems) or r"\b\d+\b"


def without_memory() -> Callable[[str, Side], int]:
    """Every word of a message is parsed anew."""
    import pymorphy3

    parse = pymorphy3.MorphAnalyzer(lang="ru").parse
    return lambda text, side: len({parse(word)[0].normal_form for word in _WORD.findall(text.lower())})


def per_second(read: Callable[[str, Side], object], said: Iterable[Message]) -> float:
    """Messages in a CPU second."""
    said = list(said)
    gc.collect()
    begin = time.process_time()
    for text, side in said:
        read(text, side)
    return len(said) / (time.process_time() - begin)


def main() -> int:
    """Print one JSON line; exit 1 below the limit."""
    said = messages(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
    begin = time.process_time()
    lexicon = Lexicon.default()
    compiled = time.process_time() - begin
    first = per_second(lexicon.find, said)
    warm = max(per_second(lexicon.find, said) for _ in range(3))
    entries: list[Entry] = [entry for one in lexicon.source.intents for entry in one.entries]
    result = {
        "benchmark": "lexicon",
        "timed": "messages per CPU second, one process",
        "messages": len(said),
        "mean_characters": round(sum(len(text) for text, _ in said) / len(said), 1),
        "entries": len(entries),
        "compile_cpu_s": round(compiled, 2),
        "lexicon": round(warm),
        "lexicon_first_run": round(first),
        "naive_regexes": round(per_second(naive(lexicon), said[:1000])),
        "pymorphy_without_memory": round(per_second(without_memory(), said[:2000])),
        "limit": LEAST,
        "holds": warm >= LEAST,
    }
    print(json.dumps(result))
    return 0 if warm >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
