"""The words of WhatsApp in many languages, as data: ``data/words.yaml`` and ``data/clock.yaml``.

Here: loading them once and looking them up. Not here: what follows from a word (``.kinds``, ``.clock``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from conversations.imports.whatsapp.prefix import unmarked

_DATA = Path(__file__).parent / "data"
_CLOSING = " .。．।<>\u00a0\u202f"
_KINDS = ("media", "omitted", "sticker", "live_location", "deleted", "deleted_by_owner")
_BLANKS = re.compile(r"\s+")


class Words(NamedTuple):
    """Fixed texts, ready for comparing with ``plain`` texts."""

    kinds: Mapping[str, str]
    """A whole body to its section: ``media``, ``omitted``, ``sticker``, ``live_location``, ``deleted``,
    ``deleted_by_owner``."""
    attached: frozenset[str]
    edited: frozenset[str]
    missed_calls: frozenset[str]
    calls: frozenset[str]
    not_answered: tuple[str, ...]
    units: Mapping[str, int]
    notices: tuple[str, ...]
    titles: tuple[re.Pattern[str], ...]


class Clock(NamedTuple):
    """Words beside the time, as ``short`` writes them."""

    morning: frozenset[str]
    afternoon: frozenset[str]
    periods: Mapping[str, frozenset[int]]
    """A part of the day to its hours, 0 to 23."""
    joints: frozenset[str]
    """Words that only join date and time."""


def plain(text: str) -> str:
    """For comparing: no marks, no case, one blank for many, no brackets and full stop around it.

    >>> plain("\u200e<Media omitted>"), plain("This message was deleted.")
    ('media omitted', 'this message was deleted')
    """
    return _BLANKS.sub(" ", unmarked(text)).strip(_CLOSING).casefold()


def short(word: str) -> str:
    """A word beside the time for looking up: no marks, blanks, full stops, case.

    >>> short("a.\u00a0m.")
    'am'
    """
    return re.sub(r"[\s.\u200c]", "", unmarked(word)).casefold()


@cache
def words() -> Words:
    """All languages at once: one phone may have changed its language."""
    found = _sections()
    units = {plain(str(word)): int(seconds) for seconds, names in _languages(found["units"]) for word in names}
    return Words(
        kinds={plain(text): kind for kind in _KINDS for text in _texts(found[kind])},
        attached=frozenset(map(plain, _texts(found["attached"]))),
        edited=frozenset(map(plain, _texts(found["edited"]))),
        missed_calls=frozenset(map(plain, _texts(found["missed_call"]))),
        calls=frozenset(map(plain, _texts(found["call"]))),
        not_answered=tuple(sorted(map(plain, _texts(found["not_answered"])))),
        units=units,
        notices=tuple(sorted(map(plain, _texts(found["notice"])))),
        titles=tuple(_title(text) for text in sorted(_texts(found["titles"]), key=len, reverse=True)),
    )


def raw_texts(section: str) -> frozenset[str]:
    """The texts of one section as they are written."""
    return frozenset(_texts(_sections()[section]))


@cache
def _sections() -> Mapping[str, Any]:
    sections: Mapping[str, Any] = yaml.safe_load((_DATA / "words.yaml").read_text("utf-8"))
    return sections


@cache
def clock() -> Clock:
    """Words beside the time."""
    found = yaml.safe_load((_DATA / "clock.yaml").read_text("utf-8"))
    periods = {str(word): frozenset(part["hours"]) for part in found["periods"] for word in part["words"]}
    morning, afternoon, joints = (frozenset(map(str, found[name])) for name in ("am", "pm", "joints"))
    return Clock(morning, afternoon, periods, joints)


def _languages(section: Mapping[Any, Any]) -> Iterable[tuple[Any, Any]]:
    return ((language, texts) for language, texts in section.items() if language != "source")


def _texts(section: Mapping[str, list[str]]) -> Iterable[str]:
    return (text for _, texts in _languages(section) for text in texts)


def _title(pattern: str) -> re.Pattern[str]:
    before, _, after = pattern.partition("{}")
    escaped = [re.escape(part).replace(r"\ ", "[ _]+").replace(":", "[:_꞉]?") for part in (before, after)]
    return re.compile(f"^{escaped[0]}(.+?){escaped[1]}$", re.IGNORECASE)
