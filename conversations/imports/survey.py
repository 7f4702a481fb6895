"""The first look through a file: its chats, who wrote in them, what it proves and what a person has to say.

Here: the shapes that all readers share, and the rule by which an author is a manager or a customer. Not here: any
format.

A file is read twice. ``Reader.survey`` counts and proves; ``settle`` adds what people declared, or says what is
missing; ``Reader.rows`` makes raw rows. A raw row holds what the file says and the side that was settled, nothing that
was guessed.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

from conversations.source import RawRow

Side: TypeAlias = Literal["customer", "manager", "bot", "system"]
DateOrder: TypeAlias = Literal["dmy", "mdy", "ymd"]
ChatKind: TypeAlias = Literal["private", "group"]
Unit = TypeVar("Unit", contravariant=True)

CHATS, MESSAGES = "chats", "messages"
"""The two streams of every file source: a directory, and what is dated."""


class NotThisFormat(ValueError):
    """The file is not of the reader's format, or breaks off. The text says where (a line, an item), never what
    stands there."""


class OtherColumns(NotThisFormat):
    """The table lacks a column that the mapping names, or has it twice."""


class OtherOrder(NotThisFormat):
    """The dates of the file prove another order than the one that was declared."""


class Undecided(ValueError):
    """The file does not prove something that must not be guessed.

    ``what``: ``date_order`` (day and month cannot be told apart), ``staff`` (nothing says who the managers are),
    ``time_zone``. ``chats`` counts the chats concerned; no name is in it.
    """

    def __init__(self, what: str, chats: int = 1) -> None:
        self.what = what
        self.chats = chats
        super().__init__(what)


@dataclass(frozen=True)
class Choices:
    """What a person declares about a file; the defaults declare nothing."""

    time_zone: str = "Europe/Moscow"
    """Of times that the file has without a zone."""
    date_order: DateOrder | None = None
    """Used only where the file does not prove an order by itself; one that contradicts the proof is refused."""
    staff: frozenset[str] = frozenset()
    """Managers: names as the file shows them, or ids of the format."""
    chat: str | None = None
    """Title of the chat, where the file holds one chat and does not name it well."""

    def is_staff(self, author: Author) -> bool:
        """Whether the author was declared a manager, by name or by key; case and marks do not matter."""
        known = {folded(name) for name in self.staff}
        return folded(author.key) in known or (author.name is not None and folded(author.name) in known)


@dataclass
class Author:
    """Somebody who wrote in a chat. Holds a name."""

    key: str
    """Stable over files of the same person's chat: the format's id, else ``key_of(name)``."""
    name: str | None
    messages: int = 0
    side: Side | None = None
    """What the format itself says (a bot, a column with roles); ``None``: it does not say."""
    phone: str | None = None
    """As the file writes it, where it says phones beside names."""


@dataclass
class Chat:
    """One chat of a file. Holds names."""

    key: str
    """Stable over files of the same chat: the format's id, else ``key_of(title)``. The chat's raw id."""
    title: str | None
    kind: ChatKind
    authors: dict[str, Author] = field(default_factory=dict)
    customer_key: str | None = None
    """The author whom the file itself shows as the other side (a private chat is named after him)."""
    messages: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    """UTC; ``None``: no message has a time."""
    flags: set[str] = field(default_factory=set)
    """Codes of ``conversations.parsing.flags``."""


@dataclass
class Survey:
    """All that the first look found."""

    chats: dict[str, Chat] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    """What the reader proved and needs again in ``rows``: the date order, the clock. JSON values."""


class Settled(NamedTuple):
    """A chat with the side of every author; the payload of its raw row is ``payload()``."""

    chat: Chat
    sides: Mapping[str, Side]
    time_zone: str
    facts: Mapping[str, Any]

    def payload(self) -> dict[str, Any]:
        """The raw row of the stream ``chats``: JSON values only."""
        people = [
            {"key": one.key, "name": one.name, "side": self.sides[one.key]}
            | ({"phone": one.phone} if one.phone is not None and self.sides[one.key] == "customer" else {})
            for one in sorted(self.chat.authors.values(), key=lambda one: one.key)
        ]
        return {
            "title": self.chat.title,
            "kind": self.chat.kind,
            "people": people,
            "time_zone": self.time_zone,
            "facts": dict(self.facts),
            "flags": sorted(self.chat.flags),
        }


class Reader(Protocol, Generic[Unit]):
    """Reads one kind of file. Pure: ``units`` are decoded already and are iterated once, never kept."""

    def survey(self, units: Iterable[Unit], choices: Choices) -> Survey:
        """Look through the whole file.

        Raises:
            NotThisFormat: it is of another format.
            Undecided: something must be declared before anything can be read.
        """
        ...

    def rows(self, units: Iterable[Unit], chats: Mapping[str, Settled], choices: Choices) -> Iterator[RawRow]:
        """The raw rows of the stream ``messages``, in the order of the file.

        Ids are ``<chat key>:<message key>``, each once. Message keys of one chat sort as text like the messages of one
        stamp stand in the file (core orders by time, then by this key): ``<stamp>-<ordinal within the stamp, four
        digits>`` where the format has no ids, zero-padded numbers where it has. A later export of the same chat gives
        the same messages the same ids.

        Every payload has ``chat`` (key), ``at`` (ISO 8601, UTC, or None), ``author`` (key or None), ``side``,
        ``position`` (line or item, from 1) and ``original`` (the lines or the item as they stand in the file);
        ``problem`` is the reason code of a row that cannot be understood.
        """
        ...


def settle(survey: Survey, choices: Choices) -> dict[str, Settled]:
    """Give every author of every chat a side.

    A declared manager is a manager. In a private chat the one after whom it is named is the customer and whoever else
    writes is ours. Once somebody is declared, everybody else is a customer. What the format says of an author (a bot, a
    role) counts before all that.

    Raises:
        Undecided: ``staff``: nobody was declared, and the file does not say who is who in at least one chat.
    """
    settled, open_chats = {}, 0
    for chat in survey.chats.values():
        sides: dict[str, Side] = {}
        for author in chat.authors.values():
            side = _side(chat, author, choices)
            if side is None:
                open_chats += 1
                break
            sides[author.key] = side
        settled[chat.key] = Settled(chat, sides, choices.time_zone, survey.facts)
    if open_chats:
        raise Undecided("staff", open_chats)
    return settled


def _side(chat: Chat, author: Author, choices: Choices) -> Side | None:
    if author.side is not None:
        return author.side
    if choices.is_staff(author):
        return "manager"
    if chat.kind == "private" and chat.customer_key is not None:
        return "customer" if author.key == chat.customer_key else "manager"
    return "customer" if choices.staff else None


def folded(name: str) -> str:
    r"""A name for comparing: compatibility forms, case, invisible marks and runs of blanks do not count.

    >>> folded("\u202a+7\u00a0701 000\u201100\u201100\u202c") == folded("+7 701 000-00-00")
    True
    """
    shown = "".join("-" if one in "\u2010\u2011" else one for one in name)
    kept = "".join(one for one in unicodedata.normalize("NFKC", shown) if unicodedata.category(one) != "Cf")
    return " ".join(kept.casefold().split())


def key_of(*parts: str) -> str:
    """A short stable key that shows nothing of a name: 16 hexadecimal digits of a hash of the folded parts.

    >>> key_of("Анна Петрова") == key_of(" анна  ПЕТРОВА"), len(key_of("x"))
    (True, 16)
    """
    # half of a pair of surrogates is no UTF-8, and stands in files all the same
    shown = "\x1f".join(folded(part) for part in parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(shown).hexdigest()[:16]
