"""How the judging of talk goes, for whoever watches: how the last run ended, which days nobody has judged.

Here: one line in ``ops.audit`` when a run ends otherwise than the one before, and reading both facts. Not here: what is
trouble (``conversations.alerts``), a run (``resources.scoring``).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from conversations.alerts import Scoring
from conversations.policy import Policy
from conversations.policy_scoring import SCORED_NIGHTS
from resources.warehouse.audit import record

_ACTION = "score"
_ALL = "everything was bought"
_STOPPED = "stopped: "
LOOK_BACK_DAYS = 7
"""Days that are looked through for one that nobody has judged."""


def note_end(connection: psycopg.Connection[Any], stopped: Collection[str], at: datetime | None = None) -> None:
    """Write down how a run with a model ended, where the one before ended otherwise; commits nothing by itself.

    Args:
        stopped: what ended its buying: run, day, department, unavailable; empty: it could buy everything.
        at: when; without it the machine's now, as a fixed clock of the data would put two ends at one instant.
    """
    subject = f"{_STOPPED}{', '.join(sorted(stopped))}" if stopped else _ALL
    if (_last(connection) or (_ALL, None))[0] != subject:
        record(connection, _ACTION, subject, at=at)


def scoring_state(connection: psycopg.Connection[Any], policy: Policy, now: datetime) -> Scoring:
    """What a watcher should know.

    A day is missed when its calls and their words were there before one of the nights that should have judged them, a
    day has passed since, and not one scorecard of that day is there: rules judge every talk, so a run leaves some,
    whatever the budget. Days that were loaded after those nights are nobody's duty: loading buys nothing. Chats are
    watched by failed runs only.
    """
    last = _last(connection)
    stopped, stopped_at = frozenset[str](), None
    if last is not None and last[0].startswith(_STOPPED):
        stopped, stopped_at = frozenset(last[0].removeprefix(_STOPPED).split(", ")), last[1]
    missed = _missed(connection, policy, now) if policy.departments and policy.scoring.calls_enabled else []
    since = None
    if missed:
        since = datetime.combine(missed[0][1], time(), ZoneInfo(policy.time_zone)).astimezone(UTC)
    return Scoring(stopped, stopped_at, tuple(day for day, _ in missed), since)


def _last(connection: psycopg.Connection[Any]) -> tuple[str, datetime] | None:
    row = connection.execute(
        "select subject, at from ops.audit where action = %s order by at desc, audit_id desc limit 1", [_ACTION]
    ).fetchone()
    return None if row is None else (row[0], row[1])


def _missed(connection: psycopg.Connection[Any], policy: Policy, now: datetime) -> list[tuple[date, date]]:
    """The days, and the night of each that should have judged it."""
    today = now.astimezone(ZoneInfo(policy.time_zone)).date()
    last = today - timedelta(days=policy.scoring.day_ago + 1)
    rows = connection.execute(
        _MISSED,
        {
            "first": last - timedelta(days=LOOK_BACK_DAYS - 1),
            "last": last,
            "zone": policy.time_zone,
            "day_ago": policy.scoring.day_ago,
            "nights": SCORED_NIGHTS,
            "today": today,
        },
    )
    return rows.fetchall()


_MISSED = """
select e.business_on, min(n.night)
from evaluated.call_eligibility as e
join core.calls as c on c.call_id = e.call_id
join core.call_transcripts as t on t.call_id = e.call_id
cross join lateral (
    -- the first night that judges the day and that began when its words were there
    select greatest(
        e.business_on + %(day_ago)s, (greatest(c.ingested_at, t.ingested_at) at time zone %(zone)s)::date + 1
    ) as night
) as n
where
    e.business_on between %(first)s and %(last)s and e.why_not is null
    and n.night < e.business_on + %(day_ago)s + %(nights)s and n.night < %(today)s
    and not exists (select from evaluated.scorecards as s where s.happened_on = e.business_on)
group by e.business_on
order by e.business_on
"""
