"""A few words to write down a conversation in a test and have it judged.

Times are Moscow time in the week of Monday 2026-04-27: ``"10:00"`` is Monday, ``"Tue 10:00:05"``, ``"+1 Mon 09:00"``
the Monday after, ``"2026-05-02 10:20"`` as it says.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from conversations.evaluate import Rules, compile_policy, evaluate
from conversations.policy import Policy
from conversations.restart import Carry
from conversations.timeline import SECOND, Chat, Contact, Evaluation, TimedEvent, TimedMessage, Wait

MOSCOW = ZoneInfo("Europe/Moscow")
MONDAY = date(2026, 4, 27)
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

K = """
calendars:
  K:
    time_zone: Europe/Moscow
    weekly:
      mon: &workday ["09:00-13:00", "14:00-18:00"]
      tue: *workday
      wed: *workday
      thu: *workday
      fri: *workday
      sat: ["10:00-15:00"]
    exceptions:
      2026-04-30: ["09:00-13:00", "14:00-17:00"]
      2026-05-01: closed
"""
"""The contract's example calendar."""

ROUND_THE_CLOCK = """
calendars:
  always:
    time_zone: Europe/Moscow
    weekly: {mon: &d ["00:00-24:00"], tue: *d, wed: *d, thu: *d, fri: *d, sat: *d, sun: *d}
organisation: {calendar: always}
"""


def instant(text: str) -> int:
    """Microseconds since 1970 of a test's time."""
    parts = text.split()
    weeks = int(parts.pop(0)) if parts[0].startswith("+") else 0
    if len(parts) == 1:
        day = MONDAY
    elif parts[0] in DAYS:
        day = MONDAY + timedelta(days=DAYS.index(parts[0]))
    else:
        day = date.fromisoformat(parts[0])
    local = datetime.combine(day + timedelta(weeks=weeks), time.fromisoformat(parts[-1]), MOSCOW)
    return round(local.timestamp() * SECOND)


def policy(text: str = ROUND_THE_CLOCK, **changes: Any) -> Policy:
    """A policy from YAML with some of its settings replaced."""
    parsed = Policy.parse(text)
    return Policy.model_validate(parsed.model_dump() | changes)


def rules(text: str = ROUND_THE_CLOCK, teams: dict[str, str | None] | None = None, **changes: Any) -> Rules:
    """``policy`` made ready."""
    return compile_policy(policy(text, **changes), teams or {})


class Talk:
    """One customer's chats, written down line by line."""

    def __init__(self, chat: str = "c", kind: str = "telegram", account: str = "acc") -> None:
        self.chats: dict[str, Chat] = {}
        self.messages: list[TimedMessage] = []
        self.events: list[TimedEvent] = []
        self.chat(chat, kind, account)

    def chat(self, name: str, kind: str = "telegram", account: str = "acc", is_untimed: bool = False) -> Talk:
        """Go on in this chat."""
        self.chats.setdefault(name, Chat(name, account, kind, is_untimed))
        self.here = name
        return self

    def say(self, sender: str, at: str | None, text: str | None = "Есть вопрос", **fields: Any) -> Talk:
        """Add a message; ids are m1, m2, ... in the order of writing."""
        sent_at = None if at is None else instant(at)
        message = TimedMessage(
            conversation_id=self.here,
            message_id=fields.pop("id", f"m{len(self.messages) + 1:02}"),
            source_seq=fields.pop("seq", None),
            sent_at=sent_at,
            ingested_at=fields.pop("ingested_at", sent_at or 0),
            direction="in" if sender == "customer" else "none" if sender == "note" else "out",
            sender_kind=sender,
            manager_id=fields.pop("by", None),
            is_public=sender != "note",
            delivery_status=fields.pop("status", "delivered"),
            content_kind=fields.pop("kind", "text"),
            edited_at=None,
            deleted_at=instant(fields.pop("deleted")) if "deleted" in fields else None,
            text=text,
            call_answered=None,
            talk_seconds=None,
        )
        self.messages.append(message._replace(**fields))
        return self

    def customer(self, at: str | None, text: str | None = "Есть вопрос", **fields: Any) -> Talk:
        return self.say("customer", at, text, **fields)

    def manager(self, at: str, by: str | None = "A", **fields: Any) -> Talk:
        return self.say("manager", at, None, by=by, **fields)

    def bot(self, at: str, **fields: Any) -> Talk:
        return self.say("bot", at, None, **fields)

    def call(self, at: str, sender: str, answered: bool | None, **fields: Any) -> Talk:
        return self.say(sender, at, None, kind="call", call_answered=answered, **fields)

    def event(self, at: str, kind: str, manager: str | None = None) -> Talk:
        self.events.append(TimedEvent(self.here, f"e{len(self.events) + 1:02}", instant(at), kind, manager))
        return self

    @property
    def contact(self) -> Contact:
        return Contact(tuple(self.chats.values()), self.messages, self.events)

    def judge(self, rules: Rules, as_of: str = "+8 Mon 00:00", carry: Carry | None = None) -> Evaluation:
        return evaluate(self.contact, rules, instant(as_of), carry)

    def wait(self, rules: Rules, as_of: str = "+8 Mon 00:00") -> Wait:
        """The only wait."""
        (wait,) = self.judge(rules, as_of).waits
        return wait


def on_k(**defaults: int) -> Rules:
    """Rules on calendar K."""
    return rules(K, organisation={"calendar": "K"}, defaults=defaults)
