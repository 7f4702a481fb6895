"""``behavior_snapshot``: every compared figure of a week as it is published.

Here: the figures of manager_week and channel_week as rows, with completeness and the key of their rules. Not here:
counting (``dbt_project``), revisions (``revisions``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any, NamedTuple

from psycopg import Connection, sql

from assets.marts.python.ground import Completeness, Rests, completeness, resting
from assets.marts.python.tables import NEXT, PUBLISHED, dicts, exists
from conversations.comparable import OF_GOOD, comparison_key, score_key, with_scores
from conversations.delta import COMPLETE
from conversations.metrics import METRICS, OF_SCORES, Metric
from conversations.policy import Policy
from conversations.window import monday_of

MARTS = {"manager": "manager_week", "channel": "channel_week"}
KEYS = {"manager": "manager_key", "channel": "channel_id"}

Key = tuple[str, str, str]
"""Kind of subject, its key, metric."""


class Figure(NamedTuple):
    """One figure of one subject."""

    hits: int | None
    n: int
    value: float | None
    completeness: float | None
    rules_key: str
    definition_version: int
    as_of: datetime | None

    @property
    def is_complete(self) -> bool:
        """At least 98 % (contract, section 7); unknown is not complete."""
        return is_complete(self.completeness)


def is_complete(share: float | None) -> bool:
    """Whether a week may be compared and averaged; by the decimal text, so that 0.98 from any source is 98 %."""
    return share is not None and Fraction(str(share)) >= COMPLETE


def figures_next(connection: Connection[Any], week: str, policy: Policy) -> dict[Key, Figure]:
    """The figures of a week as dbt built them in ``marts_next``.

    Percentiles in working time count only waits with a calendar: their n is counted here, the marts' is that of all.
    A metric that the marts have no column for is left out, and so is one of a model's scores where none counts.
    """
    complete = completeness(connection, NEXT, week)
    by_rules = _Rules(connection, week, policy)
    found: dict[Key, Figure] = {}
    for kind, mart in MARTS.items():
        with_calendar = _with_calendar(connection, kind, week)
        statement = sql.SQL("select * from {} where week = %(week)s").format(sql.Identifier(NEXT, mart))
        for row in dicts(connection, statement, {"week": week}):
            key = row[KEYS[kind]]
            for metric in shown(row):
                if metric.name in OF_SCORES and not row[metric.denominator]:
                    continue
                found[kind, key, metric.name] = _figure(metric, row, kind, key, with_calendar, complete, by_rules)
    return found


def figures_published(connection: Connection[Any], week: str, revision: int) -> dict[Key, Figure]:
    """The figures of a week as they were published."""
    if not exists(connection, PUBLISHED, "behavior_snapshot"):
        return {}
    rows = connection.execute(
        "select subject_kind, subject_key, metric, hits, n, value, completeness, rules_key, definition_version, as_of"
        " from marts.behavior_snapshot where week = %s and revision = %s",
        [week, revision],
    )
    return {(kind, key, metric): Figure(*rest) for kind, key, metric, *rest in rows}


def shown(columns: Collection[str] | Mapping[str, Any]) -> list[Metric]:
    """The metrics that a mart with these columns has."""
    return [metric for metric in METRICS if metric.name in columns and metric.denominator in columns]


def row_of(week: str, revision: int, key: Key, figure: Figure) -> dict[str, Any]:
    """A figure as a row of the mart."""
    kind, subject, metric = key
    of = {"week": week, "revision": revision, "subject_kind": kind, "subject_key": subject, "metric": metric}
    return {**of, **figure._asdict(), "is_complete": figure.is_complete}


def _figure(
    metric: Metric,
    row: Mapping[str, Any],
    kind: str,
    key: str,
    with_calendar: Mapping[str, tuple[int, int]],
    complete: Completeness,
    by_rules: _Rules,
) -> Figure:
    n = row[metric.denominator]
    if metric.name.endswith("_business_seconds"):
        n = with_calendar.get(key, (0, 0))[metric.denominator == "first_replies"]
    value = row[metric.name]
    return Figure(
        hits=row[metric.numerator] if metric.numerator is not None else None,
        n=n,
        value=None if value is None else float(value),
        completeness=complete.of(kind, key),
        rules_key=by_rules.key(metric, kind, key),
        definition_version=row["definition_version"],
        as_of=row["as_of"],
    )


def _with_calendar(connection: Connection[Any], kind: str, week: str) -> dict[str, tuple[int, int]]:
    """Answered waits with a working time by subject: all, and first replies."""
    manager, channel = ("outcome_manager", "manager_wait_business_seconds"), ("outcome", "wait_business_seconds")
    outcome, seconds = manager if kind == "manager" else channel
    statement = sql.SQL(
        """
        select {subject}, count({seconds}), count({seconds}) filter (where w.is_first_reply)
        from evaluated.waits as w left join reference.people as p on w.owner_manager_id = p.manager_id
        where w.settled_week = %s and w.wait_kind = 'message' and {outcome} in ('in_target', 'slow_reply')
        group by 1
        """
    ).format(
        subject=sql.SQL("coalesce(p.person_id, w.owner_manager_id, 'none')" if kind == "manager" else "w.channel_id"),
        seconds=sql.Identifier("w", seconds),
        outcome=sql.Identifier("w", outcome),
    )
    return {key: (waits, firsts) for key, waits, firsts in connection.execute(statement, [week])}


class _Rules:
    """The keys of the rules of one week; the same question is answered once."""

    def __init__(self, connection: Connection[Any], week: str, policy: Policy) -> None:
        self._monday = monday_of(week)
        self._policy = policy
        self._resting = resting(connection, policy, self._monday)
        self._lexicons = _lexicons(connection, week)
        self._judged_by = _judged_by(connection, week) - {policy.hash}
        self._keys: dict[tuple[str, Rests], str] = {}
        self._judges, self._of_sessions = _judges(connection, week)

    def key(self, metric: Metric, kind: str, subject: str) -> str:
        if metric.name in OF_SCORES:
            return score_key(self._judges.get((kind, subject), ()))
        rests = self._resting.of(kind, subject)
        if (metric.name, rests) not in self._keys:
            self._keys[metric.name, rests] = comparison_key(
                metric, self._policy, self._monday,
                channel_kinds=rests.channel_kinds, teams=rests.teams, lexicon_hashes=self._lexicons,
                own_teams=rests.own_teams, judged_by=self._judged_by,
            )  # fmt: skip
            if metric.name in OF_GOOD:
                key = with_scores(self._keys[metric.name, rests], self._of_sessions)
                self._keys[metric.name, rests] = key
        return self._keys[metric.name, rests]


def _lexicons(connection: Connection[Any], week: str) -> list[str]:
    """By which lexicons the week's sessions were judged; of a week without one, those of the newest judged week."""
    statement = """
        select distinct lexicon_hash from evaluated.behaviour
        where ended_week = coalesce(
            (select ended_week from evaluated.behaviour where ended_week = %(week)s limit 1),
            (select max(ended_week) from evaluated.behaviour)
        )
    """
    return [found for (found,) in connection.execute(statement, {"week": week})]


