"""The metrics that are compared from week to week: which way is better, what kind of figure it is, how much it needs.

Here: the declared list with signs, kinds and minima, and the practical sizes of contract section 7. Not here: how a
metric is counted (``conversations.waits``, the marts), how two weeks are compared (``conversations.delta``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What sort of figure a metric is; it decides the interval, the least sample and the practical size."""

    SHARE = "share"
    """Hits of eligible cases; 1 or 0 per case, several cases per session. Shown in points."""
    PERCENTILE = "percentile"
    """Percentile of whole seconds, one value per answered wait. Shown in minutes."""
    SCORE = "score"
    """Average of scores from 0 to 100, one per evaluated session."""


MINIMUM = {Kind.SHARE: 20, Kind.PERCENTILE: 20, Kind.SCORE: 10}
"""Least denominator in either week: eligible cases, answered waits, evaluated sessions."""

SHARE_POINTS = 5
"""Least change of a share that gets an arrow, in points (hundredths)."""
PERCENTILE_PERCENT = 20
"""Least change of a percentile, in percent of the previous week's value ..."""
PERCENTILE_SECONDS = 120
"""... and besides in seconds."""
SCORE_POINTS = 3
"""Least change of a score."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that has a delta.

    ``name`` is the column of ``manager_week`` and ``channel_week`` that shows the value, and the word for the metric in
    the seed of its bootstrap; ``sign`` is 1 when more is better, -1 when less is.
    """

    name: str
    kind: Kind
    sign: int
    counts: str
    """What the denominator counts."""
    denominator: str = ""
    """The column of both marts that holds it."""
    numerator: str | None = None
    """The column of both marts that holds the hits of a share."""
    percent: int = 50
    """Which percentile; of no meaning for other kinds."""

    def __post_init__(self) -> None:
        if self.sign not in (1, -1):
            raise ValueError(f"{self.name}: a metric without a direction can have no delta")
        if not 0 < self.percent < 100:
            raise ValueError(f"{self.name}: percentile {self.percent} is not between 0 and 100")

    @property
    def minimum(self) -> int:
        """Least denominator in either week, below which a row is ``low_sample``."""
        return MINIMUM[self.kind]


_WAITS = "message waits settled in the week"
_FIRST = "answered first waits of the customer's sessions"
_MISSED = "missed calls settled in the week"
_GOOD = "ended sessions with at least two messages of managers"
_INTENT = "ended sessions with purchase intent"
_NEXT_STEP = "ended sessions with purchase intent that could have had a next step"

METRICS: tuple[Metric, ...] = (
    Metric("in_target_share", Kind.SHARE, +1, _WAITS, "waits_settled", "in_target"),
    Metric("slow_reply_share", Kind.SHARE, -1, _WAITS, "waits_settled", "slow_reply"),
    Metric("no_reply_share", Kind.SHARE, -1, _WAITS, "waits_settled", "unanswered"),
    Metric("first_reply_p50_business_seconds", Kind.PERCENTILE, -1, _FIRST, "first_replies"),
    Metric("first_reply_p50_seconds", Kind.PERCENTILE, -1, _FIRST, "first_replies"),
    Metric("reply_p50_business_seconds", Kind.PERCENTILE, -1, "answered message waits", "answered"),
    Metric("reply_p50_seconds", Kind.PERCENTILE, -1, "answered message waits", "answered"),
    Metric("missed_calls_in_target_share", Kind.SHARE, +1, _MISSED, "missed_calls_settled", "missed_calls_in_target"),
    Metric("asked_clarifying_share", Kind.SHARE, +1, _INTENT, "sessions_with_intent", "asked_clarifying"),
    Metric("made_offer_share", Kind.SHARE, +1, _INTENT, "sessions_with_intent", "made_offer"),
    Metric("has_next_step_share", Kind.SHARE, +1, _NEXT_STEP, "next_step_judged", "has_next_step"),
    Metric("no_next_step_share", Kind.SHARE, -1, _NEXT_STEP, "next_step_judged", "no_next_step"),
    Metric("good_share", Kind.SHARE, +1, _GOOD, "good_judged", "good"),
    Metric("llm_score_avg", Kind.SCORE, +1, "evaluated sessions", "llm_evaluated"),
    Metric("auto_fail_share", Kind.SHARE, -1, "evaluated sessions", "llm_evaluated", "auto_fail"),
)
"""Every metric with a delta, of managers and of channels alike.

The contract leaves open which percentiles have one: the medians of both clocks do, since a channel without a calendar
has no business values; p90 have no practical size in the contract and so no delta. Counts (``left_waiting``,
``pending_now``) and shares without a good direction (bot-first, one-direction chats, new contacts) have none either.
``window_expired`` is part of ``no_reply_share``. ``auto_fail_share`` is a share and needs 20 sessions, although the
average beside it needs 10.
"""

OF_SCORES = frozenset({"llm_score_avg", "auto_fail_share"})
"""Those that a model's scores are behind: a row has them only in a week in which a score of it counts (contract,
section 10), since without judged talk there is no figure and not an empty one."""

_BY_NAME = {metric.name: metric for metric in METRICS}


def metric(name: str) -> Metric:
    """The declared metric of that name.

    >>> metric("no_reply_share").sign
    -1

    Raises:
        KeyError: no such metric is declared.
    """
    return _BY_NAME[name]
