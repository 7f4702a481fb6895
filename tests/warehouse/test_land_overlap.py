"""A page is stored while the next one is read: what that may not change, whoever fails in between.

Here: also ``CopyCommit`` by itself. Not here: kills of the loader (``tests/chaos``).
"""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic, sleep
from typing import Any

import psycopg
import pytest

from conversations.source import RawRow
from resources.warehouse.copy_binary import END, HEADER, count, text
from resources.warehouse.copy_commit import LONGEST, CopyCommit
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import WarehouseUnavailable
from resources.warehouse.roles import Role
from tests.loader import land
from tests.warehouse.sources import START, WINDOW, FakeSource, row

TABLE = "raw.retailcrm__messages"
LONG = 120.0
"""Seconds that nothing here takes, on however busy a machine."""
ROWS = [row(number) for number in range(50)]


class Cut(Exception):
    """The reading ends here."""


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    yield
    with database.connect() as connection:
        connection.execute(f"truncate {TABLE}, ops.cursors, ops.read_pages")


def ids(warehouse: Warehouse) -> list[int]:
    with warehouse.connect() as connection:
        found = connection.execute(f"select external_id::int from {TABLE} where connection_id = 'shop' order by 1")
        return [one for (one,) in found]


def insert(connection: psycopg.Connection[Any], number: int) -> None:
    connection.execute(
        f"insert into {TABLE} values ('shop', %s, %s, %s, '{{}}', '\\x00', now(), now(), %s, null)",
        (str(number), START, START, START),
    )


@pytest.mark.parametrize("known", [[], [row(40)]], ids=["empty window", "window with a row"])
def test_the_next_page_is_read_while_this_one_is_stored(database: Warehouse, known: list[RawRow]) -> None:
    """The first page waits for a lock until the second one is asked for; then the key refuses it, and it is redone."""
    land(FakeSource(known), "messages", WINDOW, database)
    source, seen = FakeSource(ROWS[:20]), []
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like 'copy %%'"
    with database.connect() as foreign, database.as_role(Role.LOADER).connect(autocommit=True) as watcher:
        # a loader that waited for its page would wait for ever: the server ends that, and the list below stays empty
        foreign.execute(f"set idle_in_transaction_session_timeout = '{LONG:.0f}s'")
        insert(foreign, 5)

        def before_page(number: int) -> None:
            if number == 1:
                until = monotonic() + LONG
                while watcher.execute(waiting).fetchone() == (0,) and monotonic() < until:
                    sleep(0.01)
                seen.append(watcher.execute(waiting).fetchone())
                foreign.commit()

        source.before_page = before_page
        landed = land(source, "messages", WINDOW, database)
    assert seen == [(1,)]
    assert (landed.pages, landed.rows, landed.inserted, landed.updated) == (3, 20, 19, 1)
    assert ids(database) == [*range(20), *(int(one.external_id) for one in known)]
    with database.connect() as connection:
        assert connection.execute(f"select payload->>'id' from {TABLE} where external_id = '5'").fetchone() == ("5",)


@pytest.mark.parametrize("ending", [Cut, KeyboardInterrupt, SystemExit])
def test_a_page_on_its_way_is_stored_and_told_whatever_the_source_ends_with(
    database: Warehouse, ending: type[BaseException]
) -> None:
    source, told = FakeSource(ROWS), []

    def before_page(number: int) -> None:
        if number == 3:
            raise ending

    source.before_page = before_page
    with pytest.raises(ending):
        land(source, "messages", WINDOW, database, progress=lambda landed: told.append(landed.rows))
    assert told == [10, 20, 30]
    assert ids(database) == [*range(30)]
    # the session has left its lock and no transaction behind
    source.before_page = lambda number: None
    assert land(source, "messages", WINDOW, database).inserted == 20


def test_a_session_that_is_lost_loses_a_page_with_its_cursor_or_nothing(database: Warehouse) -> None:
    source = FakeSource(ROWS)

    def before_page(number: int) -> None:
        if number == 3:
            with database.as_role(Role.LOADER).connect() as connection:
                connection.execute(
                    "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
                    " where application_name like 'otklik land%%' and datname = current_database()"
                )

    source.before_page = before_page
    with pytest.raises(WarehouseUnavailable):
        land(source, "messages", WINDOW, database)
    with database.connect() as connection:
        (position,) = connection.execute("select cursor->'position' from ops.cursors").fetchone() or ()
    assert position in (20, 30)
    assert ids(database) == [*range(position)]
    source.before_page = lambda number: None
    landed = land(source, "messages", WINDOW, database)
    assert (landed.resumed, landed.inserted, ids(database)) == (True, 50 - position, [*range(50)])


