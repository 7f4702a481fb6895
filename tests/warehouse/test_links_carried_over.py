"""Who was one human before numbers said it as well: links of an older installation become people's list (0007).

The rows are written as revision 0006 had them. Not here: ids that a later revision renames.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command

from resources.warehouse.customer_links import refresh_links, replace_list
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role
from tests.conftest import DatabaseServer

LINKED = [("shop:8", "shop:5"), ("shop:9", "shop:5"), ("web:2", "web:1")]
"""Two humans: every id but the smallest of each, as the table had them."""
LISTED = [("shop:5", "shop:5"), ("shop:8", "shop:5"), ("shop:9", "shop:5"), ("web:1", "web:1"), ("web:2", "web:1")]
LIST, LINKS = ("select * from reference.customer_list order by 1", "select * from reference.customer_links order by 1")


def to(warehouse: Warehouse, revision: str) -> None:
    with warehouse.engine.begin() as connection:
        connection.exec_driver_sql("create schema if not exists ops")
        command.upgrade(warehouse._alembic(connection), revision)


def at(hour: int) -> datetime:
    return datetime(2026, 5, 4, hour, tzinfo=UTC)


def rows(warehouse: Warehouse, statement: str) -> list[tuple[Any, ...]]:
    with warehouse.connect() as sql:
        return sql.execute(statement).fetchall()  # type: ignore[call-overload, no-any-return]


@pytest.fixture(scope="module")
def older(database_server: DatabaseServer) -> Iterator[Warehouse]:
    """An installation of revision 0006 with a list, a missed call, a question, and marks."""
    name = database_server.create(f"otklik_{os.getpid()}_links_0006")
    with database_server.warehouse(name) as warehouse:
        to(warehouse, "0006")
        with warehouse.connect() as sql:
            sql.cursor().executemany("insert into reference.customer_links values (%s, %s)", LINKED)
            for one in ("shop:5", "shop:8", "shop:9", "web:1", "web:2", "web:3"):
                connection = one.partition(":")[0]
                sql.execute("insert into core.customers values (%s, %s, null, null, null)", (one, connection))
                sql.execute(
                    "insert into core.conversations (conversation_id, connection_id, channel_id, customer_id,"
                    " is_untimed, flags) values (%s, %s, 'w', %s, false, '{}')",
                    (f"{one}c", connection, one),
                )
            for chat, kind, hour in (("shop:5c", "missed_call", 12), ("shop:5c", "missed_call", 9),
                                     ("shop:8c", "message", 8), ("web:3c", "missed_call", 11)):  # fmt: skip
                _wait(sql, chat, kind, hour)
            sql.execute("insert into ops.dirty values ('web:3c', 'web', %s), ('shop:9c', 'shop', %s)", (at(7), at(6)))
        yield warehouse
    database_server.drop(name)


def _wait(sql: Any, chat: str, kind: str, hour: int) -> None:
    """A wait; of the columns that say nothing here, whatever may not be empty."""
    told = {
        "wait_id": f"{chat}:{hour}", "conversation_id": chat, "connection_id": chat.partition(":")[0],
        "channel_id": "w", "session_id": chat, "wait_kind": kind, "opened_at": at(hour), "outcome": "no_reply",
    }  # fmt: skip
    needed = sql.execute(
        "select column_name, data_type from information_schema.columns where table_schema = 'evaluated'"
        " and table_name = 'waits' and is_nullable = 'NO' and column_default is null"
    ).fetchall()
    empty = {"text": "", "boolean": False, "ARRAY": [], "timestamp with time zone": at(hour)}
    values = {name: told.get(name, empty.get(kind, 0)) for name, kind in needed} | told
    sql.execute(
        f"insert into evaluated.waits ({', '.join(values)}) values ({', '.join(f'%({name})s' for name in values)})",
        values,
    )


def test_the_links_become_the_list_and_stay_links_and_missed_calls_are_due(older: Warehouse) -> None:
    to(older, "0007")
    assert rows(older, LIST) == LISTED
    assert rows(older, LINKS) == [(*pair, "list") for pair in LINKED]
    due = "select conversation_id, connection_id, since, is_told from ops.dirty order by 1"
    assert rows(older, due) == [
        ("shop:5c", "shop", at(9), False),
        # a mark that was there, earlier ones kept; of the question nothing follows
        ("shop:9c", "shop", at(6), False),
        ("web:3c", "web", at(7), False),
    ]


def test_looking_for_links_afterwards_changes_nothing_and_a_new_list_takes_their_place(older: Warehouse) -> None:
    older.migrate()
    loader = older.as_role(Role.LOADER)
    before = rows(older, LINKS)
    assert len(before) == len(LINKED)
    found = refresh_links(loader, by_number=True)
    assert (found.people, found.customers, found.conversations) == (2, 5, 0)
    assert rows(older, LINKS) == before
    # people's list is what they say it is, whoever wrote the former one
    assert replace_list(loader, {}).conversations == 5
    assert (rows(older, LIST), rows(older, LINKS)) == ([], [])
