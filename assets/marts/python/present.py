"""Who stands behind a manager's row of a published week: which accounts counted for whom, and who was there at all.

Here: persons whose figures of two weeks are made of different accounts, and persons who have no row by ruling 13. Not
here: what is made of it (``deltas``), whether a week gets a revision because of it (``facts.people_moved``).
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection, sql

from assets.marts.python.ground import NOBODY
from assets.marts.python.tables import exists
from conversations.window import monday_of


def accounts(connection: Connection[Any], schema: str, week: str, revision: int) -> dict[str, str]:
    """For whom each account counted in the facts of a week; accounts without a case are not in it."""
    statement = sql.SQL(
        "select owner_manager_id, manager_key from {waits} where week = %(week)s and revision = %(revision)s"
        " and owner_manager_id is not null union "
        "select manager_id, manager_key from {sessions} where week = %(week)s and revision = %(revision)s"
        " and manager_id is not null"
    ).format(waits=sql.Identifier(schema, "published_waits"), sessions=sql.Identifier(schema, "published_sessions"))
    if exists(connection, schema, "published_scores"):
        statement += sql.SQL(
            " union select manager_id, manager_key from {} where week = %(week)s and revision = %(revision)s"
            " and manager_id is not null"
        ).format(sql.Identifier(schema, "published_scores"))
    return dict(connection.execute(statement, {"week": week, "revision": revision}).fetchall())


def today(connection: Connection[Any]) -> dict[str, str]:
    """For whom each account counts now; who is not in it is a person by himself."""
    return dict(connection.execute("select manager_id, person_id from reference.people").fetchall())


def moved(one: dict[str, str], other: dict[str, str], now: dict[str, str]) -> frozenset[str]:
    """Persons who gained or lost an account between two weeks (``accounts``). Of an account without a case in one of
    them counts for whom it counts ``now``.

    >>> sorted(moved({"a": "anna"}, {"a": "anna", "b": "b"}, {"a": "anna", "b": "anna"}))
    ['anna', 'b']
    """
    found: set[str] = set()
    for account in one.keys() | other.keys():
        known = now.get(account, account)
        both = {one.get(account, known), other.get(account, known)}
        found |= both if len(both) > 1 else set()
    return frozenset(found)


def absent(connection: Connection[Any], schema: str, week: str, revision: int, time_zone: str) -> frozenset[str]:
    """Persons of manager_week who have no row for a comparison (ruling 13): not assigned, did not write, own no wait.

    They stand in manager_week because a session ended, or a wait is pending or was left. *Owns a settled wait*: has one
    in ``published_waits`` of the revision, whatever its outcome. *Wrote*: a public message of one of his accounts in
    ``core.messages``, *was assigned*: an event ``assigned`` to one of them in ``core.events``, both within the week and
    as known now. Only who owns no wait is looked up there. The row without a manager is nobody's absence.
    """
    monday = datetime.combine(monday_of(week), time(), ZoneInfo(time_zone))
    statement = sql.SQL(
        """
        with without as materialized (
            select m.manager_key
            from {managers} as m
            where
                m.week = %(week)s and m.manager_key <> %(nobody)s
                and not exists (
                    select from {waits} as w
                    where w.week = m.week and w.revision = %(revision)s and w.manager_key = m.manager_key
                )
        ),

        accounts as materialized (
            select w.manager_key, m.manager_id, m.connection_id
            from without as w
            inner join core.managers as m on true
            left join reference.people as p on m.manager_id = p.manager_id
            where coalesce(p.person_id, m.manager_id) = w.manager_key
        ),

        there as (
            select a.manager_key
            from accounts as a
            inner join core.messages as m on a.connection_id = m.connection_id and a.manager_id = m.manager_id
            where m.sent_at >= %(start)s and m.sent_at < %(end)s and m.sender_kind = 'manager' and m.is_public
            union
            select a.manager_key
            from accounts as a
            inner join core.events as e on a.connection_id = e.connection_id and a.manager_id = e.manager_id
            where e.at >= %(start)s and e.at < %(end)s and e.kind = 'assigned'
        )

        select manager_key from without except select manager_key from there
        """
    ).format(managers=sql.Identifier(schema, "manager_week"), waits=sql.Identifier(schema, "published_waits"))
    given = {
        "week": week, "revision": revision, "nobody": NOBODY, "start": monday, "end": monday + timedelta(days=7),
    }  # fmt: skip
    return frozenset(key for (key,) in connection.execute(statement, given))
