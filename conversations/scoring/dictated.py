"""Numbers as people say them on the phone: in words, in pieces, over several phrases.

Here: a text with its number words as digits, and the way back; which phrases go on with a number that was begun. Not
here: which number is a contact (``conversations.redact``), what stands instead of it (``masking``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from conversations.scoring.shapes import Phrase

_UNITS: Final = {
    "ноль": 0, "нуль": 0, "один": 1, "одна": 1, "два": 2, "две": 2, "три": 3, "четыре": 4, "пять": 5, "шесть": 6,
    "семь": 7, "восемь": 8, "девять": 9, "нөл": 0, "бір": 1, "екі": 2, "үш": 3, "төрт": 4, "бес": 5, "алты": 6,
    "жеті": 7, "сегіз": 8, "тоғыз": 9,
}  # fmt: skip
_TEENS: Final = {
    "десять": 10, "одиннадцать": 11, "двенадцать": 12, "тринадцать": 13, "четырнадцать": 14, "пятнадцать": 15,
    "шестнадцать": 16, "семнадцать": 17, "восемнадцать": 18, "девятнадцать": 19,
}  # fmt: skip
_TENS: Final = {
    "двадцать": 20, "тридцать": 30, "сорок": 40, "пятьдесят": 50, "шестьдесят": 60, "семьдесят": 70,
    "восемьдесят": 80, "девяносто": 90, "он": 10, "жиырма": 20, "отыз": 30, "қырық": 40, "елу": 50, "алпыс": 60,
    "жетпіс": 70, "сексен": 80, "тоқсан": 90,
}  # fmt: skip
_HUNDREDS: Final = {
    "сто": 100, "двести": 200, "триста": 300, "четыреста": 400, "пятьсот": 500, "шестьсот": 600, "семьсот": 700,
    "восемьсот": 800, "девятьсот": 900, "жүз": 100,
}  # fmt: skip
_VALUES: Final = _UNITS | _TEENS | _TENS | _HUNDREDS
_WORDS: Final = frozenset(_VALUES)
_KINDS: Final = {
    **dict.fromkeys(_HUNDREDS, "hundreds"),
    **dict.fromkeys(_TENS, "tens"),
    **dict.fromkeys(_TEENS, "teen"),
    **dict.fromkeys(_UNITS, "unit"),
    "жүз": "hundred",
}
_LETTERS = re.compile("[а-яёәіңғүұқөһ]+")
_SAID = re.compile(r"[^\W_]+")
_FIRST = re.compile(r"[\W_]*([^\W_]+)")
_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_GAP = re.compile(r"[\s,.\-–—]{0,4}")
_DIGIT = re.compile(r"\d")
_LEAST_DIGITS: Final = 10
_MOST_DIGITS: Final = 3
"""Of a number word."""
_CARD: Final = 16
_REMEMBERED: Final = 20_000
_SHORT: Final = 3
"""Words of a remark between two pieces of a number: "так", "да, записываю"."""


_LONGEST_PIECE: Final = 30
_WITHOUT: Final[set[str]] = set()


class Said(NamedTuple):
    """A text with digits for number words. Character ``n`` stands for ``[starts[n], ends[n])`` of the original."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


class _Piece(NamedTuple):
    digits: str
    start: int
    end: int


def in_digits(text: str) -> Said | None:
    """The text with numbers of ten digits and more in digits; ``None`` where nobody says one in words.

    >>> in_digits("восемь девятьсот двадцать шесть сто двадцать три сорок пять ноль семь, ждите").text
    '8 926 123 45 07, ждите'
    """
    # most phrases hold no number word, fewer still enough of them, and that is told for a tenth of the cost
    pieces = text.split()
    if _WITHOUT.issuperset(pieces) or not any([_has_number_word(piece) for piece in pieces]):
        return None
    words = sum([word in _WORDS for word in _LETTERS.findall(text.casefold())])
    if _MOST_DIGITS * words + len(_DIGIT.findall(text)) < _LEAST_DIGITS:
        return None
    runs = [run for run in _runs(text) if sum([len(piece.digits) for piece in run]) >= _LEAST_DIGITS]
    if not runs:
        return None
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []

    def put(piece: str, places: Sequence[tuple[int, int]]) -> None:
        parts.append(piece)
        starts.extend(start for start, _ in places)
        ends.extend(end for _, end in places)

    done = 0
    for run in runs:
        put(text[done : run[0].start], [(at, at + 1) for at in range(done, run[0].start)])
        digits = [(digit, piece) for piece in run for digit in piece.digits]
        # a card is dictated in any pieces and cut in fours
        is_card = len(digits) == _CARD
        for number, (digit, piece) in enumerate(digits):
            before = digits[number - 1][1] if number else piece
            if number and (number % 4 == 0 if is_card else before is not piece):
                put(" ", [(min(before.end, piece.start), piece.start)])
            put(digit, [(piece.start, piece.end)])
        done = run[-1].end
    put(text[done:], [(at, at + 1) for at in range(done, len(text))])
    return Said("".join(parts), starts, ends)


