"""Reads a table or a log by its mapping: the first look, and raw rows.

Here: chats and authors as they are counted up, ids of rows, limits. Not here: what one row says (``understood``).

Ids. A message id of the table makes the id of the row (whole numbers padded so that they sort, others as a hash behind
their place within the stamp). Without one it is the stamp as it stands in the file and the place among the rows of one
stamp in its chat; a file that goes from new to old is numbered from its end, so that the order of a later, longer
export stays the same. A row that is not understood and has neither is known by its content. A row whose id came before
is kept as it is, as ``repeated_id``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from conversations.imports.survey import Author, Chat, Choices, NotThisFormat, Settled, Survey, folded
from conversations.imports.tables.cells import Item
from conversations.imports.tables.items import items_of
from conversations.imports.tables.mapping import TableMapping
from conversations.imports.tables.people import exact_key
from conversations.imports.tables.seen import Seen
from conversations.imports.tables.understood import NEEDED, Understanding, Understood
from conversations.imports.tables.units import TableUnit
from conversations.parsing.flags import NO_TIMES
from conversations.source import RawRow

MOST_ROWS = 3_000_000
MOST_CHATS = 50_000
MOST_PEOPLE = 100_000
"""Over all chats; a person who writes in two is counted twice."""
MOST_NAMES = 16_000_000
"""Characters of all names and titles together: they are held in memory."""
NEWEST_FIRST = "newest_first"
_NO_CHAT = "unknown"
_LARGEST_TIE = 9_999
"""Rows of one stamp that are numbered from the end; more are numbered in chunks of so many."""


class TableReader:
    """Implements ``Reader[TableUnit]``."""

    def __init__(self, mapping: TableMapping) -> None:
        self.mapping = mapping

    def survey(self, units: Iterable[TableUnit], choices: Choices) -> Survey:
        """Look through the whole table.

        Raises:
            NotThisFormat: it has no rows, more than can be held, or lacks a mapped column in every row.
        """
        understanding, look = Understanding(self.mapping, choices), _Look(self.mapping)
        if not self.mapping.has("conversation", "title") and not choices.chat:
            raise NotThisFormat("the mapping names no conversation: columns.conversation, columns.title or constants")
        for item in items_of(self.mapping, units):
            look.add(understanding.of(item))
        look.close()
        self._refuse_missing(understanding.seen)
        return Survey(look.chats, {NEWEST_FIRST: look.is_newest_first})

    def rows(self, units: Iterable[TableUnit], chats: Mapping[str, Settled], choices: Choices) -> Iterator[RawRow]:
        """The raw rows, in the order of the table."""
        understanding, ids = Understanding(self.mapping, choices), _Ids(self.mapping)
        found = ((item, understanding.of(item)) for item in items_of(self.mapping, units))
        is_newest_first = any(one.facts.get(NEWEST_FIRST) for one in chats.values())
        for tie in _ties(found) if is_newest_first else ([one] for one in found):
            keys = reversed([ids.next(item, one) for item, one in reversed(tie)])
            for (item, one), (key, is_repeated) in zip(tie, keys, strict=True):
                yield _raw(item, one, key, "repeated_id" if is_repeated else None, chats)

    def _refuse_missing(self, seen: set[str]) -> None:
        """A name that is in no row at all is a mistake in the mapping or another kind of table."""
        columns = dict(self.mapping.columns.declared())
        for meaning in sorted(NEEDED & columns.keys()):
            if meaning not in seen:
                raise NotThisFormat(f"no row has the column {columns[meaning]!r} (columns.{meaning})")


class _Look:
    """What the first look has counted so far."""

    def __init__(self, mapping: TableMapping) -> None:
        self.chats: dict[str, Chat] = {}
        self._mapping = mapping
        self._rows = self._people = self._characters = 0
        self._phones: dict[str, str] = {}
        self._last: dict[str, str] = {}
        self._earlier = self._later = 0

    @property
    def is_newest_first(self) -> bool:
        """Whether within its chats the file goes from new to old, and nowhere the other way."""
        return self._earlier > 0 and self._later == 0

    def add(self, row: Understood) -> None:
        self._rows += 1
        _refuse_over(self._rows, MOST_ROWS, "rows")
        if row.chat is None:
            return
        chat = self.chats.get(row.chat)
        if chat is None:
            chat = self.chats[row.chat] = Chat(row.chat, row.title, "group")
            _refuse_over(len(self.chats), MOST_CHATS, "conversations")
            self._hold(row.title)
            if self._mapping.untimed:
                chat.flags.add(NO_TIMES)
        if chat.title is None and row.title is not None:
            chat.title = row.title
            self._hold(row.title)
        chat.messages += 1
        if row.stamp is not None:
            self._date(chat, row.stamp.at, row.stamp.local)
        if row.phone is not None and row.chat not in self._phones:
            self._phones[row.chat] = row.phone
            self._hold(row.phone)
        if row.problem is None and row.person is not None:
            self._author(chat, row)

    def _author(self, chat: Chat, row: Understood) -> None:
        person = row.person
        assert person is not None
        author = chat.authors.get(person.key)
        if author is None:
            author = chat.authors[person.key] = Author(person.key, person.name, side=person.side)
            self._people += 1
            _refuse_over(self._people, MOST_PEOPLE, "people")
            self._hold(person.name)
        author.messages += 1
        if author.phone is None and row.phone is not None and person.side in (None, "customer"):
            author.phone = row.phone
            self._hold(row.phone)

    def _date(self, chat: Chat, at: datetime, local: str) -> None:
        chat.first_at = at if chat.first_at is None else min(chat.first_at, at)
        chat.last_at = at if chat.last_at is None else max(chat.last_at, at)
        last = self._last.get(chat.key, local)
        self._earlier += local < last
        self._later += local > last
        self._last[chat.key] = local

    def close(self) -> None:
        if self._rows == 0:
            raise NotThisFormat("the table has no rows")
        for chat in self.chats.values():
            people = [one for one in chat.authors.values() if one.side != "bot"]
            chat.kind = self._mapping.chats or ("private" if len(people) <= 2 else "group")
            if chat.kind != "private":
                continue
            if chat.title is not None:
                named = [one for one in people if one.name is not None and folded(one.name) == folded(chat.title)]
                chat.customer_key = named[0].key if len(named) == 1 else None
            for one in people:
                if one.side not in (None, "customer"):
                    continue
                one.phone = one.phone or self._phones.get(chat.key)
                if one.side == "customer" and one.name is None and self._mapping.columns.title is not None:
                    # a private chat is called after its customer
                    one.name = chat.title

    def _hold(self, text: str | None) -> None:
        self._characters += len(text or "")
        _refuse_over(self._characters, MOST_NAMES, "characters of names")


def _refuse_over(count: int, most: int, what: str) -> None:
    if count > most:
        raise NotThisFormat(f"more than {most} {what}: split the table")


class _Ids:
    """Gives every row of one reading its id within its chat."""

    def __init__(self, mapping: TableMapping) -> None:
        self._untimed = mapping.untimed
        self._seen = Seen()

    def next(self, item: Item, row: Understood) -> tuple[str, bool]:
        """The id, and whether the row's own id came before (then it is known by its content)."""
        chat, stamp, own = row.chat or _NO_CHAT, row.stamp.local if row.stamp else None, row.message_id
        if own is not None and row.chat is not None:
            if not self._seen.add(f"id\x1f{chat}\x1f{own}"):
                return self._by_content(chat, item), True
            if own.isascii() and own.isdecimal() and len(own) <= 20:
                return f"{own:0>20}", False
            key = exact_key(own)
            return (key if stamp is None else f"{stamp}-{self._number(chat, stamp)}-{key}"), False
        if row.chat is not None and stamp is not None:
            return f"{stamp}-{self._number(chat, stamp)}", False
        if row.chat is not None and self._untimed and row.problem is None:
            return f"{self._seen.ordinal(f'row{chat}'):08d}", False
        return self._by_content(chat, item), False

    def _number(self, chat: str, stamp: str) -> str:
        ordinal = self._seen.ordinal(f"at\x1f{chat}\x1f{stamp}")
        # behind all of four digits, as text sorts
        return f"{ordinal:04d}" if ordinal <= _LARGEST_TIE else f"~{ordinal:08d}"

    def _by_content(self, chat: str, item: Item) -> str:
        content = exact_key(json.dumps([item.original, item.leading], sort_keys=True))
        return f"odd-{content}-{self._seen.ordinal(f'odd{chat}{content}'):04d}"


