"""``manager_week_delta`` and ``channel_week_delta``: each published week against the week before it.

Here: which rows, figures and cases are compared. Not here: the comparison (``conversations.delta``), what a case is
(``conversations.cases``).

Both sides of a row are the latest revision of their week: figures and rules from ``behavior_snapshot``, cases from
``published_waits``, ``published_sessions`` and ``published_scores``. Which revision that is, and whether it lies in
``marts_next`` or in ``marts``, is all that ``Sides`` knows. How complete a week is says ``data_status``: that may
become known later.

Main changes are picked among the rows of both tables together: the digest tells them as one list.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cache, lru_cache
from typing import Any

from psycopg import Connection, sql

from assets.marts.python import present
from assets.marts.python.ground import Completeness, completeness
from assets.marts.python.revisions import Revision, latest
from assets.marts.python.snapshot import KEYS, MARTS, Figure, Key, figures_published, is_complete
from assets.marts.python.tables import NEXT, PUBLISHED, dicts, exists
from conversations.cases import cases_of_session, cases_of_wait
from conversations.delta import Delta, Number, Week, delta, headlines
from conversations.metrics import METRICS, OF_SCORES, Metric
from conversations.window import iso_week, monday_of

AVERAGED, LEAST_AVERAGED = 4, 2
"""How many weeks before stand behind the average beside a change, and how many of them must have data."""
Sessions = Mapping[str, Sequence[Number]]
TABLES = {"manager": "manager_week_delta", "channel": "channel_week_delta"}
_ALWAYS = "in_target_share"
"""A metric that every row of a published week has."""
_SUBJECT = {
    "manager": ("manager_key", "manager_id", "manager_name", "team_id"),
    "channel": ("channel_id", "channel_kind", "channel_name"),
}
_WAITS = {
    "manager": "manager_key, outcome_manager, manager_wait_seconds, manager_wait_business_seconds",
    "channel": "channel_id, outcome, wait_seconds, wait_business_seconds",
}
_GOOD = {"manager": "is_good", "channel": "is_good_customer"}


def later(week: str, number: int) -> str:
    """The ISO week so many weeks later; earlier if negative.

    >>> later("2026-W53", 1)
    '2027-W01'
    """
    return iso_week(monday_of(week) + timedelta(days=7 * number))


class Sides:
    """The published weeks as they are once this publication is swapped in.

    ``figures(week)``: those of its latest revision; ``completeness(week)``: as last published; ``cases(week, kind)``:
    of each subject and metric, by session; ``absent(week)``: persons without a row by ruling 13. Each is read once.
    """

    def __init__(self, connection: Connection[Any], made: Mapping[str, Revision], time_zone: str) -> None:
        self._connection = connection
        self._made = made
        self._time_zone = time_zone
        around = {later(week, number) for week in made for number in range(-2 * AVERAGED, AVERAGED + 1)}
        self._latest = latest(connection, around)
        self.figures = cache(self._figures)
        self.completeness = cache(self._completeness)
        self.absent = cache(self._absent)
        self._accounts = cache(self._accounts_of)
        self._today = cache(present.today)
        # a week is asked for twice: as itself, and as the one before
        self.cases = lru_cache(maxsize=6)(self._cases)

    def revision(self, week: str) -> int | None:
        """The revision that counts; ``None``: the week has none."""
        made = self._made.get(week)
        return made.number if made is not None else self._latest.get(week)

    def to_compare(self) -> list[str]:
        """The weeks whose rows this publication makes: its own, and the published ones after them that they are the
        previous week or part of the average of."""
        wanted = {later(week, number) for week in self._made for number in range(AVERAGED + 1)}
        return sorted(week for week in wanted if self.revision(week) is not None)

    def subjects(self, week: str, kind: str) -> list[dict[str, Any]]:
        """The rows of manager_week or channel_week."""
        statement = sql.SQL("select * from {} where week = %(week)s order by {}").format(
            sql.Identifier(self._schema(week), MARTS[kind]), sql.Identifier(KEYS[kind])
        )
        return dicts(self._connection, statement, {"week": week})

    def is_moved(self, kind: str, key: str, week: str, other: str) -> bool:
        """Whether a person's figures of two weeks are made of other accounts."""
        if kind != "manager":
            return False
        return key in present.moved(self._accounts(week), self._accounts(other), self._today(self._connection))

    def _cases(self, week: str, kind: str) -> Mapping[tuple[str, str], Sessions]:
        """The cases of each subject and metric by session."""
        found: dict[tuple[str, str], dict[str, list[Number]]] = defaultdict(lambda: defaultdict(list))
        waits = sql.SQL(
            "select session_id, wait_kind, is_first_reply, {columns} from {} where week = %s and revision = %s"
        )
        for session, wait_kind, is_first, key, *view in self._rows("published_waits", waits, week, kind):
            outcome, seconds, business = view
            for name, value in cases_of_wait(wait_kind, outcome, is_first, seconds, business):
                found[key, name][session].append(value)
        sessions = sql.SQL(
            "select session_id, {key}, asked_clarifying, made_offer, has_next_step, {good}"
            " from {} where week = %s and revision = %s"
        )
        for session, key, *judged in self._rows("published_sessions", sessions, week, kind):
            for name, value in cases_of_session(*judged):
                found[key, name][session].append(value)
        if exists(self._connection, self._schema(week), "published_scores"):
            scores = sql.SQL(
                "select subject_kind || ' ' || subject_id, {key}, counted_score, has_counted_fail"
                " from {} where week = %s and revision = %s"
            )
            for talk, key, score, is_fail in self._rows("published_scores", scores, week, kind):
                found[key, "llm_score_avg"][talk].append(score)
                found[key, "auto_fail_share"][talk].append(int(is_fail))
        return found

    def _rows(self, name: str, statement: sql.SQL, week: str, kind: str) -> Iterator[tuple[Any, ...]]:
        query = statement.format(
            sql.Identifier(self._schema(week), name),
            key=sql.Identifier(KEYS[kind]),
            columns=sql.SQL(_WAITS[kind]),
            good=sql.Identifier(_GOOD[kind]),
        )
        return iter(self._connection.execute(query, [week, self.revision(week)]))

    def _figures(self, week: str) -> Mapping[Key, Figure]:
        if week in self._made:
            return self._made[week].figures
        number = self._latest.get(week)
        return {} if number is None else figures_published(self._connection, week, number)

    def _completeness(self, week: str) -> Completeness:
        return completeness(self._connection, self._schema(week), week)

    def _accounts_of(self, week: str) -> dict[str, str]:
        number = self.revision(week)
        return {} if number is None else present.accounts(self._connection, self._schema(week), week, number)

    def _absent(self, week: str) -> frozenset[str]:
        number = self.revision(week)
        if number is None:
            return frozenset()
        return present.absent(self._connection, self._schema(week), week, number, self._time_zone)

    def _schema(self, week: str) -> str:
        return NEXT if week in self._made else PUBLISHED