def _has_number_word(piece: str) -> bool:
    """Remembers the pieces of texts, as they stand between blanks, that have none."""
    if piece in _WITHOUT:
        return False
    if not _WORDS.isdisjoint(_LETTERS.findall(piece.lower())):
        return True
    if len(_WITHOUT) >= _REMEMBERED:
        _WITHOUT.clear()
    if len(piece) <= _LONGEST_PIECE:
        _WITHOUT.add(piece)
    return False


def chains(phrases: Sequence[Phrase]) -> Iterator[list[int]]:
    """Phrases in which one speaker goes on with a number, by their places; a short remark may stand between."""
    chain: list[int] = []
    at = 0
    while at < len(phrases):
        following = _goes_on(phrases, at)
        if following is None:
            if chain:
                yield [*chain, at]
                chain = []
            at += 1
        else:
            chain.append(at)
            at = following


def _goes_on(phrases: Sequence[Phrase], at: int) -> int | None:
    if not _ends_in_number(phrases[at].text[-40:]):
        return None
    for other in (at + 1, at + 2):
        if other >= len(phrases):
            return None
        phrase = phrases[other]
        if phrase.speaker == phrases[at].speaker:
            first = _FIRST.match(phrase.text[:80])
            return other if first is not None and _is_number(first[1]) else None
        if len(_TOKEN.findall(phrase.text[:80])) > _SHORT:
            return None
    return None


def _ends_in_number(text: str) -> bool:
    """Whether the last word of a text is a number."""
    for piece in reversed(text.rsplit(None, 2)):
        if (ends := _last_is_number(piece)) is not None:
            return ends
    return False


@lru_cache(maxsize=_REMEMBERED)
def _last_is_number(piece: str) -> bool | None:
    words = _SAID.findall(piece)
    return _is_number(words[-1]) if words else None


def _is_number(word: str) -> bool:
    return word[-1].isdigit() or word.lower() in _WORDS


def _runs(text: str) -> Iterator[list[_Piece]]:
    """Rows of numbers with nothing but blanks and commas between, at least one of them in words."""
    run: list[_Piece] = []
    kinds: list[str] = []
    has_words = False
    until = 0
    for found in _TOKEN.finditer(text):
        token = found[0].casefold()
        kind = _kind(token)
        if run and (kind is None or not _GAP.fullmatch(text, until, found.start())):
            if has_words:
                yield run
            run, kinds, has_words = [], [], False
        if kind is None:
            continue
        until = found.end()
        has_words = has_words or kind != "digits"
        joined = _joined(run[-1].digits, kinds[-1], token, kind) if run else None
        if joined is not None:
            run[-1] = _Piece(joined, run[-1].start, until)
            kinds[-1] = kind if kind != "hundred" else "hundreds"
        else:
            run.append(_Piece(token if kind == "digits" else str(_VALUES[token]), found.start(), until))
            kinds.append(kind if kind != "hundred" else "hundreds")
    if run and has_words:
        yield run


def _kind(token: str) -> str | None:
    if token.isdecimal():
        return "digits"
    return _KINDS.get(token)


def _joined(digits: str, kind: str, token: str, other: str) -> str | None:
    """The digits of both, where the second word goes on with the number of the first: "двадцать" and "три"."""
    if other == "digits":
        is_rest = token[0] != "0" and len(token) < len(digits) and set(digits[-len(token) :]) == {"0"}
        return str(int(digits) + int(token)) if kind in ("hundreds", "tens") and is_rest else None
    if kind == "digits":
        return None
    value = _VALUES[token]
    if other == "unit" and digits == "0":
        return f"0{value}"
    if other == "hundred":
        return str(int(digits) * 100) if kind == "unit" and digits != "0" and len(digits) == 1 else None
    if kind == "hundreds" and other in ("unit", "teen", "tens") and value and digits.endswith("00"):
        return str(int(digits) + value)
    if kind == "tens" and other == "unit" and value and digits.endswith("0"):
        return str(int(digits) + value)
    return None