def _ties(found: Iterable[tuple[Item, Understood]]) -> Iterator[list[tuple[Item, Understood]]]:
    """Neighbours of one stamp together: in a file from new to old the last of them was first."""
    tie: list[tuple[Item, Understood]] = []
    for one in found:
        stamp = one[1].stamp
        if tie and (stamp is None or tie[-1][1].stamp is None or stamp.local != tie[-1][1].stamp.local):
            yield tie
            tie = []
        tie.append(one)
        if len(tie) >= _LARGEST_TIE:
            yield tie
            tie = []
    if tie:
        yield tie


def _raw(item: Item, row: Understood, key: str, repeated: str | None, chats: Mapping[str, Settled]) -> RawRow:
    at = row.stamp.at if row.stamp else None
    problem = row.problem or repeated
    settled = chats.get(row.chat) if row.chat is not None else None
    side: Any = "system" if row.is_notice else None
    if row.person is not None and settled is not None:
        side = settled.sides.get(row.person.key)
    payload: dict[str, Any] = {
        "chat": row.chat,
        "at": at.isoformat() if at is not None else None,
        "author": row.person.key if row.person else None,
        "side": side,
        "position": item.position,
        "original": item.original,
    }
    if item.leading is not None:
        payload["around"] = item.leading
    if problem is not None:
        payload["problem"] = problem
    else:
        payload.update(row.fields)
    return RawRow(f"{row.chat or _NO_CHAT}:{key}", payload, at, None)