def _judged_by(connection: Connection[Any], week: str) -> set[str]:
    """By which policies the week's waits and sessions were judged: not by the present one where it was changed after
    they were loaded, or where they began before what a load judges again."""
    statement = """
        select policy_hash from evaluated.waits where settled_week = %(week)s
        union
        select policy_hash from evaluated.behaviour where ended_week = %(week)s
    """
    return {found for (found,) in connection.execute(statement, {"week": week})}


_Judges = set[tuple[Any, ...]]


def _judges(connection: Connection[Any], week: str) -> tuple[dict[tuple[str, str], _Judges], _Judges]:
    """By which rubrics, prompts and models the week's scores were given that count: by subject, and of all sessions."""
    statement = """
        select distinct
            t.subject_kind, coalesce(p.person_id, t.manager_id, 'none'), t.channel_id, t.rubric_id, t.rubric_version,
            t.prompt_hash, t.model, t.counted_criteria
        from evaluated.talk_scores as t
        left join reference.people as p on t.manager_id = p.manager_id
        where t.happened_week = %(week)s and t.judge = 'model' and t.counted_score is not null
    """
    found: dict[tuple[str, str], _Judges] = defaultdict(set)
    of_sessions: _Judges = set()
    for kind, person, channel, *judge, criteria in connection.execute(statement, {"week": week}):
        for subject in (("manager", person), ("channel", channel)):
            found[subject].add((*judge, *criteria))
        if kind == "session":
            of_sessions.add((*judge, *criteria))
    return found, of_sessions
