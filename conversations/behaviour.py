"""What a manager did in a session that has ended: one row, each statement with the messages that prove it.

Here: contract section 5 over messages whose intents have been found. Pure and without words: the same intents in the
same order give the same row. Not here: which words mean what (``conversations.lexicon``), how a session's messages get
their intents (``conversations.words``), what is advised (``conversations.advice``).

Where the contract is silent:

- A turn is made of what customers and managers write. Bots, autoreplies, campaigns and notes neither break nor make
  one. "With the first offer" is in the same turn: people send one thought in several messages.
- Nobody knows what was said on the phone. A talk of at least ``TALK_SECONDS`` belongs to the turn of the manager, and
  a last turn with such a talk and without a written next step is not judged (``call``). Unanswered and shorter calls
  are in no turn; every answered one is a human reply.
- A last message of the customer that needs no answer ("спасибо") does not end the session unanswered: the manager's
  turn before it is judged. One that does, and that a person marked or the customer took back, does.
- A refusal is taken back by a later wish to buy; so the order in which things were said decides.
- Who was not judged for the next step (he refused, paid ...) is not asked for one to be good.
- "No wait slow or unanswered" is said of the session's waits of every kind, in both views (section 4.5). For channels:
  of all of them, as the customer had to wait. For managers: a session counts for the person who gave its last human
  reply, so only of the waits that this person owns, by any of his accounts, in the manager's view. How long a colleague
  let the customer wait spoils the channel's session, not his.
- In a session without purchase intent nothing else is asked of the words, so its other evidence is empty.

"Good" needs a word of the model as well: no automatic fail, and a score that is high enough, where one counts. An
automatic fail by rules has no say (``docs/marts.md`` says why). Talks are scored after they are judged here, so that
part is added where the row is read, in the view ``evaluated.judged_sessions``; here is what waits and words say, and
the score that the policy asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from conversations.lexicon import PURCHASE_INTENTS, Side
from conversations.timeline import Behaviour, Session, Wait

TALK_SECONDS = 20
"""Shorter calls count for waits, not here (contract, ruling 9)."""
LEAST_MESSAGES = 2
"""Written by managers, for a session to be good or not."""

_PURCHASE = frozenset(PURCHASE_INTENTS)
_UNANSWERED = ("no_reply", "window_expired")
_ANSWERED = ("in_target", "slow_reply")


class Said(NamedTuple):
    """One message or call of a session with what it says."""

    message_id: str
    side: Side
    """Whose turn it belongs to; an answered call is the manager's, whoever rang."""
    intents: Collection[str] = ()
    manager_id: str | None = None
    is_call: bool = False
    """Answered; calls that nobody answered are not said."""
    is_talk: bool = False
    """A call long enough for something to be said in it."""

    @property
    def is_reply(self) -> bool:
        """A human reply (contract, section 1)."""
        return self.side == "manager"


def judge(
    session: Session,
    said: Sequence[Said],
    waits: Sequence[Wait],
    lexicon_hash: str,
    good_score_at_least: int,
    person: Callable[[str], str] = str,
) -> Behaviour | None:
    """Judge a session that has ended.

    Args:
        session: its row; ``ended_at`` is set.
        said: its public messages in the contract's order; failed ones, unanswered calls and what was deleted at once
            left out. A message deleted later has no intents.
        waits: its waits, all settled.
        lexicon_hash: of the lexicons that found the intents.
        good_score_at_least: what the policy asks of a model's score, kept with the row.
        person: who stands behind an account; by default each account is a person by itself.

    Returns:
        ``None`` if no person answered in it.
    """
    replies = [one for one in said if one.is_reply]
    if not replies or session.ended_at is None:
        return None
    wanted = [one for one in said if one.side == "customer" and not _PURCHASE.isdisjoint(one.intents)]
    found = _of_intent(said, waits) if wanted else _NOTHING
    missing = ["no_question_or_offer"] if found.asked is False and found.offered is False else []
    if found.next_step is False:
        missing.append("no_next_step")
    manager_id = replies[-1].manager_id
    not_good = _of_waits({wait.outcome_manager for wait in waits if _is_of(manager_id, wait, person)}) + missing
    not_good_customer = _of_waits({wait.outcome for wait in waits}) + missing
    is_judged = sum(not one.is_call for one in replies) >= LEAST_MESSAGES
    return Behaviour(
        session_id=session.session_id,
        conversation_id=session.conversation_id,
        ended_at=session.ended_at,
        manager_id=manager_id,
        human_replies=len(replies),
        has_intent=bool(wanted),
        asked_clarifying=found.asked,
        made_offer=found.offered,
        has_next_step=found.next_step,
        is_good=not not_good if is_judged else None,
        is_good_customer=not not_good_customer if is_judged else None,
        next_step_not_judged=found.not_judged,
        not_good=tuple(not_good) if is_judged else (),
        not_good_customer=tuple(not_good_customer) if is_judged else (),
        intent_message_ids=_ids(wanted),
        clarifying_message_ids=_ids(found.questions),
        offer_message_ids=_ids(found.offers),
        next_step_message_ids=_ids(found.last_turn),
        refusal_message_ids=_ids(found.refusals),
        paid_message_ids=_ids(found.payments),
        good_score_at_least=good_score_at_least,
        lexicon_hash=lexicon_hash,
    )


