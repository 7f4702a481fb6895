"""Who is who as tables: whole or not at all, untouched when equal, one writer at a time, killed and well again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest

from conversations.people import ALWAYS
from conversations.policy import Policy
from resources.warehouse import locks, reference
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy
from resources.warehouse.locks import people_lock
from resources.warehouse.reference import PeopleCounts, replace_people
from resources.warehouse.roles import Role
from tests.chaos.conftest import WEEK, nursery  # noqa: F401 - a fixture
from tests.chaos.nursery import KILLED, Nursery

POLICY = """
teams: {sales: none, care: none}
people:
  anna: {name: Анна Петрова, accounts: [a:1, b:7, c:9], team: [{team: sales}, {valid_from: 2026-11-16, team: care}]}
"""
PEOPLE = [("a:1", "anna", "Анна Петрова"), ("a:2", "a:2", "Вера"), ("b:7", "anna", "Анна Петрова")]
STAYS = [("a:2", ALWAYS, "sales"), ("anna", ALWAYS, "sales"), ("anna", date(2026, 11, 16), "care")]


@pytest.fixture(autouse=True)
def _managers(database: Warehouse) -> Iterator[None]:
    with database.connect() as connection:
        connection.execute("delete from core.managers")
        connection.execute("delete from reference.people")
        connection.execute("delete from reference.person_teams")
    known(database, ("a:1", "Анна", None), ("b:7", "anna", None), ("a:2", "Вера", "sales"))
    yield


def known(database: Warehouse, *managers: tuple[str, str, str | None]) -> None:
    with database.connect() as connection:
        for manager_id, name, team in managers:
            connection.execute(
                "insert into core.managers values (%s, %s, %s, %s, true) on conflict (manager_id)"
                " do update set name = excluded.name, team_id = excluded.team_id",
                (manager_id, manager_id[0], name, team),
            )


def replaced(database: Warehouse, policy: str = POLICY) -> PeopleCounts:
    return replace_people(database.as_role(Role.LOADER), Policy.parse(policy))


def stored(database: Warehouse) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    with database.connect() as connection:
        return (
            connection.execute("select * from reference.people order by manager_id").fetchall(),
            connection.execute("select * from reference.person_teams order by person_id, valid_from").fetchall(),
        )


def versions(database: Warehouse) -> list[tuple[Any, ...]]:
    """Which transaction wrote each row, and where it stands."""
    with database.connect() as connection:
        return connection.execute(
            "select xmin::text, ctid::text from reference.people"
            " union all select xmin::text, ctid::text from reference.person_teams order by 1, 2"
        ).fetchall()


def test_the_tables_say_what_the_policy_and_the_sources_say(database: Warehouse) -> None:
    assert replaced(database) == PeopleCounts(3, 2, 3, ("c:9",), True)
    assert stored(database) == (PEOPLE, STAYS)


def test_a_second_time_writes_nothing(database: Warehouse) -> None:
    replaced(database)
    before = versions(database)
    assert not replaced(database).is_written
    assert versions(database) == before


def test_a_change_replaces_what_was_there(database: Warehouse) -> None:
    replaced(database)
    known(database, ("a:2", "Вера Ким", None), ("d:1", "Глеб", "care"))
    assert replaced(database).is_written
    people, stays = stored(database)
    assert ("a:2", "a:2", "Вера Ким") in people and ("d:1", "d:1", "Глеб") in people
    assert ("a:2", ALWAYS, None) in stays and ("d:1", ALWAYS, "care") in stays
    assert replaced(database, "{}").is_written
    assert [row[:2] for row in stored(database)[0]] == [(one, one) for one in ("a:1", "a:2", "b:7", "d:1")]


def test_readers_never_see_a_mixture(database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both tables are written and not yet committed: others still read the former rows of both."""
    replaced(database)
    seen: list[Any] = []
    monkeypatch.setattr(reference, "fail_point", lambda name: seen.append((name, stored(database))))
    replaced(database, "{}")
    assert seen == [("reference.before_commit", (PEOPLE, STAYS))]
    assert stored(database) != (PEOPLE, STAYS)


def test_who_is_being_written_is_busy(database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "PAUSE_SECONDS", 0.01)
    with (
        database.connect(autocommit=True) as one,
        database.connect(autocommit=True) as two,
        people_lock(one),
        pytest.raises(Busy, match="the people are being written"),
        people_lock(two, wait=0.05),
    ):
        raise AssertionError("two held it")


def test_two_at_once_end_as_one_alone(database: Warehouse) -> None:
    barrier = threading.Barrier(2)
    problems: list[BaseException] = []

    def write(policy: str) -> None:
        try:
            barrier.wait(5)
            for _ in range(5):
                replaced(database, policy)
        except BaseException as error:
            problems.append(error)

    writers = [threading.Thread(target=write, args=(policy,)) for policy in (POLICY, "{}")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert not problems
    alone = [[(one, one, name) for one, name in (("a:1", "Анна"), ("a:2", "Вера"), ("b:7", "anna"))], PEOPLE]
    assert stored(database)[0] in alone


def test_killed_before_the_commit(database: Warehouse, nursery: Nursery) -> None:  # noqa: F811
    known(database, ("a:2", "Вера до смены имени", "sales"))
    replaced(database, "{}")
    known(database, ("a:2", "Вера", "sales"))
    before = stored(database)
    order = {"policy": POLICY}
    worker = nursery.start("people", database, WEEK, fail_point="reference.before_commit:1", **order)
    assert worker.wait() == KILLED, worker.words
    assert stored(database) == before
    worker = nursery.start("people", database, WEEK, **order)
    assert worker.wait() == 0, worker.words
    assert stored(database) == (PEOPLE, STAYS)


@pytest.mark.parametrize("role", [Role.PUBLISHER, Role.DESK])
def test_others_only_read(database: Warehouse, role: Role) -> None:
    replaced(database)
    with database.as_role(role).connect() as connection:
        assert connection.execute("select count(*) from reference.people").fetchone() == (3,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("delete from reference.people")
