"""Hides personal data in a talk before it is shown to a model, with the way back for quotes.

Here: phones, e-mails and bank cards as ``conversations.redact`` finds them; on the phone also those that are dictated
in words or over several phrases; Kazakhstan's personal numbers; names, if somebody who can find them is handed in. Not
here: finding names (``resources.names``), what is hidden in sheets.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

from conversations.messages.sheets import Masks
from conversations.redact import Spot, may_hold_number, spots
from conversations.scoring.dictated import chains, in_digits
from conversations.scoring.shapes import Masked, Phrase

NameFinder: TypeAlias = Callable[[Sequence[str]], Sequence[Sequence[tuple[int, int]]]]
"""Texts to the places of people's names in each: begin and end, in order."""
_KINDS: Final = {
    Masks.PHONE: "phone",
    Masks.EMAIL: "email",
    Masks.CARD: "card",
    Masks.DOCUMENT: "document",
    Masks.NAME: "name",
}
_PERSONAL_NUMBER = re.compile(r"(?<![\d+])\d{6} ?\d{6}(?!\d)")


def masked(phrases: Sequence[Phrase], names: NameFinder | None = None, *, is_call: bool = False) -> list[Masked]:
    """The texts of the phrases without personal data, one by one.

    Args:
        is_call: recognised speech, in which numbers are dictated.
    """
    found = [_spots(phrase.text, is_call=is_call) for phrase in phrases]
    if is_call:
        for chain in chains(phrases):
            _over_phrases(phrases, chain, found)
    if names is not None:
        for places, of_names in zip(found, names([phrase.text for phrase in phrases]), strict=True):
            _add(places, [Spot(start, end, Masks.NAME) for start, end in of_names])
    return [hidden(phrase.text, places) for phrase, places in zip(phrases, found, strict=True)]


def hidden(text: str, places: Sequence[Spot]) -> Masked:
    """The text with words in place of the spots, which are in order and apart."""
    if not places:
        return Masked(text, (), {})
    parts: list[str] = []
    spans = []
    counts: Counter[str] = Counter()
    done = length = 0
    for place in places:
        plain = text[done : place.start]
        parts += [plain, place.word]
        length += len(plain)
        spans.append((length, length + len(place.word), place.start, place.end))
        length += len(place.word)
        done = place.end
        counts[_KINDS[place.word]] += 1
    return Masked("".join([*parts, text[done:]]), tuple(spans), dict(counts))


class Origin(NamedTuple):
    """A piece of an original text."""

    start: int
    end: int


def origin(masked: Masked, start: int, end: int) -> Origin:
    """Where ``masked.text[start:end]``, which is not empty, came from. A piece of a mask is all that it hides."""
    return Origin(_begin(masked, start), _end(masked, end))


def _begin(masked: Masked, at: int) -> int:
    shift = 0
    for start, end, began, ended in masked.spans:
        if at < start:
            break
        if at < end:
            return began
        shift = ended - end
    return at + shift


def _end(masked: Masked, at: int) -> int:
    shift = 0
    for start, end, _, ended in masked.spans:
        if at <= start:
            break
        if at <= end:
            return ended
        shift = ended - end
    return at + shift


def _spots(text: str, *, is_call: bool) -> list[Spot]:
    said = in_digits(text) if is_call else None
    if said is None:
        found = spots(text)
        _add(found, _personal_numbers(text))
        return found
    found = spots(said.text)
    _add(found, _personal_numbers(said.text))
    return [Spot(said.starts[start], said.ends[end - 1], word) for start, end, word in found]


def _over_phrases(phrases: Sequence[Phrase], chain: Sequence[int], found: list[list[Spot]]) -> None:
    """A number that goes over several phrases leaves its word in each of them."""
    joined = " ".join(phrases[at].text for at in chain)
    for spot in _spots(joined, is_call=True):
        begin = 0
        for at in chain:
            until = begin + len(phrases[at].text)
            piece = Spot(max(spot.start, begin) - begin, min(spot.end, until) - begin, spot.word)
            if piece.start < piece.end:
                _add(found[at], [piece])
            begin = until + 1


def _personal_numbers(text: str) -> list[Spot]:
    if not may_hold_number(text):
        return []
    return [
        Spot(*place.span(), Masks.DOCUMENT)
        for place in _PERSONAL_NUMBER.finditer(text)
        if _is_personal_number(place[0].replace(" ", ""))
    ]


def _is_personal_number(digits: str) -> bool:
    """Kazakhstan's: day of birth, century and sex, number, a digit of control over eleven (in the second way if the
    first gives 10)."""
    values = [int(digit) for digit in digits]
    month, day = int(digits[2:4]), int(digits[4:6])
    if not (1 <= month <= 12 and 1 <= day <= 31 and 1 <= values[6] <= 6):
        return False
    for weights in (range(1, 12), (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)):
        control = sum(value * weight for value, weight in zip(values, weights, strict=False)) % 11
        if control != 10:
            return control == values[11]
    return False


def _add(found: list[Spot], others: Iterable[Spot]) -> None:
    """The others as well, in order; where two overlap, the one that is there stays."""
    for other in others:
        if other.start < other.end and all(other.end <= one.start or other.start >= one.end for one in found):
            found.append(other)
            found.sort()
