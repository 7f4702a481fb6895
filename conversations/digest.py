"""Monday's digest as a structure: which facts of a published week a head of sales is told, and in which order.

Here: the company's figure and its comparison, the main changes, who is named, what is wrong with the data, whether the
week may be told at all. Not here: reading (``resources.warehouse.digests``), words and Telegram's HTML
(``conversations.messages.digest``), the report (``conversations.digest_report``), the picture (``resources.picture``).

Rules. The company is the sum of its channels, so the customers' view; its comparison is made like any other of the
contract (section 7), from the sessions of both weeks. A change is named only if the marts call it a headline
(Benjamini-Hochberg at 10 %), once per subject, matter and way: slower answers and fewer in target are one change.
Nobody is ranked: persons are named by counts that are facts at any size. No customer occurs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from conversations.delta import Delta, DeltaStatus, Number, Week, delta
from conversations.metrics import METRICS, Kind, metric

MOST_CHANGES, MOST_NAMED = 5, 3
NO_MANAGER_KEY = "none"
COMPANY = "company"
"""The subject of the company's comparison."""

_MATTERS = {
    "in_target_share": "answers",
    "slow_reply_share": "answers",
    "no_reply_share": "answers",
    "first_reply_p50_business_seconds": "answers",
    "first_reply_p50_seconds": "answers",
    "reply_p50_business_seconds": "answers",
    "reply_p50_seconds": "answers",
    "has_next_step_share": "next step",
    "no_next_step_share": "next step",
}
"""Metrics that tell the same story when they change the same way."""
_ORDER = {one.name: place for place, one in enumerate(METRICS)}


@dataclass(frozen=True, slots=True)
class Figures:
    """A manager's or a channel's counts of one week: a row of ``manager_week`` or ``channel_week``."""

    key: str
    name: str
    """As people call it; a channel's with its kind."""
    group: str | None
    """The team; ``None`` for channels."""
    settled: int
    in_target: int
    slow: int
    unanswered: int
    pending: int
    answered: int
    reply_p50_business_seconds: float | None
    next_step_judged: int = 0
    has_next_step: int = 0
    status: str = "ok"
    """data_status: ok, incomplete, failed."""

    @property
    def in_target_share(self) -> float | None:
        return self.in_target / self.settled if self.settled else None


@dataclass(frozen=True, slots=True)
class Change:
    """A row of ``manager_week_delta`` or ``channel_week_delta``: one metric of one subject against the week before."""

    subject_kind: str
    """manager or channel."""
    key: str
    name: str
    metric: str
    status: DeltaStatus
    value: float | None
    n: int
    previous_value: float | None
    previous_n: int | None
    delta: float | None
    p_value: float | None
    is_headline: bool

    @property
    def is_share(self) -> bool:
        """Otherwise seconds or points."""
        return metric(self.metric).kind is Kind.SHARE

    @property
    def is_score(self) -> bool:
        """Points from 0 to 100."""
        return metric(self.metric).kind is Kind.SCORE


@dataclass(frozen=True, slots=True)
class Condition:
    """How the data of one channel are: a row of ``data_status``."""

    channel: str
    status: str
    reasons: str
    """Codes, separated by commas."""
    is_stale: bool
    settled: int
    """Waits of the week that rest on this channel."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the digest of a published week rests on; counts are those of the marts."""

    organisation: str
    week: str
    monday: date
    time_zone: str
    as_of: datetime | None
    revision: int
    company: Delta
    """``in_target_share`` of all message waits, in the customers' view."""
    managers: Sequence[Figures]
    channels: Sequence[Figures]
    changes: Sequence[Change]
    conditions: Sequence[Condition]
    trend: Sequence[tuple[str, int, int]] = ()
    """Week, hits and n of the company, the oldest first, this week last."""
    targets: tuple[int | None, int | None] = (None, None)
    """Seconds allowed for the first and for every other answer; ``None`` where channels differ."""
    link: str | None = None

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Total:
    """The company's counts: its channels added up."""

    settled: int
    in_target: int
    slow: int
    unanswered: int
    pending: int


@dataclass(frozen=True, slots=True)
class Digest:
    """What is told, in its order."""

    facts: Facts
    total: Total
    main: tuple[Change, ...]
    """Main changes, the worse first; at most ``MOST_CHANGES``."""
    more_main: int
    """How many more there are, one per subject, matter and way."""
    unanswered: tuple[Figures, ...]
    """Who has most waits without an answer; at most ``MOST_NAMED``."""
    waiting: tuple[Figures, ...]
    """With whom most customers wait now; at most ``MOST_NAMED``."""
    caveats: tuple[Condition, ...]
    """Channels whose figures are not whole."""

    @property
    def is_incomplete(self) -> bool:
        return bool(self.caveats)


