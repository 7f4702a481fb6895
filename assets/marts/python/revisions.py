"""``week_revisions`` and ``week_changes``: whether a publication says something new about a week, and what.

Here: the decision. A revision is what people were shown: a new one is written when a figure (numerator, denominator or
value), a row of it, the cases behind it or the rules of the comparison are others than in the latest; publishing the
same again adds nothing (contract, section 8). It says why: the rules; the links of customers, where all cases that
differ are of somebody who is one human with others now (promise P8); else late data. Not here: reading and writing the
facts themselves (``facts``).

How complete a week is belongs to no revision: it can become known later without any figure changing, and comparisons
take it from ``data_status``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg import Connection

from assets.marts.python import facts
from assets.marts.python.snapshot import Figure, Key, figures_published
from assets.marts.python.tables import PUBLISHED, exists
from conversations.comparable import is_scored_since
from conversations.metrics import OF_SCORES
from conversations.policy import DEFINITION_VERSION, Policy
from conversations.window import monday_of

_NO_CASES = facts.Changed(0, 0)


@dataclass(frozen=True)
class Revision:
    """The revision that a week has once this publication is swapped in."""

    week: str
    number: int
    reason: Literal["first", "late_data", "links", "rules"] | None
    """``None``: it is the latest published one, nothing is written."""
    figures: Mapping[Key, Figure]
    before: Mapping[Key, Figure]
    cases: facts.Changed = _NO_CASES
    """How many cases differ from the revision before."""
    links_change: int | None = None
    """The last change of customers' links that the judgement has."""

    def changes(self) -> Iterator[dict[str, Any]]:
        """Rows of ``week_changes``: none of a first revision, which changes nothing."""
        if self.reason is None or self.number == 1:
            return
        for key in sorted({*self.figures, *self.before}):
            now, was = self.figures.get(key), self.before.get(key)
            if _said(now) != _said(was):
                kind, subject, metric = key
                yield {
                    "week": self.week, "revision": self.number, "subject_kind": kind, "subject_key": subject,
                    "metric": metric,
                    **dict(zip(("was_hits", "was_n", "was_value"), _said(was), strict=True)),
                    **dict(zip(("hits", "n", "value"), _said(now), strict=True)),
                }  # fmt: skip

    def row(self, policy: Policy, published_at: datetime, waits: int, sessions: int) -> dict[str, Any]:
        """The row of ``week_revisions``."""
        instants = [figure.as_of for figure in self.figures.values()]
        return {
            "week": self.week,
            "week_starts_on": monday_of(self.week),
            "revision": self.number,
            "published_at": published_at,
            "as_of": None if not instants or None in instants else min(one for one in instants if one is not None),
            "reason": self.reason,
            "changed_rows": sum(1 for _ in self.changes()),
            "changed_cases": self.cases.cases,
            "changed_cases_by_links": self.cases.by_links,
            "links_change": self.links_change,
            "waits": waits,
            "sessions": sessions,
            "policy_hash": policy.hash,
            "definition_version": DEFINITION_VERSION,
        }


def latest(connection: Connection[Any], weeks: Collection[str]) -> dict[str, int]:
    """The latest published revision of each of the weeks that has one; weeks of an older platform have none."""
    if not exists(connection, PUBLISHED, "week_revisions"):
        return {}
    statement = "select week, max(revision) from marts.week_revisions where week = any(%s) group by week"
    return dict(connection.execute(statement, [list(weeks)]).fetchall())


def decide(connection: Connection[Any], week: str, figures: Mapping[Key, Figure]) -> Revision:
    """Compare a week as it is now with what was published last."""
    number = latest(connection, [week]).get(week, 0)
    links = facts.links_change(connection)
    if number == 0:
        return Revision(week, 1, "first", figures, {}, links_change=links)
    before = figures_published(connection, week, number)
    is_otherwise = _judged_otherwise(figures, before) or facts.people_moved(connection, week, number)
    is_changed = {key: _said(one) for key, one in figures.items()} != {key: _said(one) for key, one in before.items()}
    if not (is_otherwise or is_changed or any(facts.differ(connection, name, week, number) for name in facts.FACTS)):
        return Revision(week, number, None, figures, before)
    cases = facts.changed(connection, week, number)
    # late data where there are any: both are counted, and the reason is never less than the whole
    is_by_links = 0 < cases.by_links == cases.cases
    reason = "rules" if is_otherwise else "links" if is_by_links else "late_data"
    return Revision(week, number + 1, reason, figures, before, cases, links)


def _said(figure: Figure | None) -> tuple[int | None, int | None, float | None]:
    return (None, None, None) if figure is None else (figure.hits, figure.n, figure.value)


def _judged_otherwise(figures: Mapping[Key, Figure], before: Mapping[Key, Figure]) -> bool:
    """Whether a row has another key, or the platform compares other metrics than it did. Scores may come to a published
    week at any time, with the week they are about: they are late data."""
    keys = [(before[key].rules_key, figures[key].rules_key) for key in figures.keys() & before.keys()]
    if any(was != now and not is_scored_since(was, now) for was, now in keys):
        return True
    compared, was = ({metric for _, _, metric in side} - OF_SCORES for side in (figures, before))
    return compared != was
