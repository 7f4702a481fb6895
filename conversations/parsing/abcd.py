"""The format ``abcd``: customer service talks with actions of the agent, one JSON array, one object per talk, no times.

Here: what the file's fields mean. Not here: reading the file (``resources.sources.files``). Origin of the shape:
github.com/asappresearch/abcd (2022, MIT), its sample file. ``original`` lists the turns as pairs of speaker and text:

- ``customer`` and ``agent`` write to each other; the agent is one nameless account of the file.
- ``action`` is what the agent did in the company's systems ("Purchase validation in progress ..."). The customer never
  saw it: an internal ``system`` row (contract, section 1), neither a question nor an answer.
- Nothing has a time. Every talk is *untimed* (flag ``no_times``): it stays in core, outside waits, sessions and weeks
  (contract, section 1 and ruling 15). The order of the file is kept as ``source_seq``; nothing is guessed.

The customer of a talk is known by the talk alone: two talks of one name need not be of one person. ``delexed``, the
same turns with placeholders, and the rest of ``scenario`` stay in the raw row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from conversations.parsing.flags import NO_TIMES
from conversations.records import (
    Channel,
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
from conversations.source import RawRecord, RawRow

STREAM = "conversations"

_SPEAKERS: dict[str, tuple[SenderKind, Direction]] = {
    "customer": ("customer", "in"),
    "agent": ("manager", "out"),
    "action": ("system", "none"),
}


def rows(document: Any) -> Iterator[RawRow]:
    """Split the file's document into raw rows, one per talk, keyed by ``convo_id``.

    Raises:
        ValueError: the document is not of this format; says at which talk.
    """
    if not isinstance(document, list):
        raise ValueError("the file is not a JSON array of conversations")
    for number, item in enumerate(document, 1):
        talk_id = item.get("convo_id") if isinstance(item, dict) else None
        if isinstance(talk_id, bool) or not isinstance(talk_id, int | str) or talk_id == "":
            raise ValueError(f"conversation {number} has no convo_id")
        yield RawRow(str(talk_id), item, None, None)


class AbcdParser:
    """One raw row is one talk: its channel, agent, customer and turns."""

    def is_vendor_id(self, kind: IdKind, local: str) -> bool:
        """All are made of the number of the talk in the data set."""
        return True

    def parse(self, stream: str, row: RawRecord) -> Iterable[Record | Quarantined]:
        """Understand one row; a talk that cannot be understood is quarantined as a whole."""
        turns = row.payload.get("original")
        reason = _what_is_odd(turns)
        if reason is not None or not isinstance(turns, list):
            return [Quarantined(row.connection_id, stream, row.external_id, reason or "no_messages", None)]
        return list(_records(row, turns))


def _what_is_odd(turns: Any) -> str | None:
    """The code of what keeps the talk from being understood."""
    if not isinstance(turns, list) or not turns:
        return "no_messages"
    for turn in turns:
        if not isinstance(turn, list) or len(turn) != 2 or not all(isinstance(part, str) for part in turn):
            return "bad_message"
        if turn[0] not in _SPEAKERS:
            return "unmapped_sender"
    return None


def _records(row: RawRecord, turns: list[list[str]]) -> Iterator[Record]:
    connection = row.connection_id
    channel_id, manager_id = f"{connection}:file", f"{connection}:agent"
    conversation_id = customer_id = f"{connection}:{row.external_id}"
    # a file is no live channel: no week waits for its messages
    yield Channel(channel_id, connection, "file", "ABCD", False)
    yield Manager(manager_id, connection, "ABCD agent", None, True)
    yield Customer(customer_id, connection, _personal(row, "customer_name"), _personal(row, "phone"), None)
    yield Conversation(conversation_id, connection, channel_id, customer_id, None, True, (NO_TIMES,))
    for number, (speaker, text) in enumerate(turns, 1):
        sender_kind, direction = _SPEAKERS[speaker]
        yield Message(
            conversation_id=conversation_id,
            message_id=str(number),
            connection_id=connection,
            sent_at=None,
            source_seq=number,
            direction=direction,
            sender_kind=sender_kind,
            manager_id=manager_id if sender_kind == "manager" else None,
            customer_id=customer_id if sender_kind == "customer" else None,
            is_public=sender_kind != "system",
            delivery_status="unknown",
            content_kind="text",
            text=text,
            edited_at=None,
            deleted_at=None,
            call_answered=None,
            talk_seconds=None,
            flags=(),
        )


def _personal(row: RawRecord, field: str) -> str | None:
    scenario = row.payload.get("scenario")
    personal = scenario.get("personal") if isinstance(scenario, dict) else None
    value = personal.get(field) if isinstance(personal, dict) else None
    return value if isinstance(value, str) and value else None
