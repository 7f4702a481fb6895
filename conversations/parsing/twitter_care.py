"""The format ``twitter-care``: support conversations on Twitter, one JSON array, one object per conversation.

Here: what the file's fields mean. Not here: reading the file (``resources.sources.files``). Origin of the shape:
github.com/IBM/twitter-customer-care-document-prediction (2020). Its quirks, each with a fixture of its name:

- ``dialogContent`` lists the messages before the final reply; the role is the *key* that holds the author's handle:
  ``client``, ``agent``, or ``client1`` for a second customer who joined the thread (flag ``second_customer``).
- The final reply stands in ``agentURL.url_utterance`` and has no time of its own: start of the conversation plus
  ``dialogHeader.duration``. That duration lost its days (it is the difference of two times of day): in some
  conversations it is negative, in others the final reply seems to precede the message before it.
- A negative duration makes the reply impossible, its time is unknown, and the conversation is *untimed* (contract,
  section 1 and ruling 15): it stays in core with both flags, outside waits and reply times. Nothing is guessed.
- The file knows the order of the messages, so they carry ``source_seq``: where an earlier reply of the agent exists,
  that one is the first reply whatever the time of the final one.

The agent is the company's account; no person is named. It is the conversation's channel account and its manager.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from conversations.parsing.flags import NEGATIVE_REPLY_TIME, REPLY_BEFORE_LAST_MESSAGE, SECOND_CUSTOMER
from conversations.records import (
    Channel,
    Conversation,
    Customer,
    IdKind,
    Manager,
    Message,
    Quarantined,
    Record,
    SenderKind,
)
from conversations.source import RawRecord, RawRow

STREAM = "conversations"

_DURATION = re.compile(r"(?P<sign>-?)(?P<hours>\d+):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d)(?:\.\d*)?")
_ROLES: tuple[tuple[str, SenderKind], ...] = (("client", "customer"), ("agent", "manager"), ("client1", "customer"))


def rows(document: Any) -> Iterator[RawRow]:
    """Split the file's document into raw rows, one per conversation, keyed by ``dialogHeader.sessionID``.

    Raises:
        ValueError: the document is not of this format; says at which conversation.
    """
    if not isinstance(document, list):
        raise ValueError("the file is not a JSON array of conversations")
    for number, item in enumerate(document, 1):
        header = item.get("dialogHeader") if isinstance(item, dict) else None
        session = header.get("sessionID") if isinstance(header, dict) else None
        if not isinstance(session, str) or not session:
            raise ValueError(f"conversation {number} has no dialogHeader.sessionID")
        yield RawRow(session, item, _instant(header.get("conversationDateTime")), None)


class TwitterCareParser:
    """One raw row is one conversation: its channel, manager, customers and messages."""

    def is_vendor_id(self, kind: IdKind, local: str) -> bool:
        """A customer is known by his handle, which is a name; the rest are numbers of the data set."""
        return kind != "customer"

    def parse(self, stream: str, row: RawRecord) -> Iterable[Record | Quarantined]:
        """Understand one row; a conversation that cannot be understood is quarantined as a whole."""
        try:
            return list(_records(row))
        except _Odd as odd:
            return [Quarantined(row.connection_id, stream, row.external_id, odd.reason, None)]


class _Odd(Exception):
    """The row cannot be understood; ``reason`` is its code."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def reply_delay(duration: str) -> timedelta:
    """Read ``dialogHeader.duration``.

    Raises:
        ValueError: not a duration.

    >>> reply_delay("01:26:55.0"), reply_delay("-12:14:20.") < timedelta(0)
    (datetime.timedelta(seconds=5215), True)
    """
    found = _DURATION.fullmatch(duration)
    if not found:
        raise ValueError("not a duration like 01:26:55.0")
    delay = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"]), seconds=int(found["seconds"]))
    return -delay if found["sign"] else delay


