"""What the shop consists of, and what of it can be seen at a moment of its own clock.

Here: plain rows and visibility (created later, edited later, deleted, delivery failed later). Not here: how a talk
comes about (``talks``), how a vendor's API spells a row (``tests.emulators.retailcrm_bot``, ``retailcrm_v5``).

Times are integers, microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
ZONE = "Europe/Moscow"
LABEL = "Выдуманный магазин «Тёплый край»: люди, номера и переписка придуманы для показа"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment: datetime) -> int:
    """Microseconds since the epoch of an aware moment, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(at: int) -> datetime:
    """The aware UTC moment of microseconds since the epoch."""
    return _EPOCH + timedelta(microseconds=at)


@dataclass(slots=True)
class Channel:
    """One account of a messenger."""

    id: int
    type: str
    name: str
    created: int
    active: bool = True


@dataclass(slots=True)
class User:
    """A manager: a user of the CRM and, with ``id``, of its messenger gateway."""

    id: int
    crm_id: int
    first_name: str
    last_name: str
    group: str
    created: int
    active: bool = True
    is_manager: bool = True

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(slots=True)
class Bot:
    """A program that writes to customers: the consultant of the shop or its answering machine."""

    id: int
    name: str
    created: int
    roles: tuple[str, ...] = ("responsible",)


@dataclass(slots=True)
class Customer:
    """A customer of one channel account; ``crm_id`` where the CRM knows him too."""

    id: int
    channel: Channel
    first_name: str
    last_name: str
    phone: str | None
    nick: str | None
    created: int
    language: str = "ru"
    crm_id: int | None = None
    orders: list[Order] = field(default_factory=list, repr=False)
    is_male: bool = False

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(slots=True)
class Chat:
    """One customer in one channel, as long as they know each other."""

    id: int
    channel: Channel
    customer: Customer
    created: int
    messages: list[Message] = field(default_factory=list, repr=False)

    def last_message(self, clock: int) -> Message | None:
        """The newest message that can be seen at ``clock``."""
        return next((m for m in reversed(self.messages) if m.is_visible(clock)), None)


@dataclass(slots=True)
class Dialog:
    """One matter inside a chat: begun, assigned, closed."""

    id: int
    chat: Chat
    created: int
    closed: int | None = None
    assigns: list[tuple[int, str | None, int | None]] = field(default_factory=list)
    """Assignments in order: moment, ``user`` or ``bot`` or ``None`` (nobody), id."""
    messages: list[Message] = field(default_factory=list, repr=False)
    is_mass: bool = False


@dataclass(slots=True)
class Message:
    """One message of a chat or one line that the gateway wrote about it."""

    id: int
    chat: Chat = field(repr=False)
    dialog: Dialog = field(repr=False)
    time: int
    created: int
    type: str
    scope: str
    sender: Literal["customer", "user", "bot"] | None
    sender_id: int | None
    content: str | None
    action: str | None = None
    responsible: tuple[str, int] | None = None
    actor_id: int | None = None
    deleted: int | None = None
    edits: tuple[tuple[int, str], ...] = ()
    failed: int | None = None
    error: str | None = None
    quoted: Message | None = field(default=None, repr=False)
    items: tuple[dict[str, Any], ...] = ()
    extra: dict[str, Any] | None = None
    """Body of an ``order`` or ``product`` message."""
    is_mass: bool = False

    def is_visible(self, clock: int) -> bool:
        return self.created <= clock and (self.deleted is None or self.deleted > clock)

    def text(self, clock: int) -> str | None:
        """The text of the version that is current at ``clock``."""
        content = self.content
        for at, text in self.edits:
            if at <= clock:
                content = text
        return content

    def updated(self, clock: int) -> int:
        """When the row last changed before ``clock``."""
        at = self.created
        for edited, _ in self.edits:
            if edited <= clock:
                at = max(at, edited)
        if self.failed is not None and self.failed <= clock:
            at = max(at, self.failed)
        return at