class _Found(NamedTuple):
    """What the words of a session with purchase intent show; all ``None`` and empty without."""

    asked: bool | None = None
    offered: bool | None = None
    next_step: bool | None = None
    not_judged: str | None = "no_intent"
    questions: Sequence[Said] = ()
    offers: Sequence[Said] = ()
    last_turn: Sequence[Said] = ()
    refusals: Sequence[Said] = ()
    payments: Sequence[Said] = ()


_NOTHING = _Found()


def _of_intent(said: Sequence[Said], waits: Sequence[Wait]) -> _Found:
    # a call too short for words is in no turn
    spoken = [one for one in said if not one.is_call or one.is_talk]
    managers = [one for one in spoken if one.side == "manager"]
    offers = [one for one in managers if "offer" in one.intents]
    upto = spoken if not offers else spoken[: _turn_end(spoken, spoken.index(offers[0]))]
    questions = [one for one in upto if one.side == "manager" and "clarifying_question" in one.intents]
    last_turn = _last_turn(spoken)
    has_step = any("next_step" in one.intents for one in last_turn)
    not_judged = _why_not_judged(spoken, waits)
    if not_judged is None and not has_step and (not last_turn or any(one.is_talk for one in last_turn)):
        not_judged = "call"
    return _Found(
        asked=bool(questions),
        offered=bool(offers),
        next_step=has_step if not_judged is None else None,
        not_judged=not_judged,
        questions=questions,
        offers=offers,
        last_turn=last_turn if not_judged is None else (),
        refusals=[one for one in spoken if one.side == "customer" and "refusal" in one.intents],
        payments=[one for one in spoken if "paid" in one.intents],
    )


def _why_not_judged(spoken: Sequence[Said], waits: Sequence[Wait]) -> str | None:
    """The first reason, in the order of the contract, for which no next step is asked for."""
    refused = False
    for one in spoken:
        if one.side == "customer":
            if "refusal" in one.intents:
                refused = True
            elif not _PURCHASE.isdisjoint(one.intents):
                refused = False
    if refused:
        return "refused"
    if any("paid" in one.intents for one in spoken):
        return "paid"
    of_messages = [wait for wait in waits if wait.wait_kind == "message"]
    if of_messages and of_messages[-1].outcome in _UNANSWERED:
        return "unanswered"
    last = spoken[-1]
    if last.side == "customer" and any(
        last.message_id in wait.asking_message_ids and wait.outcome not in _ANSWERED for wait in of_messages
    ):
        return "ended_by_customer"
    return None


def _turn_end(spoken: Sequence[Said], at: int) -> int:
    """Behind the turn that the message at ``at`` belongs to."""
    side = spoken[at].side
    while at < len(spoken) and spoken[at].side == side:
        at += 1
    return at


def _last_turn(spoken: Sequence[Said]) -> list[Said]:
    """The last turn of a manager."""
    turn: list[Said] = []
    for one in reversed(spoken):
        if one.side == "manager":
            turn.append(one)
        elif turn:
            break
    return turn[::-1]


def _is_of(manager_id: str | None, wait: Wait, person: Callable[[str], str]) -> bool:
    """Whether the wait is the manager's, by whichever account; what is nobody's is of nobody's session."""
    owner = wait.owner_manager_id
    if owner is None or manager_id is None:
        return owner is manager_id
    return owner == manager_id or person(owner) == person(manager_id)


def _of_waits(outcomes: Collection[str]) -> list[str]:
    found = ["slow_reply"] if "slow_reply" in outcomes else []
    return [*found, "no_reply"] if any(one in outcomes for one in _UNANSWERED) else found


def _ids(said: Sequence[Said]) -> tuple[str, ...]:
    return tuple([one.message_id for one in said])
