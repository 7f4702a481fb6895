"""``replace_people()``: who is who and in which team, from the policy and the directories, as reference tables.

Here: one transaction that reads ``core.managers`` and exchanges both tables, or writes nothing where they already say
so. Not here: what follows from the policy (``conversations.people``), when it runs (``assets.reference``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from conversations.people import Known, people_of
from conversations.policy import Policy
from resources.warehouse.engine import Warehouse
from resources.warehouse.failpoints import fail_point
from resources.warehouse.locks import people_lock

_COLUMNS = {
    "people": ("manager_id", "person_id", "person_name"),
    "person_teams": ("person_id", "valid_from", "team_id"),
}


@dataclass(frozen=True)
class PeopleCounts:
    """What the tables hold after the call, in rows and people."""

    accounts: int
    people: int
    stays: int
    missing: tuple[str, ...]
    """Accounts that the policy names and no source knows."""
    is_written: bool
    """False: the tables said so already and were left alone."""


def replace_people(warehouse: Warehouse, policy: Policy) -> PeopleCounts:
    """Bring ``reference.people`` and ``reference.person_teams`` up to the policy and ``core.managers``.

    Readers see the former people or the new ones, never a mixture. Doing it again writes nothing.

    Raises:
        Busy: another process has been writing them for long.
        WarehouseUnavailable: the database went away; nothing was changed.
    """
    with (
        warehouse.connect("otklik people", autocommit=True) as connection,
        people_lock(connection),
        connection.transaction(),
    ):
        managers = connection.execute("select manager_id, name, team_id from core.managers").fetchall()
        people = people_of(policy, [Known(*row) for row in managers])
        wanted: dict[str, Sequence[tuple[Any, ...]]] = {"people": people.accounts, "person_teams": people.stays}
        changed = [name for name, rows in wanted.items() if _stored(connection, name) != {tuple(row) for row in rows}]
        for name in changed:
            _replace(connection, name, wanted[name])
        if changed:
            fail_point("reference.before_commit")
    return PeopleCounts(
        accounts=len(people.accounts),
        people=len({account.person_id for account in people.accounts}),
        stays=len(people.stays),
        missing=tuple(people.missing),
        is_written=bool(changed),
    )


def _stored(connection: psycopg.Connection[Any], name: str) -> set[tuple[Any, ...]]:
    statement = sql.SQL("select {} from {}").format(_names(name), sql.Identifier("reference", name))
    return set(connection.execute(statement).fetchall())


def _replace(connection: psycopg.Connection[Any], name: str, rows: Sequence[tuple[Any, ...]]) -> None:
    table = sql.Identifier("reference", name)
    connection.execute(sql.SQL("delete from {}").format(table))
    copying = sql.SQL("copy {} ({}) from stdin").format(table, _names(name))
    with connection.cursor() as cursor, cursor.copy(copying) as copy:
        for row in rows:
            copy.write_row(row)


def _names(name: str) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, _COLUMNS[name]))