@dataclass(slots=True)
class Order:
    """One order in the CRM, with the moments of its life."""

    id: int
    number: str
    created: int
    customer: Customer
    user: User
    dialog: Dialog | None
    items: list[dict[str, Any]]
    total: int
    currency: str
    history: list[tuple[int, str, Any]] = field(default_factory=list)
    """Changes in order: moment, field (``status``, ``payment``), new value."""


@dataclass
class Shop:
    """The whole shop. Rows of each list are in ascending order of id."""

    seed: int
    monday: date
    weeks: int
    clock: int
    """Now, by the shop's own clock: what is later cannot be seen yet."""
    time_zone: str = ZONE
    label: str = LABEL
    channels: list[Channel] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    bots: list[Bot] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    chats: list[Chat] = field(default_factory=list)
    dialogs: list[Dialog] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    cases: Counter[str] = field(default_factory=Counter)
    """How often the generator meant each case to happen."""
    version: int = 0
    """Grows with every change made while serving."""
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @classmethod
    def demo(cls, seed: int = 1, monday: date | None = None, weeks: int = 6) -> Shop:
        """The shop of the demo: thousands of chats over ``weeks`` weeks that end before ``monday``."""
        from tests.emulators.shop.generate import generate

        return generate(seed, monday or last_monday(), weeks)

    @classmethod
    def tiny(cls, seed: int = 1, monday: date | None = None, messages: int = 120) -> Shop:
        """A few chats of one week, every kind of row at least once."""
        from tests.emulators.shop.tiny import tiny

        return tiny(seed, monday or date(2026, 3, 9), messages)

    @classmethod
    def many_equal_times(cls, n: int = 2500, monday: date | None = None) -> Shop:
        """``n`` messages that all bear one and the same time."""
        from tests.emulators.shop.tiny import many_equal_times

        return many_equal_times(n, monday or date(2026, 3, 9))

    def set_clock(self, moment: datetime) -> None:
        """Move the shop's clock, in either direction."""
        with self.lock:
            self.clock = micros(moment)
            self.version += 1

    def message(self, message_id: int) -> Message:
        """The message of an id.

        Raises:
            KeyError: there is none.
        """
        for found in self.messages:
            if found.id == message_id:
                return found
        raise KeyError(message_id)

    def insert_message(self, chat_id: int, moment: datetime, text: str, sender: str = "customer") -> Message:
        """Add a message now that happened at ``moment``: it gets the next id, as one that arrives late does."""
        with self.lock:
            chat = next(c for c in self.chats if c.id == chat_id)
            sender_id = (
                chat.customer.id if sender == "customer" else (self.users if sender == "user" else self.bots)[0].id
            )
            dialog = next(d for d in reversed(self.dialogs) if d.chat is chat)
            message = Message(
                self.messages[-1].id + 1,
                chat,
                dialog,
                micros(moment),
                min(self.clock, max(micros(moment), self.clock)),
                "text",
                "public",
                sender,
                sender_id,
                text,
            )
            self.messages.append(message)
            chat.messages.append(message)
            dialog.messages.append(message)
            self.version += 1
            return message

    def edit_message(self, message_id: int, text: str) -> None:
        """Give a message another text, now."""
        with self.lock:
            message = self.message(message_id)
            message.edits = (*message.edits, (self.clock, text))
            self.version += 1

    def delete_message(self, message_id: int) -> None:
        """Delete a message, now."""
        with self.lock:
            self.message(message_id).deleted = self.clock
            self.version += 1

    def fail_message(self, message_id: int, code: str = "undeliverable") -> None:
        """Let the delivery of a message turn out as failed, now."""
        with self.lock:
            message = self.message(message_id)
            message.failed, message.error = self.clock, code
            self.version += 1


def last_monday(today: date | None = None) -> date:
    """The Monday after the last closed ISO week, by the shop's local date."""
    from zoneinfo import ZoneInfo

    day = today or datetime.now(ZoneInfo(ZONE)).date()
    return day - timedelta(days=day.weekday())
