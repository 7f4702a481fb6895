"""What a person should be told about a chat: named rules over waits and over sessions that have ended.

Here: when a rule speaks, about which message and to whom. Not here: the words, which are made where advice is shown
(``conversations.messages``), and the facts themselves (``conversations.waits``, ``conversations.behaviour``).

A rule that changes gets another version. Advice about a session is silent where people talked on the phone for a while:
nobody knows what was asked or offered then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from conversations.behaviour import Said
from conversations.timeline import Advice, Behaviour, Wait


class WaitRule(NamedTuple):
    """A rule about a wait: whether it speaks."""

    version: int
    speaks: Callable[[Wait], bool]


class SessionRule(NamedTuple):
    """A rule about a session: the message that it speaks of, if it speaks."""

    version: int
    speaks: Callable[[Behaviour, Sequence[Said]], str | None]


def no_answer(wait: Wait) -> bool:
    """Nobody answered in time; of waits of every kind, about the message that opened it.

    Example: customer Monday 15:00 "Сколько стоит доставка?", nothing until the limit on Tuesday 15:00.
    """
    return wait.outcome in ("no_reply", "window_expired")


def slow_first_answer(wait: Wait) -> bool:
    """The first answer of a session took the manager longer than its target; about the message that opened the wait.

    Example: customer 10:00 "Есть 42 размер?", manager 10:25, target 10 minutes.
    """
    return wait.is_first_of_session and wait.outcome_manager == "slow_reply"


def no_offer(behaviour: Behaviour, said: Sequence[Said]) -> str | None:
    """The customer wanted to buy and got neither an offer nor a next step; about his last message that shows the wish.

    A next step in an earlier turn is one, too: then only the end of the session was poor.

    Example: customer "Сколько стоит куртка?", manager "Здравствуйте! Посмотрите на сайте", customer "спасибо".
    """
    if behaviour.has_next_step is not False or behaviour.made_offer:
        return None
    if any("next_step" in one.intents for one in said):
        return None
    return behaviour.intent_message_ids[-1]


def no_next_step(behaviour: Behaviour, said: Sequence[Said]) -> str | None:
    """An offer was made, and the last turn of the manager leads nowhere; about the last message of that turn.

    Example: customer "Сколько стоит куртка?", manager "Куртка 7990 ₽", customer "спасибо".
    """
    if behaviour.has_next_step is not False or not behaviour.made_offer:
        return None
    return behaviour.next_step_message_ids[-1]


def no_clarifying_question(behaviour: Behaviour, said: Sequence[Said]) -> str | None:
    """The customer wanted to buy and was asked nothing about his need; about his first message that shows the wish.

    Example: customer "Нужны кроссовки", manager "Есть за 5990 ₽, оформляем?", no question about size or use before.
    """
    return behaviour.intent_message_ids[0] if behaviour.asked_clarifying is False else None


OF_WAITS: Mapping[str, WaitRule] = {
    "no_answer": WaitRule(1, no_answer),
    "slow_first_answer": WaitRule(1, slow_first_answer),
}
"""Rules about a wait, as soon as it has settled."""
OF_SESSIONS: Mapping[str, SessionRule] = {
    "no_offer": SessionRule(1, no_offer),
    "no_next_step": SessionRule(1, no_next_step),
    "no_clarifying_question": SessionRule(1, no_clarifying_question),
}
"""Rules about a session that has ended with a human reply."""


def of_waits(waits: Sequence[Wait]) -> Iterator[Advice]:
    """Advice about waits, to those who answer for them."""
    for wait in waits:
        if wait.settled_at is None:
            continue
        for name, rule in OF_WAITS.items():
            if rule.speaks(wait):
                yield Advice(
                    advice_id=f"{wait.wait_id}:{name}",
                    rule=name,
                    rule_version=rule.version,
                    conversation_id=wait.conversation_id,
                    session_id=wait.session_id,
                    wait_id=wait.wait_id,
                    message_id=wait.opening_message_id,
                    manager_id=wait.owner_manager_id,
                    given_at=wait.settled_at,
                )


def of_session(behaviour: Behaviour, said: Sequence[Said]) -> Iterator[Advice]:
    """Advice about a session that has ended, to whose it is."""
    if not behaviour.has_intent or any(one.is_talk for one in said):
        return
    for name, rule in OF_SESSIONS.items():
        message_id = rule.speaks(behaviour, said)
        if message_id is not None:
            yield Advice(
                advice_id=f"{behaviour.session_id}:{name}",
                rule=name,
                rule_version=rule.version,
                conversation_id=behaviour.conversation_id,
                session_id=behaviour.session_id,
                wait_id=None,
                message_id=message_id,
                manager_id=behaviour.manager_id,
                given_at=behaviour.ended_at,
            )