def rows(sides: Sides, week: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of a week by kind of subject: one per subject and metric that the week was published with."""
    made = [(kind, *pair) for kind in TABLES for pair in _compare(sides, kind, week)]
    # one family: what the week has in both tables
    for (_, row, _), is_headline in zip(made, headlines([found for _, _, found in made]), strict=True):
        row["is_headline"] = is_headline
    return {kind: [row for of, row, _ in made if of == kind] for kind in TABLES}


def _compare(sides: Sides, kind: str, week: str) -> Iterator[tuple[dict[str, Any], Delta]]:
    previous = later(week, -1)
    now, before = sides.cases(week, kind), sides.cases(previous, kind) if sides.revision(previous) else {}
    absent = sides.absent(previous) if kind == "manager" else frozenset()
    for subject in sides.subjects(week, kind):
        key = subject[KEYS[kind]]
        has_moved = sides.is_moved(kind, key, week, previous)
        for metric in METRICS:
            figure = sides.figures(week).get((kind, key, metric.name))
            if figure is None:
                continue
            then = sides.figures(previous).get((kind, key, metric.name)) if key not in absent else None
            known = sides.completeness(week).of(kind, key)
            this_week = Week(now.get((key, metric.name), {}), known, figure.rules_key)
            last_week = None
            if then is None and metric.name in OF_SCORES and (kind, key, _ALWAYS) in sides.figures(previous):
                # the row was there, and nothing of it was judged
                then = figure._replace(hits=0 if figure.hits is not None else None, n=0, value=None)
                then = None if key in absent else then
            if then is not None:
                known = sides.completeness(previous).of(kind, key)
                rules = (then.rules_key, "other accounts") if has_moved else then.rules_key
                last_week = Week(before.get((key, metric.name), {}), known, rules)
            found = delta(metric, key, week, str(figure.definition_version), this_week, last_week)
            row = (
                {name: subject[name] for name in _SUBJECT[kind]}
                | {"week": week, "week_starts_on": monday_of(week), "previous_week": previous}
                | {"revision": sides.revision(week), "previous_revision": sides.revision(previous)}
                | _compared(metric, figure, then, found)
                | _average(sides, week, (kind, key, metric.name), figure)
                | {
                    "completeness": this_week.completeness,
                    "previous_completeness": last_week.completeness if last_week is not None else None,
                }
            )
            yield row, found


def _compared(metric: Metric, figure: Figure, then: Figure | None, found: Delta) -> dict[str, Any]:
    return {
        "metric": metric.name,
        "kind": str(metric.kind),
        "sign": metric.sign,
        "hits": figure.hits,
        "n": found.n,
        "value": found.value,
        "previous_hits": then.hits if then is not None else None,
        "previous_n": found.previous_n,
        "previous_value": found.previous_value,
        "delta_status": str(found.status),
        "delta": found.delta,
        "low": found.low,
        "high": found.high,
        "p_value": found.p_value,
        "deff": found.deff,
        "previous_deff": found.previous_deff,
        "definition_version": figure.definition_version,
        "as_of": figure.as_of,
    }


def _average(sides: Sides, week: str, key: Key, figure: Figure) -> dict[str, Any]:
    """The mean of the weekly figures, each week once, of those of the four weeks before that are complete, have cases
    and were judged by the same rules: an average over two sets of targets would be the average of neither. Of a person
    weeks count that are made of the same accounts."""
    kind, subject, _ = key
    values = []
    for before in (later(week, -number) for number in range(1, AVERAGED + 1)):
        then = sides.figures(before).get(key)
        if then is None or then.value is None or then.rules_key != figure.rules_key:
            continue
        known = sides.completeness(before).of(kind, subject)
        if is_complete(known) and not sides.is_moved(kind, subject, week, before):
            values.append(then.value)
    if len(values) < LEAST_AVERAGED:
        return {"average_4w": None, "weeks_4w": 0}
    return {"average_4w": sum(values) / len(values), "weeks_4w": len(values)}
