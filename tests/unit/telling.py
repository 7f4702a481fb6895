"""A small language for the worked examples: who wrote when, on which calendar, and what the judges say of it.

Here: helpers of ``test_contract_examples`` and ``test_contract_rulings``. Not here: expected values.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from conversations.timeline import Chat, Contact, Evaluation, Instant, TimedEvent, TimedMessage, Wait
from tests.oracle.policy import CalendarVersion, ChannelSettings, OraclePolicy
from tests.unit.judging import Judge, at, message

WEEKDAY = ((540, 780), (840, 1080))
K = CalendarVersion(
    "Europe/Moscow",
    (WEEKDAY, WEEKDAY, WEEKDAY, WEEKDAY, WEEKDAY, ((600, 900),), ()),
    {date(2026, 4, 30): ((540, 780), (840, 1020)), date(2026, 5, 1): ()},
)
ALMATY = CalendarVersion("Asia/Almaty", (((540, 1080),),) * 7)
ROUND_THE_CLOCK = CalendarVersion("Europe/Moscow", (((0, 1440),),) * 7)

ON_K = OraclePolicy(calendars={"K": (K,)}, organisation_calendars=((None, "K"),))
AROUND = OraclePolicy(calendars={"24/7": (ROUND_THE_CLOCK,)}, organisation_calendars=((None, "24/7"),))
"""Calendar minutes equal business minutes, as section 4.5 supposes."""

CHAT = Chat("chat", "account", "whatsapp", False)
QUESTION = "Сколько стоит доставка?"
LATER = at("2026-06-30 12:00")


def customer(when: str, text: str | None = QUESTION, **fields: Any) -> TimedMessage:
    return row(when, "customer", text=text, **fields)


def manager(when: str, who: str = "anna", **fields: Any) -> TimedMessage:
    return row(when, "manager", manager_id=who, **fields)


def call(when: str, who: str | None, answered: bool, sender: str = "manager", **fields: Any) -> TimedMessage:
    return row(when, sender, manager_id=who, content_kind="call", call_answered=answered, text=None, **fields)


def row(when: str, sender: str, **fields: Any) -> TimedMessage:
    chat = fields.pop("chat", "chat")
    zone = fields.pop("zone", "Europe/Moscow")
    return message(chat, f"{sender} {when}", moment(when, zone), sender, **fields)


def moment(when: str, zone: str = "Europe/Moscow") -> Instant:
    """``10:00`` means Monday, 4 May 2026: an ordinary day on every calendar here."""
    return at(when if "-" in when else f"2026-05-04 {when}", zone)


def event(when: str, kind: str, who: str | None = None) -> TimedEvent:
    return TimedEvent("chat", f"{kind} {when} {who}", moment(when), kind, who)


def tell(
    judge: Judge,
    *rows: TimedMessage | TimedEvent,
    policy: OraclePolicy = AROUND,
    as_of: Instant = LATER,
    chats: tuple[Chat, ...] = (CHAT,),
) -> Evaluation:
    messages = [one for one in rows if isinstance(one, TimedMessage)]
    events = [one for one in rows if isinstance(one, TimedEvent)]
    return judge(Contact(chats, messages, events), policy, as_of)


def only_wait(judged: Evaluation) -> Wait:
    assert len(judged.waits) == 1
    return judged.waits[0]


def in_order(judged: Evaluation) -> list[Wait]:
    return sorted(judged.waits, key=lambda wait: wait.opened_at)


def with_channel(policy: OraclePolicy = AROUND, **settings: Any) -> OraclePolicy:
    return replace(policy, channels={"whatsapp": (ChannelSettings(**settings),)})
