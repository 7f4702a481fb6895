"""One row of a table as a message: whose chat, who, when, what; or the reason why it is none.

Here: the pure step from cells to meaning. Not here: counting and ids (``reader``), opening.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from conversations.imports.survey import Choices, key_of
from conversations.imports.tables.cells import Cells, Item
from conversations.imports.tables.mapping import PEOPLE, TIMES, TableMapping
from conversations.imports.tables.people import People, Person, exact_key
from conversations.imports.tables.times import Clock, Stamp, joined
from conversations.parsing.fields import Odd
from conversations.records import ContentKind

_KINDS: dict[str, ContentKind] = {
    **{one: one for one in ("text", "media", "sticker", "reaction", "call", "template", "payment_link")},  # type: ignore[dict-item]
    **dict.fromkeys(("image", "photo", "video", "audio", "voice", "file", "document", "gif"), "media"),
}
"""Words for kinds that need no declaration; ``values.kind`` adds to them."""

NEEDED = frozenset({"conversation", "text", *TIMES, *PEOPLE})
"""Columns that a table has if they are mapped, in JSON, too."""


@dataclass(slots=True)
class Understood:
    """A row; what could not be found out is ``None``, and ``problem`` is the first reason."""

    problem: str | None = None
    chat: str | None = None
    title: str | None = None
    person: Person | None = None
    is_notice: bool = False
    stamp: Stamp | None = None
    message_id: str | None = None
    phone: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    """For the payload: ``text``, ``kind``, ``flags`` and what else the row says."""


class Understanding:
    """Understands the rows of one table."""

    def __init__(self, mapping: TableMapping, choices: Choices) -> None:
        self.seen: set[str] = set()
        """Columns that at least one row had, by meaning."""
        self._needed = NEEDED & {meaning for meaning, _ in mapping.columns.declared()}
        self._paths = dict(mapping.columns.declared())
        self._constants = {str(key): value for key, value in mapping.constants.items()}
        self._mapping = mapping
        self._people = People(mapping, choices)
        self._clock = Clock(mapping.time.format, mapping.time.zone or choices.time_zone)
        self._kinds = {**_KINDS, **mapping.values.kind}
        self._is_named = mapping.has("conversation", "title")
        self._has_id = mapping.has("conversation")
        self._declared = choices.chat

    def of(self, item: Item) -> Understood:
        """One row. Never raises: a problem is part of the answer."""
        found = Understood(problem=item.problem)
        cells = Cells(self._paths, self._constants, item, self.seen)
        for meaning in self._needed - self.seen:
            cells.raw(meaning)
        for step in (self._chat, self._time, self._person, self._rest):
            try:
                step(cells, item, found)
            except Odd as odd:
                found.problem = found.problem or odd.reason
        return found

    def _chat(self, cells: Cells, item: Item, found: Understood) -> None:
        if not self._is_named:
            found.title = self._declared
            found.chat = key_of(self._declared or "")
            return
        found.title = cells.text("title")
        own = cells.text("conversation") if self._has_id else None
        if own is not None:
            found.chat = exact_key(own)
            if self._mapping.columns.title is None and "title" not in self._mapping.constants:
                found.title = own
        elif not self._has_id and found.title is not None:
            found.chat = key_of(found.title)
        else:
            raise Odd("missing_conversation")

    def _time(self, cells: Cells, item: Item, found: Understood) -> None:
        if self._mapping.untimed or item.problem is not None:
            return
        if self._mapping.columns.time is not None:
            cell = cells.raw("time")
        else:
            day, clock = cells.raw("date"), cells.raw("clock")
            cell = joined(day, clock) if self._mapping.columns.clock is not None else None
        if cell is None:
            raise Odd("undated_notice" if item.is_notice else "bad_time")
        found.stamp = self._clock.read(cell, cells.text("zone"))
        if found.stamp.flags:
            found.fields["flags"] = list(found.stamp.flags)

    def _person(self, cells: Cells, item: Item, found: Understood) -> None:
        if item.problem is not None:
            return
        found.person = self._people.of(cells, item.is_notice)
        found.is_notice = found.person is None

    def _rest(self, cells: Cells, item: Item, found: Understood) -> None:
        if item.problem is not None:
            return
        found.message_id = cells.text("message_id")
        found.phone = cells.text("phone")
        fields = found.fields
        word = cells.text("kind")
        kind = "text" if word is None else self._kinds.get(word.casefold())
        if kind is None:
            raise Odd("unknown_kind")
        if kind != "text":
            fields["kind"] = kind
        text = cells.body()
        fields["text"] = text if text or kind == "text" else None
        if (reply := cells.text("reply_to")) is not None:
            fields["reply_to"] = exact_key(reply)
        if cells.truth("deleted"):
            fields["deleted"] = True
        if (answered := cells.truth("answered")) is not None:
            fields["answered"] = answered
        if (seconds := cells.text("talk_seconds")) is not None:
            fields["talk_seconds"] = _seconds(seconds)
        self._edited(cells, fields)

    def _edited(self, cells: Cells, fields: dict[str, Any]) -> None:
        cell = cells.raw("edited")
        if cell is None:
            return
        try:
            if cells.truth("edited"):
                fields["edited"] = True
        except Odd:
            fields["edited"] = True
            fields["edited_at"] = self._clock.read(cell, cells.text("zone")).at.isoformat()


def _seconds(text: str) -> int:
    try:
        found = int(float(text.replace(",", ".")))
    except (ValueError, OverflowError):
        raise Odd("bad_value") from None
    if not 0 <= found < 10**7:
        raise Odd("bad_value")
    return found
