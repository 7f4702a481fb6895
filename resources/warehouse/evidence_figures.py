"""What each figure of the marts counts: the cases behind it, which of them are hits, which value a percentile is of.

Here: the declared figures, one per number column of ``manager_week``, ``channel_week``, ``manager_day`` and
``channel_day``. Not here: where the cases are read (``evidence_sources``), how a figure is asked for (``evidence``),
its Russian name (``conversations.messages.explain``).

The conditions are written a second time, apart from the SQL that builds the marts: a figure whose list does not add up
to it shows that one of the two is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

View: TypeAlias = Literal["manager", "channel"]
"""Whose table it is: managers are judged by the manager's view of a wait, channels by the customer's (section 4.5)."""


@dataclass(frozen=True)
class Figure:
    """One number column of a mart.

    ``eligible`` and ``hit`` are SQL conditions over the columns of the source. A count counts the eligible cases; a
    share is hits of eligible ones; a percentile, an average or a sum is of ``value`` over the eligible ones.
    """

    name: str
    source: str
    eligible: str = "true"
    hit: str | None = None
    value: str | None = None
    percent: int = 50
    over: Literal["percentile", "average", "sum"] = "percentile"
    """What is made of the values."""
    evidence: tuple[str, ...] = ()
    """Columns of the source that hold the ids of the messages to look at, the most telling one last."""

    @property
    def kind(self) -> Literal["count", "share", "percentile", "score", "sum"]:
        """What sort of number it is: a sum is of seconds, a score an average of points."""
        if self.hit is not None:
            return "share"
        if self.value is None:
            return "count"
        return {"percentile": "percentile", "average": "score", "sum": "sum"}[self.over]  # type: ignore[return-value]


_WAIT = ("asking_message_ids", "answering_message_ids")
_SETTLED = ("in_target", "slow_reply", "no_reply", "window_expired")


def _waits(outcome: str, seconds: str, business: str) -> list[Figure]:
    def among(*names: str) -> str:
        return f"{outcome} in ({', '.join(repr(name) for name in names)})"

    def one(name: str, eligible: str, **more: object) -> Figure:
        return Figure(name, "waits", eligible, evidence=_WAIT, **more)  # type: ignore[arg-type]

    message, call = "wait_kind = 'message'", "wait_kind = 'missed_call'"
    settled = f"{message} and {among(*_SETTLED)}"
    calls = f"{call} and {among(*_SETTLED)}"
    unanswered = among("no_reply", "window_expired")
    answered = f"{message} and {among('in_target', 'slow_reply')}"
    first = f"{answered} and is_first_reply"
    found = [
        one("waits_settled", settled),
        *(one(name, f"{message} and {among(name)}") for name in (*_SETTLED, "not_required")),
        one("unanswered", f"{message} and {unanswered}"),
        one("in_target_share", settled, hit=among("in_target")),
        one("slow_reply_share", settled, hit=among("slow_reply")),
        one("no_reply_share", settled, hit=unanswered),
        one("answered", answered),
        one("first_replies", first),
        one("missed_calls_settled", calls),
        *(one(f"missed_calls_{name}", f"{call} and {among(name)}") for name in _SETTLED),
        one("missed_calls_in_target_share", calls, hit=among("in_target")),
    ]
    for prefix, eligible in (("reply", answered), ("first_reply", first)):
        for percent in (50, 90):
            for ending, value in (("business_seconds", business), ("seconds", seconds)):
                # without a calendar there is no working time
                valued = f"{eligible} and {value} is not null"
                found.append(one(f"{prefix}_p{percent}_{ending}", valued, value=value, percent=percent))
    return found


_INTENT = ("intent_message_ids", "clarifying_message_ids")
_OFFER = ("intent_message_ids", "offer_message_ids")
_STEP = ("refusal_message_ids", "paid_message_ids", "intent_message_ids", "next_step_message_ids")
_ALL = (
    "refusal_message_ids", "paid_message_ids", "intent_message_ids", "clarifying_message_ids", "offer_message_ids",
    "next_step_message_ids",
)  # fmt: skip


def _of_behaviour(name: str, eligible: str = "true", hit: str | None = None, ids: tuple[str, ...] = _ALL) -> Figure:
    return Figure(name, "behaviour", eligible, hit=hit, evidence=ids)


_JUDGED = "has_next_step is not null"
_BEHAVIOUR = [
    _of_behaviour("sessions_judged"),
    _of_behaviour("sessions_with_intent", "has_intent", ids=("intent_message_ids",)),
    _of_behaviour("asked_clarifying", "has_intent and asked_clarifying", ids=_INTENT),
    _of_behaviour("asked_clarifying_share", "has_intent", "asked_clarifying", _INTENT),
    _of_behaviour("made_offer", "has_intent and made_offer", ids=_OFFER),
    _of_behaviour("made_offer_share", "has_intent", "made_offer", _OFFER),
    _of_behaviour("next_step_judged", _JUDGED, ids=_STEP),
    _of_behaviour("has_next_step", "has_next_step", ids=_STEP),
    _of_behaviour("has_next_step_share", _JUDGED, "has_next_step", _STEP),
    _of_behaviour("no_next_step", "not has_next_step", ids=_STEP),
    _of_behaviour("no_next_step_share", _JUDGED, "not has_next_step", _STEP),
]


def _good(judged: str) -> list[Figure]:
    return [
        _of_behaviour("good_judged", f"{judged} is not null"),
        _of_behaviour("good", judged),
        _of_behaviour("good_share", f"{judged} is not null", judged),
    ]


def _scores() -> list[Figure]:
    found = []
    for prefix, which in (("", "true"), ("calls_", "subject_kind = 'call'"), ("chats_", "subject_kind = 'session'")):
        for name, judge, value in (
            ("llm", "model", "counted_score"),
            ("calibration", "model", "trial_score"),
            ("rules", "rules", "final_score"),
        ):
            eligible = f"judge = '{judge}' and state = 'scored' and {value} is not null and {which}"
            found.append(Figure(f"{prefix}{name}_evaluated", "scores", eligible, evidence=_PROOF))
            found.append(
                Figure(f"{prefix}{name}_score_avg", "scores", eligible, value=value, over="average", evidence=_PROOF)
            )
    return found


_PROOF = ("message_ids",)
_COUNTS = "judge = 'model' and counted_score is not null"
_OURS = "not is_internal"
_TALKS = [
    Figure("calls_in", "calls", f"{_OURS} and direction = 'in'", evidence=_PROOF),
    Figure("calls_out", "calls", f"{_OURS} and direction = 'out'", evidence=_PROOF),
    Figure("calls_answered", "calls", f"{_OURS} and is_answered", evidence=_PROOF),
    Figure(
        "calls_talk_seconds", "calls", f"{_OURS} and is_answered", value="talk_seconds", over="sum", evidence=_PROOF
    ),
    Figure("calls_short", "calls", f"{_OURS} and is_answered and talk_seconds < %(short)s", evidence=_PROOF),
    Figure("calls_internal", "calls", "is_internal", evidence=_PROOF),
    Figure("calls_judged", "judged_calls", evidence=_PROOF),
    *_scores(),
    Figure("auto_fail", "scores", f"{_COUNTS} and has_counted_fail", evidence=_PROOF),
    Figure("auto_fail_share", "scores", _COUNTS, hit="has_counted_fail", evidence=_PROOF),
    Figure("llm_criteria", "criteria", evidence=_PROOF),
    Figure("llm_insufficient", "criteria", "not_given = 'insufficient_evidence'", evidence=_PROOF),
    Figure("llm_insufficient_share", "criteria", hit="not_given = 'insufficient_evidence'", evidence=_PROOF),
    Figure("llm_unscored", "scores", "judge = 'model' and state = 'unscored'", evidence=_PROOF),
]
_PENDING = Figure("pending_now", "pending", evidence=("asking_message_ids",))
_OF_MANAGERS = [
    *_waits("outcome_manager", "manager_wait_seconds", "manager_wait_business_seconds"),
    *_BEHAVIOUR,
    *_good("is_good"),
    _PENDING,
    Figure("left_waiting", "left_waiting", evidence=("asking_message_ids",)),
    Figure("sessions_touched", "touched", evidence=("reply_message_ids",)),
    Figure("chat_sessions_touched", "touched", "has_written", evidence=("reply_message_ids",)),
    *_TALKS,
    Figure("messages_sent", "messages", "sender_kind = 'manager'", evidence=("message_ids",)),
]
_ENDS = ("first_message_ids", "last_message_ids")
_OF_CHANNELS = [
    *_waits("outcome", "wait_seconds", "wait_business_seconds"),
    *_BEHAVIOUR,
    *_good("is_good_customer"),
    _PENDING,
    Figure("bot_handled", "waits", "wait_kind = 'message' and outcome = 'bot_handled'", evidence=_WAIT),
    Figure("chats", "chats", evidence=_ENDS),
    Figure("unique_customers", "customers", evidence=_ENDS),
    Figure("messages_in", "messages", "sender_kind = 'customer'", evidence=("message_ids",)),
    Figure("messages_out", "messages", "sender_kind in ('manager', 'bot')", evidence=("message_ids",)),
    Figure("one_direction_chats", "chats", "not is_two_way", evidence=_ENDS),
    Figure("one_direction_share", "chats", hit="not is_two_way", evidence=_ENDS),
    Figure("sessions_ended", "sessions", evidence=_ENDS),
    Figure("bot_only_sessions", "sessions", "is_bot_only", evidence=_ENDS),
    Figure("asking_sessions", "sessions", "is_asking", evidence=_ENDS),
    Figure("bot_first_sessions", "sessions", "is_asking and is_bot_first", evidence=_ENDS),
    *_TALKS,
    Figure("bot_first_share", "sessions", "is_asking", hit="is_bot_first", evidence=_ENDS),
]
FIGURES: dict[View, dict[str, Figure]] = {
    "manager": {figure.name: figure for figure in _OF_MANAGERS},
    "channel": {figure.name: figure for figure in _OF_CHANNELS},
}
"""Every figure by view and column."""
NO_FIGURES = frozenset({
    "week", "week_starts_on", "business_on", "manager_key", "manager_id", "manager_name", "team_id", "channel_id",
    "connection_id", "channel_kind", "channel_name", "data_status", "is_stale", "definition_version", "as_of",
    "llm_state",
})  # fmt: skip
"""Columns that say whose and of when the row is, and how far it can be trusted: nothing is counted there."""
