"""Which calls are judged, and why the others are not: one rule for those who judge and those who count.

Here: a closed vocabulary and one function. Not here: whose call it is (``conversations.departments``), whether what was
said is a talk at all (``conversations.scoring.suitable``): that needs the words, and this does not.

A call that is not judged is stored, counted and opens or answers waits like every other (contract, section 4.6 and
ruling 9).
"""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias, get_args

from conversations.policy_scoring import Telephony

WhyNot: TypeAlias = Literal[
    "internal",
    "missed",
    "short",
    "unknown_operator",
    "no_department",
    "no_transcript",
    "transcript_pending",
    "no_speech",
]
"""In the order in which they are looked for: a call has the first that holds.

internal: among colleagues; missed: nobody answered; short: less talk than ``telephony.short_call_seconds``;
unknown_operator: the directory of operators does not know who spoke; no_department: no department of the policy has
it; no_transcript: none was read yet; transcript_pending: the vendor has not recognised it yet; no_speech: nobody said a
word."""
WHY_NOT: tuple[str, ...] = get_args(WhyNot)


class CallFacts(Protocol):
    """What of a call decides; a ``conversations.records.Call`` has it."""

    @property
    def is_internal(self) -> bool: ...
    @property
    def is_answered(self) -> bool | None: ...
    @property
    def talk_seconds(self) -> int | None: ...


def why_not(
    call: CallFacts,
    transcript_state: str | None,
    operator_known: bool,
    telephony: Telephony,
    *,
    has_department: bool = True,
) -> WhyNot | None:
    """Why a call is not judged; ``None``: it is.

    A call of which nobody knows whether it was answered, or how long it was, is not held back by that: its transcript
    decides.

    Args:
        transcript_state: ``ready``, ``pending`` or ``no_speech``; ``None`` where no transcript is stored.
        operator_known: see ``conversations.departments.Directory.knows``.
        has_department: whether ``conversations.departments.department_of`` gave one that the policy has.
    """
    if call.is_internal:
        return "internal"
    if call.is_answered is False:
        return "missed"
    if call.talk_seconds is not None and call.talk_seconds < telephony.short_call_seconds:
        return "short"
    if not (operator_known or telephony.judge_unknown_operators):
        return "unknown_operator"
    if not has_department:
        return "no_department"
    return _OF_TRANSCRIPT[transcript_state]


_OF_TRANSCRIPT: dict[str | None, WhyNot | None] = {
    None: "no_transcript",
    "pending": "transcript_pending",
    "no_speech": "no_speech",
    "ready": None,
}