@pytest.mark.parametrize("is_cut", [True, False])
def test_what_was_told_is_on_the_disk_when_a_reading_has_ended(fresh_database: Warehouse, is_cut: bool) -> None:
    """Commits of pages wait for no disk; whoever hears of the end must be able to rely on them (F2, F4)."""
    source, written = FakeSource(ROWS), []

    def before_page(number: int) -> None:
        if number == 3 and is_cut:
            raise Cut

    source.before_page = before_page
    with fresh_database.connect(autocommit=True) as watcher:
        # as servers are that are no tests'
        watcher.execute("alter database " + watcher.info.dbname + " set synchronous_commit = on")

        def progress(_: object) -> None:
            written.append(watcher.execute("select pg_current_wal_insert_lsn()").fetchone())

        try:
            land(source, "messages", WINDOW, fresh_database, progress=progress)
        except Cut:
            assert is_cut
        is_kept = watcher.execute("select pg_current_wal_flush_lsn() >= %s::pg_lsn", written[-1]).fetchone()
    assert len(written) == (3 if is_cut else 6)
    assert is_kept == (True,)


# ---- the end of a transaction by itself ------------------------------------------------------------------------------


@pytest.fixture
def session(database: Warehouse) -> Iterator[psycopg.Connection[Any]]:
    with database.connect(autocommit=True) as connection:
        connection.execute("create temp table kept (word text); create unique index on kept (md5(word))")
        yield connection


def words(*values: str) -> list[bytes]:
    return [HEADER, *(count(1) + text(value) for value in values), END]


def stored(session: psycopg.Connection[Any]) -> list[str]:
    assert session.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    return [word for (word,) in session.execute("select word from kept order by length(word), word")]


def copied(session: psycopg.Connection[Any], *values: str) -> CopyCommit:
    """A transaction that is on its way."""
    session.execute("begin")
    ending = CopyCommit(session)
    ending.begin("copy kept from stdin (format binary)")
    ending.rows(words(*values))
    ending.end()
    return ending


def test_rows_are_committed_without_being_waited_for(session: psycopg.Connection[Any]) -> None:
    long = "я" * LONGEST + "end"
    copied(session, "a", "b", long).finish()
    assert stored(session) == ["a", "b", long]


def test_a_transaction_without_rows_is_committed_as_well(session: psycopg.Connection[Any]) -> None:
    ending = CopyCommit(session)
    for word in ("a", "b"):
        session.execute("begin")
        session.execute("insert into kept values (%s)", (word,))
        ending.end()
        ending.finish()
    assert stored(session) == ["a", "b"]


def test_a_refused_row_rolls_all_of_it_back_and_the_session_goes_on(session: psycopg.Connection[Any]) -> None:
    copied(session, "a").finish()
    ending = copied(session, "b", "a")
    with pytest.raises(psycopg.errors.UniqueViolation):
        ending.finish()
    assert stored(session) == ["a"]
    copied(session, "b").finish()
    assert stored(session) == ["a", "b"]


@pytest.mark.parametrize(
    ("statement", "problem"),
    [("copy nothing from stdin", psycopg.errors.UndefinedTable), ("select 1", psycopg.ProgrammingError)],
)
def test_a_refused_statement_is_told(
    session: psycopg.Connection[Any], statement: str, problem: type[psycopg.Error]
) -> None:
    session.execute("begin")
    ending = CopyCommit(session)
    ending.begin(statement)
    with pytest.raises(problem):
        ending.rows(words("a"))
    ending.give_up()
    assert stored(session) == []


def test_a_transaction_that_had_failed_is_not_taken_for_a_committed_one(session: psycopg.Connection[Any]) -> None:
    session.execute("begin")
    session.execute("insert into kept values ('a')")
    with pytest.raises(psycopg.errors.UndefinedTable):
        session.execute("select from nothing")
    ending = CopyCommit(session)
    ending.end()
    with pytest.raises(psycopg.InternalError, match="has not committed"):
        ending.finish()
    assert stored(session) == []


@pytest.mark.parametrize("steps", range(3))
def test_giving_up_leaves_nothing_wherever_it_stands(session: psycopg.Connection[Any], steps: int) -> None:
    ending = CopyCommit(session)
    session.execute("begin")
    session.execute("insert into kept values ('b')")
    if steps > 0:
        ending.begin("copy kept from stdin (format binary)")
    if steps > 1:
        ending.rows(words("a")[:-1])
    ending.give_up()
    assert stored(session) == []
    copied(session, "c").finish()
    assert stored(session) == ["c"]
