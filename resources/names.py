"""Finds names of people in Russian text, by natasha, where the extra ``names`` is installed.

Here: loading it once in a process, when the first text is read, and remembering what was found. Not here: what stands
instead of a name, whether names are hidden at all (policy: ``scoring.mask_names``).

Measured on one core: 1.6 seconds to load, about a millisecond for a phrase; the weights come with the package, nothing
is downloaded. Names that are written in small letters, as some recognisers write them, are missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, Final

_REMEMBERED: Final = 20_000
_LONGEST: Final = 20_000
"""Characters that are read at once: the tagger's memory grows with them."""
_MAY_HOLD_A_NAME: Final = 3
"""A text with fewer letters has no name in it."""


class NamesMissing(RuntimeError):
    """The extra ``names`` is not installed."""


def is_installed() -> bool:
    """Whether names can be found."""
    return find_spec("natasha") is not None


def find_names(texts: Sequence[str]) -> list[tuple[tuple[int, int], ...]]:
    """The places of people's names in each text, in order: begin and end.

    Raises:
        NamesMissing: the extra ``names`` is not installed.
    """
    return [_in(text) for text in texts]


@lru_cache(maxsize=_REMEMBERED)
def _in(text: str) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    begin = 0
    while begin < len(text):
        until = _cut(text, begin)
        piece = text[begin:until]
        if sum(map(str.isalpha, piece)) >= _MAY_HOLD_A_NAME:
            found += [(begin + start, begin + end) for start, end in _tagged(piece)]
        begin = until
    return tuple(found)


def _cut(text: str, begin: int) -> int:
    if len(text) - begin <= _LONGEST:
        return len(text)
    blank = text.rfind(" ", begin, begin + _LONGEST)
    return blank + 1 if blank > begin else begin + _LONGEST


def _tagged(text: str) -> list[tuple[int, int]]:
    segmenter, tagger, document = _tools()
    doc = document(text)
    doc.segment(segmenter)
    doc.tag_ner(tagger)
    return [(span.start, span.stop) for span in doc.spans if span.type == "PER"]


@lru_cache(maxsize=1)
def _tools() -> tuple[Any, Any, Any]:
    try:
        from natasha import Doc, NewsEmbedding, NewsNERTagger, Segmenter
    except ImportError as error:
        raise NamesMissing("the extra 'names' is not installed: natasha is missing") from error
    return Segmenter(), NewsNERTagger(NewsEmbedding()), Doc
