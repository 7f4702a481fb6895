"""Evaluating from a restart point gives what evaluating from the beginning gives."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.evaluate import Rules, evaluate
from conversations.lexicon import Lexicon
from conversations.restart import Restart, find_restart
from conversations.timeline import SECOND, Contact, Evaluation, TimedEvent, TimedMessage
from conversations.words import Words
from tests.unit.talk import Talk, instant, rules

RULES = [
    rules(),
    rules(channels={"telegram": {"bot_can_resolve": True}, "other": {"hard_window_hours": 20}}),
    rules("{}", session_idle_hours=5, late_reply_days=1, new_contact_days=3, defaults={"no_reply_limit_minutes": 200}),
]
BEGIN = instant("10:00")
KINDS = ["customer", "manager", "bot", "campaign", "autoreply", "note", "event"]
TEXTS = ["Есть вопрос", "спасибо", "позовите оператора", "ок", "сколько стоит куртка?", "не надо", "я оплатила"]
REPLIES = ["Здравствуйте!", "Куртка 7990 ₽", "Какой размер вам нужен?", "Оформляем заказ?", "Хорошего дня"]
WORDS = Words(Lexicon.default())


def history(seed: int, size: int) -> Contact:
    """Any mixture of what can happen in up to three chats of one customer."""
    chance = random.Random(seed)
    talk = Talk("a").chat("b", "other").chat("c", "other", account="elsewhere")
    at = BEGIN
    for number in range(size):
        talk.chat(chance.choice("aaaabbc"))
        at += chance.choice([1, 5, 40, 300, 900, 3600, 4 * 3600, 25 * 3600, 60 * 3600]) * SECOND
        at += chance.choice([0, 0, 700_000])
        kind = chance.choices(KINDS, [9, 8, 2, 1, 1, 1, 4])[0]
        if kind == "event":
            what = chance.choice(["assigned", "assigned", "closed", "closed", "handoff", "no_reply_needed"])
            manager = chance.choice(["A", "B", None])
            talk.events.append(TimedEvent(talk.here, f"e{number:03}", at, what, manager))
            continue
        form = chance.choices(["text", "call", "reaction", "failed", "deleted"], [12, 2, 1, 1, 2])[0]
        talk.messages.append(
            TimedMessage(
                talk.here, f"m{number:03}", None, at, at, "in" if kind == "customer" else "out", kind,
                chance.choice(["A", "B"]) if kind == "manager" else None, kind != "note",
                "failed" if form == "failed" and kind != "customer" else "delivered",
                form if form in ("call", "reaction") else "text", None,
                at + chance.choice([10, 70, 5000]) * SECOND if form == "deleted" else None,
                chance.choice(TEXTS if kind == "customer" else REPLIES), chance.choice([True, False, None]),
                chance.choice([None, 19, 20]),
            )
        )  # fmt: skip
    return talk.contact


def times(contact: Contact) -> list[int]:
    return sorted([message.sent_at or 0 for message in contact.messages] + [event.at for event in contact.events])


def rest(contact: Contact, restart: Restart) -> Contact:
    """What ``conversations.restart`` says has to be read."""
    messages = [
        message
        for message in contact.messages
        if (message.sent_at, message.message_id) > restart.read_after.get(message.conversation_id, (0, ""))
    ]
    events = [event for event in contact.events if event.at >= restart.at]
    for chat in contact.chats:
        assigned = [
            event
            for event in contact.events
            if event.conversation_id == chat.conversation_id and event.kind == "assigned" and event.at < restart.at
        ]
        events += sorted(assigned, key=lambda event: (event.at, event.event_id))[-1:]
    return Contact(contact.chats, messages, events)


def spliced(stored: Evaluation, restart: Restart, fresh: Evaluation) -> list[Sequence[object]]:
    kept = {session.session_id for session in stored.sessions if session.started_at < restart.at}
    waits = [wait for wait in stored.waits if wait.session_id in kept]
    kept_waits = {wait.wait_id for wait in waits}
    left = [row for row in stored.left_waiting if row.wait_id in kept_waits]
    sessions = [session for session in stored.sessions if session.session_id in kept]
    behaviour = [row for row in stored.behaviour if row.session_id in kept]
    advice = [row for row in stored.advice if row.session_id in kept]
    return in_order(
        Evaluation(
            waits + fresh.waits,
            sessions + fresh.sessions,
            left + fresh.left_waiting,
            behaviour + fresh.behaviour,
            advice + fresh.advice,
        )
    )


def in_order(judged: Evaluation) -> list[Sequence[object]]:
    return [
        sorted(judged.waits),
        sorted(judged.sessions, key=str),
        sorted(judged.left_waiting),
        sorted(judged.behaviour, key=str),
        sorted(judged.advice, key=str),
    ]


@pytest.mark.parametrize("compiled", RULES, ids=["plain", "bots and windows", "short spans"])
@given(seed=st.integers(0, 1 << 40), size=st.integers(2, 60), share=st.floats(0, 1), edited=st.booleans())
@settings(max_examples=300, deadline=None)
def test_from_a_restart_point_as_from_the_beginning(
    compiled: Rules, seed: int, size: int, share: float, edited: bool
) -> None:
    contact = history(seed, size)
    moments = times(contact)
    then, now = moments[round(share * (len(moments) - 1))], moments[-1] + 40 * 86_400 * SECOND
    stored = evaluate(contact, compiled, then, None, WORDS)
    changed_from = then - compiled.early_delete_seconds * SECOND
    if edited:
        # one message turns out otherwise than it was: the stored rows are of the old one
        number = random.Random(seed).randrange(len(contact.messages)) if contact.messages else None
        if number is not None:
            old = contact.messages[number]
            contact.messages[number] = old._replace(sender_kind="manager", manager_id="C", is_public=True)
            changed_from = min(changed_from, old.sent_at or 0)
    restart = find_restart(stored.sessions, stored.waits, changed_from)
    whole = in_order(evaluate(contact, compiled, now, None, WORDS))
    if restart is not None:
        assert restart.at <= changed_from
        fresh = evaluate(rest(contact, restart), compiled, now, restart.carry, WORDS)
        assert spliced(stored, restart, fresh) == whole


def test_most_histories_can_be_entered_late() -> None:
    """The property above would hold for a rule that always says: from the beginning."""
    entered = reread = total = 0
    for seed in range(200):
        contact = history(seed, 60)
        then = times(contact)[45]
        stored = evaluate(contact, RULES[0], then)
        restart = find_restart(stored.sessions, stored.waits, then - 60 * SECOND)
        total += len(contact.messages)
        reread += len(rest(contact, restart).messages if restart else contact.messages)
        entered += restart is not None
    assert entered > 190
    # a quarter of the messages is new
    assert reread < 0.5 * total


def test_an_open_wait_holds_the_restart_back_to_its_session() -> None:
    talk = Talk().customer("08:00").manager("08:05").customer("Wed 10:00")
    stored = talk.judge(RULES[0], as_of="Wed 11:00")
    restart = find_restart(stored.sessions, stored.waits, instant("Wed 11:00"))
    assert restart is not None
    assert restart.at == instant("Wed 10:00")
    assert restart.read_after == {"c": (instant("08:05"), "m02")}
    assert restart.carry == (instant("08:00"), instant("Tue 08:05"), frozenset({"c"}))


def test_a_missing_late_reply_holds_the_restart_back_however_long() -> None:
    talk = Talk().customer("08:00").chat("d", account="other").customer("+2 Wed 10:00").manager("+2 Wed 10:05")
    stored = talk.judge(RULES[0], as_of="+3 Mon 10:00")
    assert find_restart(stored.sessions, stored.waits, instant("+3 Mon 10:00")) is None
    assert find_restart([], [], instant("10:00")) is None


def test_nothing_open_restarts_at_the_change_itself() -> None:
    talk = Talk().customer("08:00").manager("08:05")
    stored = talk.judge(RULES[0], as_of="Thu 10:00")
    restart = find_restart(stored.sessions, stored.waits, instant("Thu 09:59"))
    assert restart is not None
    assert restart.at == instant("Thu 09:59")
