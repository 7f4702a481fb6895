"""Behaviour and advice of contract section 5, read sentence by sentence from lists of messages.

Here: slow and obvious; every question is asked anew of the whole list. Imports nothing of ``conversations``. Not here:
how a chat is cut into sessions and waits (``judge``), what words mean: a message comes with its tags.
"""

from __future__ import annotations

from dataclasses import dataclass, field

WISHES = {"price", "availability", "wish_to_buy", "size_variant", "delivery"}


@dataclass(frozen=True)
class Heard:
    """A public message or call of the session that was not deleted at once and did not fail."""

    id: str
    sender: str
    """customer or manager."""
    tags: frozenset[str] = frozenset()
    manager: str | None = None
    kind: str = "text"
    answered: bool | None = None
    seconds: int | None = None
    deleted: bool = False

    def says(self, tag: str) -> bool:
        """Hidden words say nothing; a link to pay speaks without words."""
        if self.deleted or self.kind == "call":
            return False
        if self.kind == "payment_link" and self.sender == "manager" and tag in ("offer", "next_step"):
            return True
        return tag in self.tags

    @property
    def wishes(self) -> bool:
        return self.sender == "customer" and any(self.says(tag) for tag in WISHES)

    @property
    def is_reply(self) -> bool:
        return self.answered is True if self.kind == "call" else self.sender == "manager"

    @property
    def is_long_talk(self) -> bool:
        return self.kind == "call" and self.answered is True and (self.seconds is None or self.seconds >= 20)

    @property
    def of_manager(self) -> bool:
        return self.is_long_talk or (self.kind != "call" and self.sender == "manager")


@dataclass(frozen=True)
class Waited:
    """A wait of the session."""

    kind: str
    outcome: str
    outcome_manager: str
    asking: tuple[str, ...]
    owner: str | None = "anna"


@dataclass
class Verdict:
    """What the contract says of the session."""

    manager: str | None
    replies: int
    intent: bool
    asked: bool | None = None
    offered: bool | None = None
    step: bool | None = None
    why_not: str | None = None
    good: bool | None = None
    faults: list[str] = field(default_factory=list)
    good_customer: bool | None = None
    faults_customer: list[str] = field(default_factory=list)
    evidence: dict[str, list[str]] = field(default_factory=dict)


def behaviour(heard: list[Heard], waits: list[Waited]) -> Verdict | None:
    """One session that has ended."""
    replies = [one for one in heard if one.is_reply]
    if not replies:
        return None
    verdict = Verdict(replies[-1].manager, len(replies), any(one.wishes for one in heard))
    if verdict.intent:
        _language(verdict, heard, waits)
    else:
        verdict.why_not = "no_intent"
    own = [wait.outcome_manager for wait in waits if wait.owner == verdict.manager]
    for outcomes, faults in ((own, verdict.faults), ([wait.outcome for wait in waits], verdict.faults_customer)):
        if "slow_reply" in outcomes:
            faults.append("slow_reply")
        if "no_reply" in outcomes or "window_expired" in outcomes:
            faults.append("no_reply")
        if verdict.intent and not (verdict.asked or verdict.offered):
            faults.append("no_question_or_offer")
        if verdict.intent and verdict.step is False:
            faults.append("no_next_step")
    written = [one for one in heard if one.sender == "manager" and one.kind != "call"]
    if len(written) >= 2:
        verdict.good, verdict.good_customer = not verdict.faults, not verdict.faults_customer
    else:
        verdict.faults, verdict.faults_customer = [], []
    return verdict


def _language(verdict: Verdict, heard: list[Heard], waits: list[Waited]) -> None:
    turns = _turns(heard)
    offers = [one for one in heard if one.of_manager and one.says("offer")]
    questions = []
    for turn in turns:
        questions += [one for one in turn if one.of_manager and one.says("clarifying_question")]
        if any(one in offers for one in turn):
            break
    verdict.asked, verdict.offered = bool(questions), bool(offers)
    of_managers = [turn for turn in turns if turn[0].of_manager]
    last = of_managers[-1] if of_managers else []
    verdict.why_not = _why_not(heard, waits)
    if verdict.why_not is None:
        verdict.step = any(one.says("next_step") for one in last)
        if not verdict.step and (not last or any(one.kind == "call" for one in last)):
            verdict.step, verdict.why_not = None, "call"
    verdict.evidence = {
        "intent": [one.id for one in heard if one.wishes],
        "clarifying": [one.id for one in questions],
        "offer": [one.id for one in offers],
        "next_step": [one.id for one in last] if verdict.step is not None else [],
        "refusal": [one.id for one in heard if one.sender == "customer" and one.says("refusal")],
        "paid": [one.id for one in heard if one.says("paid")],
    }


def _turns(heard: list[Heard]) -> list[list[Heard]]:
    """Maximal runs of one side; short and missed calls are nobody's turn."""
    turns: list[list[Heard]] = []
    for one in heard:
        if one.kind == "call" and not one.is_long_talk:
            continue
        if turns and turns[-1][0].of_manager == one.of_manager:
            turns[-1].append(one)
        else:
            turns.append([one])
    return turns


def _why_not(heard: list[Heard], waits: list[Waited]) -> str | None:
    refusals = [place for place, one in enumerate(heard) if one.sender == "customer" and one.says("refusal")]
    if refusals and not any(one.wishes for one in heard[refusals[-1] + 1 :]):
        return "refused"
    if any(one.says("paid") for one in heard):
        return "paid"
    of_messages = [wait for wait in waits if wait.kind == "message"]
    if of_messages and of_messages[-1].outcome in ("no_reply", "window_expired"):
        return "unanswered"
    last = _turns(heard)[-1][-1]
    unanswered = {
        asked for wait in of_messages if wait.outcome not in ("in_target", "slow_reply") for asked in wait.asking
    }
    return "ended_by_customer" if last.id in unanswered and not last.of_manager else None


def advice(verdict: Verdict | None, heard: list[Heard]) -> dict[str, str]:
    """Rule and the message that it is about, of the session itself."""
    found: dict[str, str] = {}
    if verdict is None or not verdict.intent or any(one.is_long_talk for one in heard):
        return found
    proposed = any(one.sender == "manager" and one.says("next_step") for one in heard)
    if verdict.step is False and not verdict.offered and not proposed:
        found["no_offer"] = verdict.evidence["intent"][-1]
    if verdict.step is False and verdict.offered:
        found["no_next_step"] = [one for one in heard if one.sender == "manager" and one.kind != "call"][-1].id
    if not verdict.asked:
        found["no_clarifying_question"] = verdict.evidence["intent"][0]
    return found
