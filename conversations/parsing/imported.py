"""Chats of imported files (WhatsApp, Telegram, tables): one parser, one small function of meaning per format.

Here: raw rows of the streams ``chats`` and ``messages`` as core records. Not here: what a body means in one format (the
``meaning`` function of its reader in ``conversations.imports``), how a file is read, who is a manager: that was settled
before the row was stored (``survey.settle``).

- A private chat belongs to its customer. A chat in which several customers write belongs to nobody in particular: who
  asks is known, and the whole chat is judged as one talk (flag ``several_customers``).
- A customer of a file is known within his chat alone, unless the format has ids of people: two people of one name are
  two people. A manager is one person in the whole connection.
- A chat of a file is no live channel: no week waits for its messages, so its channel is not active.
- Messages are ordered by time, and within one time by id (contract, section 1): a file's stamps are minutes or seconds,
  so the readers make ids that sort as the file does. Only a conversation without times is ordered by position.
- A deleted message keeps its effect and loses its text; nobody says when it was deleted (flag ``gone_at_source``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from conversations.imports.survey import CHATS, MESSAGES
from conversations.parsing.fields import Odd, identifier, instant, optional_text
from conversations.parsing.flags import EDITED_UNDATED, GONE_AT_SOURCE, NO_TIMES, SEVERAL_CUSTOMERS
from conversations.records import (
    Channel,
    ContentKind,
    Conversation,
    Customer,
    Direction,
    IdKind,
    Manager,
    Message,
    Quarantined,
    Record,
    SenderKind,
)
from conversations.source import RawRecord


class Meant(NamedTuple):
    """What one message of a file says, before it is known whose it is."""

    text: str | None
    content_kind: ContentKind = "text"
    is_system: bool = False
    """Nobody wrote it: a notice of the messenger."""
    is_deleted: bool = False
    is_edited: bool = False
    """The format says that it was edited; when, is ``edited_at`` where it is known."""
    edited_at: datetime | None = None
    call_answered: bool | None = None
    talk_seconds: int | None = None
    flags: tuple[str, ...] = ()


Meaning: TypeAlias = Callable[[Mapping[str, Any]], Meant]
"""The payload of a raw message to what it means; raises ``fields.Odd`` with the reason where it has none."""

_SIDES: dict[str, tuple[SenderKind, Direction]] = {
    "customer": ("customer", "in"),
    "manager": ("manager", "out"),
    "bot": ("bot", "out"),
}
_SYSTEM: tuple[SenderKind, Direction] = ("system", "none")


class ImportedParser:
    """Understands both streams of one kind of file.

    ``channel_kind`` is the messenger (``whatsapp``, ``telegram``, ``file``), ``channel_name`` its name for people.
    ``has_person_ids``: which keys of people are ids of the format and mean the same person in every chat; all, none, or
    those that a function finds. ``is_vendor_key``: which keys of chats and people the messenger gave out itself;
    without it none: a hash of a name, or of an id that may be a telephone number.
    """

    def __init__(
        self,
        channel_kind: str,
        channel_name: str,
        meaning: Meaning,
        *,
        has_person_ids: bool | Callable[[str], bool] = False,
        is_vendor_key: Callable[[str], bool] | None = None,
    ) -> None:
        self._kind = channel_kind
        self._name = channel_name
        self._meaning = meaning
        self._has_person_ids = has_person_ids
        self._is_vendor_key = is_vendor_key or (lambda _: False)
        self._parsers = {CHATS: self._chat, MESSAGES: self._message}

    def is_vendor_id(self, kind: IdKind, local: str) -> bool:
        """Of a message it is: a stamp and a place, or the messenger's number; core orders by it."""
        return kind == "message" or self._is_vendor_key(local)

    def parse(self, stream: str, row: RawRecord) -> Iterable[Record | Quarantined]:
        """Understand one row of one stream.

        Raises:
            KeyError: a stream that no file has.
        """
        parse = self._parsers[stream]
        try:
            return list(parse(row))
        except Odd as odd:
            event_at = instant(row.payload, "at")
            return [Quarantined(row.connection_id, stream, row.external_id, odd.reason, event_at)]

    def _chat(self, row: RawRecord) -> Iterator[Record]:
        connection, payload = row.connection_id, row.payload
        channel_id = self._channel_id(connection)
        people = payload.get("people")
        if not isinstance(people, list) or not all(isinstance(one, dict) for one in people):
            raise Odd("missing_field")
        customers = [one for one in people if one.get("side") == "customer"]
        yield Channel(channel_id, connection, self._kind, self._name, False)
        for one in people:
            if one.get("side") == "manager":
                name = optional_text(one, "name") or self._name
                yield Manager(self._manager_id(connection, identifier(one, "key")), connection, name, None, True)
        for one in customers:
            customer_id = self._customer_id(row.connection_id, row.external_id, identifier(one, "key"))
            yield Customer(customer_id, connection, optional_text(one, "name"), optional_text(one, "phone"), None)
        flags = {flag for flag in payload.get("flags") or () if isinstance(flag, str)}
        owner = None
        if len(customers) == 1:
            owner = self._customer_id(connection, row.external_id, identifier(customers[0], "key"))
        elif customers:
            flags.add(SEVERAL_CUSTOMERS)
        yield Conversation(
            conversation_id=self._conversation_id(connection, row.external_id),
            connection_id=connection,
            channel_id=channel_id,
            customer_id=owner,
            created_at=None,
            is_untimed=NO_TIMES in flags,
            flags=tuple(sorted(flags)),
        )

    def _message(self, row: RawRecord) -> Iterator[Record]:
        connection, payload = row.connection_id, row.payload
        if "problem" in payload:
            raise Odd(identifier(payload, "problem"))
        chat, side = identifier(payload, "chat"), optional_text(payload, "side")
        meant = self._meaning(payload)
        if meant.is_system or side == "system":
            sender_kind, direction = _SYSTEM
        elif side in _SIDES:
            sender_kind, direction = _SIDES[side]
        else:
            raise Odd("unmapped_sender")
        author = None if sender_kind == "system" else identifier(payload, "author")
        sent_at, position = self._sent_at(payload), payload.get("position")
        yield Message(
            conversation_id=self._conversation_id(connection, chat),
            message_id=row.external_id.removeprefix(f"{chat}:"),
            connection_id=connection,
            sent_at=sent_at,
            source_seq=position if sent_at is None and isinstance(position, int) else None,
            direction=direction,
            sender_kind=sender_kind,
            manager_id=self._manager_id(connection, author) if author and sender_kind == "manager" else None,
            customer_id=self._customer_id(connection, chat, author) if author and sender_kind == "customer" else None,
            is_public=sender_kind != "system",
            delivery_status="unknown",
            content_kind=meant.content_kind,
            text=None if meant.is_deleted else meant.text,
            edited_at=meant.edited_at,
            deleted_at=None,
            call_answered=meant.call_answered,
            talk_seconds=meant.talk_seconds,
            flags=_flags(meant),
        )

    def _sent_at(self, payload: Mapping[str, Any]) -> datetime | None:
        if payload.get("at") is None:
            return None
        found = instant(payload, "at")
        if found is None:
            raise Odd("bad_time")
        return found

    def _channel_id(self, connection: str) -> str:
        return f"{connection}:{self._kind}"

    def _conversation_id(self, connection: str, chat: str) -> str:
        return f"{connection}:{chat}"

    def _manager_id(self, connection: str, key: str) -> str:
        return f"{connection}:{key}"

    def _customer_id(self, connection: str, chat: str, key: str) -> str:
        known = self._has_person_ids
        is_person = known if isinstance(known, bool) else known(key)
        return f"{connection}:{key}" if is_person else f"{connection}:{chat}:{key}"


def _flags(meant: Meant) -> tuple[str, ...]:
    flags = set(meant.flags)
    if meant.is_deleted:
        flags.add(GONE_AT_SOURCE)
    if meant.is_edited and meant.edited_at is None:
        flags.add(EDITED_UNDATED)
    return tuple(sorted(flags))
