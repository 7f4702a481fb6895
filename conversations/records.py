"""Frozen records: what the platform knows after a vendor's payload has been understood.

Here: the shapes that parsers produce and that the core tables store, one class per table. Not here: how a payload is
read (``conversations.parsing``), how a conversation is judged (``conversations.waits``).

All instants are timezone-aware ``datetime`` in UTC. Ids are text, whatever the vendor uses. The closed vocabularies
follow the metric contract, section 1; a word outside them never gets into a record, the row is quarantined instead.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

SenderKind: TypeAlias = Literal["customer", "manager", "bot", "autoreply", "system", "campaign", "note"]
Direction: TypeAlias = Literal["in", "out", "none"]
DeliveryStatus: TypeAlias = Literal["sent", "delivered", "read", "failed", "unknown"]
ContentKind: TypeAlias = Literal["text", "media", "sticker", "reaction", "call", "template", "payment_link"]
EventKind: TypeAlias = Literal["assigned", "handoff", "closed", "no_reply_needed"]
IdKind: TypeAlias = Literal["customer", "conversation", "call", "message"]
"""What an id is of that could tell who a customer is."""


class Channel(NamedTuple):
    """One channel account (one WhatsApp number, one Instagram page) of a connection. Key: ``channel_id``."""

    channel_id: str
    connection_id: str
    kind: str
    """Messenger or medium: ``whatsapp``, ``instagram``, ``telegram``, ``twitter`` ..."""
    name: str
    is_active: bool


class Manager(NamedTuple):
    """A person who answers customers, as one source knows him. Key: ``manager_id``."""

    manager_id: str
    connection_id: str
    name: str
    team_id: str | None
    is_active: bool


class Customer(NamedTuple):
    """A customer of one channel account. Key: ``customer_id``. Holds personal data."""

    customer_id: str
    connection_id: str
    name: str | None
    phone: str | None
    created_at: datetime | None


class Conversation(NamedTuple):
    """One chat of one customer in one channel account, as long as the chat lives. Key: ``conversation_id``."""

    conversation_id: str
    connection_id: str
    channel_id: str
    customer_id: str | None
    created_at: datetime | None
    is_untimed: bool
    """Messages without times: kept, but outside waits and weeks (contract, section 1)."""
    flags: tuple[str, ...]
    """Reason codes of what was odd about the conversation, e.g. ``negative_reply_time``."""


class Message(NamedTuple):
    """One message or call in a conversation. Key: ``(conversation_id, message_id)``."""

    conversation_id: str
    message_id: str
    connection_id: str
    sent_at: datetime | None
    source_seq: int | None
    """The channel's own order, where it has one (contract, ruling 1)."""
    direction: Direction
    sender_kind: SenderKind
    manager_id: str | None
    customer_id: str | None
    is_public: bool
    delivery_status: DeliveryStatus
    content_kind: ContentKind
    text: str | None
    edited_at: datetime | None
    deleted_at: datetime | None
    call_answered: bool | None
    talk_seconds: int | None
    flags: tuple[str, ...]


class Event(NamedTuple):
    """Something dated that happened to a conversation and is no message. Key: ``(conversation_id, event_id)``."""

    conversation_id: str
    event_id: str
    connection_id: str
    kind: EventKind
    at: datetime
    manager_id: str | None
    """The new assignee of ``assigned`` (``None``: nobody), the marking person of ``no_reply_needed``."""


class Order(NamedTuple):
    """One order in the CRM. Key: ``order_id``. Amounts in minor units of ``currency``."""

    order_id: str
    connection_id: str
    number: str
    status: str
    customer_id: str | None
    manager_id: str | None
    total_minor: int | None
    currency: str | None
    created_at: datetime
    paid_at: datetime | None


class Call(NamedTuple):
    """One telephone call, a segment where a transfer cut it in several. Key: ``call_id``.

    The same call is a ``Message`` of kind ``call`` in the conversation with that customer: waits are judged there.
    """

    call_id: str
    connection_id: str
    communication_id: str | None
    """What the vendor holds together the segments of one communication by."""
    conversation_id: str
    message_id: str
    """The message that the call is in its conversation."""
    channel_id: str
    operator_id: str | None
    """Connection and the vendor's id of the employee: ``manager_id`` of core.managers."""
    customer_id: str | None
    agent_group: str | None
    """The group in whose list it was found."""
    direction: Literal["in", "out"]
    started_at: datetime
    ended_at: datetime | None
    talk_seconds: int | None
    is_answered: bool | None
    is_internal: bool
    """Among colleagues."""
    flags: tuple[str, ...]
    operator_login: str | None = None
    """The operator's other name at the vendor: the directory of operators may know him by it."""


class CallTranscript(NamedTuple):
    """What was said in a call. Key: ``call_id``. Holds content."""

    call_id: str
    connection_id: str
    state: Literal["ready", "pending", "no_speech"]
    phrases: str | None
    """JSON array of ``{"n", "speaker", "text", "start", "end"}`` in order: ``n`` from 0, speaker ``manager``,
    ``customer`` or ``unknown``, times in seconds or null. ``None`` unless ready. Text: a record is hashable."""
    language: str | None
    speakers: Literal["as_labelled", "swapped", "doubtful"]
    """swapped: the labels were the wrong way round and have been put right; doubtful: they may be, nothing was done."""
    flags: tuple[str, ...]


class Quarantined(NamedTuple):
    """A raw row that could not be understood: its address and a reason code, never its content."""

    connection_id: str
    stream: str
    external_id: str
    reason: str
    event_at: datetime | None


Record: TypeAlias = Channel | Manager | Customer | Conversation | Message | Event | Order | Call | CallTranscript