def _records(row: RawRecord) -> Iterator[Record]:
    connection = row.connection_id
    header, final = _mapping(row.payload, "dialogHeader"), _mapping(row.payload, "agentURL")
    content = row.payload.get("dialogContent")
    if not isinstance(content, list) or not content:
        raise _Odd("no_messages")
    company, started = _text(header, "company"), _instant(header.get("conversationDateTime"))
    if started is None:
        raise _Odd("bad_time")
    try:
        delay = reply_delay(_text(header, "duration"))
    except ValueError:
        raise _Odd("bad_duration") from None

    channel_id = manager_id = f"{connection}:{company}"
    conversation_id = f"{connection}:{row.external_id}"
    turns = [_turn(item) for item in content]
    opener = next((handle for role, handle, *_ in turns if role == "client"), None)
    flags: list[str] = []
    if delay < timedelta(0):
        flags.append(NEGATIVE_REPLY_TIME)
    if any(role == "client1" for role, *_ in turns):
        flags.append(SECOND_CUSTOMER)

    yield Channel(channel_id, connection, "twitter", company, True)
    yield Manager(manager_id, connection, company, None, True)
    for handle in dict.fromkeys(handle for role, handle, *_ in turns if role != "agent"):
        yield Customer(f"{connection}:{handle}", connection, handle, None, None)
    yield Conversation(
        conversation_id,
        connection,
        channel_id,
        f"{connection}:{opener}" if opener else None,
        started,
        NEGATIVE_REPLY_TIME in flags,
        tuple(flags),
    )
    for number, (role, handle, tweet_id, sent_at, text) in enumerate(turns, 1):
        is_agent = role == "agent"
        yield Message(
            conversation_id=conversation_id,
            message_id=tweet_id,
            connection_id=connection,
            sent_at=sent_at,
            source_seq=number,
            direction="out" if is_agent else "in",
            sender_kind=dict(_ROLES)[role],
            manager_id=manager_id if is_agent else None,
            customer_id=None if is_agent else f"{connection}:{handle}",
            is_public=True,
            delivery_status="sent",
            content_kind="text",
            text=text,
            edited_at=None,
            deleted_at=None,
            call_answered=None,
            talk_seconds=None,
            flags=(SECOND_CUSTOMER,) if role == "client1" else (),
        )
    yield _final_reply(
        final, conversation_id, connection, manager_id, len(turns) + 1, started + delay, turns[-1][3], flags
    )


def _final_reply(
    final: Mapping[str, Any],
    conversation_id: str,
    connection: str,
    manager_id: str,
    number: int,
    sent_at: datetime,
    previous: datetime,
    flags: list[str],
) -> Message:
    is_impossible = NEGATIVE_REPLY_TIME in flags
    odd: tuple[str, ...] = ()
    if is_impossible:
        odd = (NEGATIVE_REPLY_TIME,)
    elif sent_at < previous:
        odd = (REPLY_BEFORE_LAST_MESSAGE,)
    return Message(
        conversation_id=conversation_id,
        message_id=_text(final, "tweet_ID"),
        connection_id=connection,
        sent_at=None if is_impossible else sent_at,
        source_seq=number,
        direction="out",
        sender_kind="manager",
        manager_id=manager_id,
        customer_id=None,
        is_public=True,
        delivery_status="sent",
        content_kind="text",
        text=_text(final, "url_utterance"),
        edited_at=None,
        deleted_at=None,
        call_answered=None,
        talk_seconds=None,
        flags=odd,
    )


def _turn(item: Any) -> tuple[str, str, str, datetime, str]:
    """Role, handle, tweet id, instant and text of one listed message."""
    if not isinstance(item, dict):
        raise _Odd("bad_message")
    role = next((name for name, _ in _ROLES if name in item), None)
    if role is None:
        raise _Odd("unmapped_sender")
    sent_at = _instant(item.get("datetime"))
    if sent_at is None:
        raise _Odd("bad_time")
    return role, _text(item, role), _text(item, "tweet_ID"), sent_at, _text(item, "message")


def _mapping(payload: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    value = payload.get(field)
    if not isinstance(value, dict):
        raise _Odd("missing_field")
    return value


def _text(payload: Mapping[str, Any], field: str) -> str:
    value = payload.get(field)
    if not isinstance(value, str) or not value:
        raise _Odd("missing_field")
    return value


def _instant(text: Any) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return instant.astimezone(UTC) if instant.tzinfo is not None else None
