"""Messages that carry their intents in the open, so that rules about behaviour can be tested without a language.

Here: a reader of "#price #offer", rows of the product beside those of the oracle. Not here: expected values.
"""

from __future__ import annotations

import re

from conversations.behaviour import Said
from conversations.lexicon import INTENTS, Place, Side
from conversations.timeline import Behaviour, Contact, Session, Wait
from tests.oracle.behaviour import WISHES, Heard, Verdict, Waited

_TAG = re.compile(r"#(\w+)")


class TagReader:
    """Finds what is written as a tag; a tag counts on the sides that can say it."""

    hash = "tags"

    def places(self, text: str | None, side: Side) -> list[Place]:
        found = enumerate(_TAG.findall(text or ""))
        return [(tag, number, number) for number, tag in found if side in INTENTS[tag]]


def tags(text: str | None, side: str) -> frozenset[str]:
    """The same for the oracle: of a refusal that is followed by a wish, the wish."""
    found = [tag for tag in re.findall(r"#(\w+)", text or "") if side in INTENTS[tag]]
    if "refusal" in found:
        behind = found[len(found) - found[::-1].index("refusal") :]
        if side == "customer" and any(tag in WISHES for tag in behind):
            return frozenset(found) - {"refusal"}
    return frozenset(found)


def said(heard: list[Heard]) -> list[Said]:
    """The oracle's messages as the product's; calls that nobody answered are not said."""
    found = []
    for one in heard:
        if one.kind == "call":
            if one.answered:
                found.append(Said(one.id, "manager", (), one.manager, True, one.is_long_talk))
            continue
        side: Side = "manager" if one.sender == "manager" else "customer"
        intents = frozenset(tag for tag in INTENTS if one.says(tag))
        found.append(Said(one.id, side, intents, one.manager))
    return found


def session(session_id: str = "c:m1", ended_at: int | None = 1) -> Session:
    """A session of which only the id and the end matter."""
    return Session(session_id, "c", "m1", 0, ended_at, 0, "customer", True, False, 1, 1, 0)


def waits(waited: list[Waited]) -> list[Wait]:
    """Waits of which only kind, outcomes, questions and owner matter."""
    blank = dict.fromkeys(Wait._fields)
    return [
        Wait(
            **blank
            | {  # type: ignore[arg-type]
                "wait_id": f"c:{number}",
                "wait_kind": one.kind,
                "outcome": one.outcome,
                "outcome_manager": one.outcome_manager,
                "asking_message_ids": one.asking,
                "owner_manager_id": one.owner,
            }
        )
        for number, one in enumerate(waited)
    ]


def row_of(verdict: Verdict, session_id: str, ended_at: int) -> Behaviour:
    """The row that the product should give."""
    proof = verdict.evidence

    def ids(name: str) -> tuple[str, ...]:
        return tuple(proof.get(name, ()))

    return Behaviour(
        session_id=session_id,
        conversation_id=session_id.split(":")[0],
        ended_at=ended_at,
        manager_id=verdict.manager,
        human_replies=verdict.replies,
        has_intent=verdict.intent,
        asked_clarifying=verdict.asked,
        made_offer=verdict.offered,
        has_next_step=verdict.step,
        is_good=verdict.good,
        is_good_customer=verdict.good_customer,
        next_step_not_judged=verdict.why_not,
        not_good=tuple(verdict.faults),
        not_good_customer=tuple(verdict.faults_customer),
        intent_message_ids=ids("intent"),
        clarifying_message_ids=ids("clarifying"),
        offer_message_ids=ids("offer"),
        next_step_message_ids=ids("next_step"),
        refusal_message_ids=ids("refusal"),
        paid_message_ids=ids("paid"),
        good_score_at_least=80,
        lexicon_hash=TagReader.hash,
    )


def tagged(contact: Contact, choices: list[int]) -> Contact:
    """The same story with tags and lengths of calls, chosen by ``choices`` in turn."""
    rows = []
    for number, row in enumerate(contact.messages):
        choice = choices[number % len(choices)]
        side: Side = "manager" if row.sender_kind == "manager" else "customer"
        possible = [name for name in INTENTS if side in INTENTS[name]]
        # no tags at all in a quarter of the messages
        chosen = [possible[(choice >> shift) % len(possible)] for shift in (2, 6, 10)[: choice % 4]]
        text = " ".join(filter(None, [row.text, *(f"#{tag}" for tag in chosen)])) or None
        kind = row.content_kind
        if kind == "text" and side == "manager" and choice % 11 == 0:
            kind = "payment_link"
        seconds = (None, 0, 19, 20, 300)[choice % 5] if kind == "call" else None
        rows.append(row._replace(text=text, content_kind=kind, talk_seconds=seconds))
    return contact._replace(messages=rows)
