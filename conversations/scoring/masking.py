"""Hides personal data in a talk before it is shown to a model, with the way back for quotes.

Here: phones, e-mails and bank cards as ``conversations.redact`` finds them, also where a caller dictates them in words
or over several phrases; Kazakh and Russian personal numbers; names, if somebody who can find them is handed in. Not
here: finding names (``resources.names``), what is hidden in sheets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

from conversations.messages.sheets import Masks
from conversations.redact import Spot, spots
from conversations.scoring.shapes import Masked

NameFinder: TypeAlias = Callable[[Sequence[str]], Sequence[Sequence[tuple[int, int]]]]
"""Texts to the places of people's names in each: begin and end, in order."""
_KINDS: Final = {Masks.PHONE: "phone", Masks.EMAIL: "email", Masks.CARD: "card", Masks.NAME: "name"}


def masked(texts: Sequence[str], names: NameFinder | None = None, *, is_spoken: bool = False) -> tuple[Masked, ...]:
    """The texts without personal data, one by one.

    Args:
        is_spoken: recognised speech: numbers are dictated.
    """
    of_names = names(texts) if names is not None else [()] * len(texts)
    return tuple(
        hidden(text, _united(spots(text), [Spot(start, end, Masks.NAME) for start, end in found]))
        for text, found in zip(texts, of_names, strict=True)
    )


def hidden(text: str, places: Iterable[Spot]) -> Masked:
    """The text with words in place of the spots, which are in order and apart."""
    parts, spans, counts = [], [], Counter[str]()
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
    """Where ``masked.text[start:end]`` came from. A piece of a mask stands for everything that it hides."""
    return Origin(_back(masked, start, is_end=False), _back(masked, end, is_end=True))


def _back(masked: Masked, at: int, *, is_end: bool) -> int:
    shift = 0
    for start, end, began, ended in masked.spans:
        if at <= start and not (at == start and not is_end):
            break
        if at < end or (at == end and is_end):
            return ended if is_end else began
        shift = ended - end
    return at + shift


def _united(found: Sequence[Spot], others: Sequence[Spot]) -> list[Spot]:
    """Both, in order; where two overlap, the first kind stays."""
    kept = [*found]
    for other in others:
        if other.start < other.end and all(other.end <= one.start or other.start >= one.end for one in kept):
            kept.append(other)
    return sorted(kept)