def digest_of(facts: Facts) -> Digest:
    """Choose what is told."""
    total = Total(
        *(sum(getattr(row, name) for row in facts.channels)
          for name in ("settled", "in_target", "slow", "unanswered", "pending"))
    )  # fmt: skip
    main = main_changes(facts.changes)
    shown = sorted(main[:MOST_CHANGES], key=lambda one: one.status is not DeltaStatus.WORSENED)
    return Digest(
        facts,
        total,
        tuple(shown),
        len(main) - len(shown),
        _most(facts.managers, "unanswered"),
        _most(facts.managers, "pending"),
        tuple(one for one in facts.conditions if one.status != "ok" or one.is_stale),
    )


def contradictions(facts: Facts) -> list[str]:
    """What in the facts cannot all be true; nothing of it may be told.

    The company's comparison is counted from the published waits, the total from the channels, and the managers' waits
    are the same ones seen from the other side (invariant 10).
    """
    total = digest_of(facts).total
    found = []
    if facts.company.n != total.settled:
        found.append(f"published waits {facts.company.n}, of channels {total.settled}")
    if total.settled and facts.company.value != total.in_target / total.settled:
        found.append(f"share in target of published waits {facts.company.value}, of channels {total.in_target}")
    managers = sum(row.settled for row in facts.managers)
    if managers != total.settled:
        found.append(f"waits of managers {managers}, of channels {total.settled}")
    parts = [
        row for row in (*facts.managers, *facts.channels) if row.in_target + row.slow + row.unanswered != row.settled
    ]
    if parts:
        found.append(f"outcomes do not add up in {len(parts)} rows")
    return found


def main_changes(changes: Sequence[Change]) -> list[Change]:
    """The headlines, the surest first, one per subject, matter and way.

    A manager's "in target" that falls because "slow" and the median grow is one change; the share in target speaks for
    it where it is among them. "In target" up and "no reply" up are two.
    """
    found: dict[tuple[str, str, str, str], Change] = {}
    headlines = sorted((one for one in changes if one.is_headline), key=_sureness)
    for one in headlines:
        story = (one.subject_kind, one.key, _MATTERS.get(one.metric, one.metric), one.status)
        if one.metric == "in_target_share" or story not in found:
            found[story] = one
    return sorted(found.values(), key=_sureness)


def _sureness(one: Change) -> tuple[float, int, str, str]:
    return one.p_value or 0.0, _ORDER.get(one.metric, 0), one.subject_kind, one.key


def is_untold(conditions: Sequence[Condition]) -> bool:
    """Whether the data are too incomplete to tell the week: no complete channel, or the complete ones hold less than
    half of the week's waits.

    >>> is_untold([Condition("a", "ok", "", False, 3), Condition("b", "incomplete", "incomplete_days", False, 4)])
    True
    >>> is_untold([Condition("a", "ok", "", False, 4), Condition("b", "incomplete", "incomplete_days", False, 4)])
    False
    """
    complete = [one.settled for one in conditions if one.status == "ok"]
    return not complete or 2 * sum(complete) < sum(one.settled for one in conditions)


def company_change(
    week: str,
    version: int,
    now: Mapping[str, Sequence[int]],
    before: Mapping[str, Sequence[int]] | None,
    *,
    completeness: tuple[Number | None, Number | None],
    has_same_rules: bool,
) -> Delta:
    """The company's ``in_target_share`` against the week before.

    Args:
        now: settled message waits of the week by session: 1 in target (customers' view), else 0.
        before: those of the ISO week before; ``None``: it is not published.
        completeness: the least of the channels, this week and the week before.
        has_same_rules: whether every channel of both weeks was judged by the same rules in both.
    """
    rules = ("same", "same" if has_same_rules else "other")
    previous = None if before is None else Week(before, completeness[1], rules[1])
    return delta(
        metric("in_target_share"), COMPANY, week, str(version), Week(now, completeness[0], rules[0]), previous
    )  # fmt: skip


def _most(rows: Sequence[Figures], count: str) -> tuple[Figures, ...]:
    found = [row for row in rows if getattr(row, count)]
    return tuple(sorted(found, key=lambda row: (-getattr(row, count), row.name, row.key))[:MOST_NAMED])
