"""The analyst reads marts and the masked views, and nothing else: tried on every table, as that role."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from resources.warehouse import urls
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import VIEWS
from resources.warehouse.schema import metadata

OPEN_VIEWS = set(VIEWS)
HIDDEN = {"text", "phone", "name", "payload", "customer_id"}


@pytest.fixture(scope="module")
def analyst(database: Warehouse) -> Iterator[psycopg.Connection]:
    with database.connect() as owner:
        owner.execute("create table marts.manager_week (week text)")
        owner.execute("create view marts.some_view as select week from marts.manager_week")
    # rights on the database itself are not cloned with it; and rights may be given any number of times
    database.migrate()
    with psycopg.connect(urls.with_driver(database.analyst_url, None), autocommit=True) as connection:
        yield connection


def relations(database: Warehouse) -> list[str]:
    with database.connect() as connection:
        rows = connection.execute(
            "select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_|^information_schema$'"
        )
        return [name for (name,) in rows]


def test_every_table_is_closed_but_marts_and_masked_views(database: Warehouse, analyst: psycopg.Connection) -> None:
    names = relations(database)
    assert set(metadata.tables) | OPEN_VIEWS < set(names)
    readable = set()
    for name in names:
        try:
            analyst.execute(f"select * from {name} limit 1")
            readable.add(name)
        except psycopg.errors.InsufficientPrivilege:
            continue
    assert readable == OPEN_VIEWS | {"marts.manager_week", "marts.some_view"}


@pytest.mark.parametrize("setting", ["on", "off"])
def test_nothing_can_be_written_read_only_or_not(
    database: Warehouse, analyst: psycopg.Connection, setting: str
) -> None:
    analyst.execute(f"set default_transaction_read_only = {setting}")
    statements = [f"insert into {name} default values" for name in relations(database)]
    statements += [f"delete from {name}" for name in relations(database)]
    statements += [f"create table {schema}.mine (a int)" for schema in ("marts", "core", "raw", "public", "ops")]
    statements += ["create schema mine", "create temp table mine (a int)", "create role mine", "set role otklik_owner"]
    done = []
    for statement in statements:
        try:
            analyst.execute(statement)
            done.append(statement)
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction):
            continue
    assert done == []
    analyst.execute("reset default_transaction_read_only")


def test_session_of_the_analyst_is_read_only_from_the_start(analyst: psycopg.Connection) -> None:
    assert analyst.execute("show default_transaction_read_only").fetchone() == ("on",)
    assert analyst.execute("select rolsuper or rolcreatedb or rolcreaterole from pg_roles where rolname = current_user"
                           ).fetchone() == (False,)  # fmt: skip


def test_masked_views_hold_nothing_personal(database: Warehouse, analyst: psycopg.Connection) -> None:
    for view in OPEN_VIEWS:
        columns = {column.name for column in analyst.execute(f"select * from {view} limit 0").description or ()}
        assert columns
        assert not columns & HIDDEN
        described = metadata.tables[view.removesuffix("_masked")].columns
        for column in columns & set(described.keys()):
            assert described[column].info["pii"] in ("none", "pseudonym"), f"{view}.{column}"


def test_masked_views_show_rows_without_their_text(database: Warehouse, analyst: psycopg.Connection) -> None:
    with database.connect() as owner:
        owner.execute(
            "insert into core.messages (conversation_id, message_id, connection_id, direction, sender_kind, is_public,"
            " delivery_status, content_kind, text, flags, ingested_at, raw_stream, raw_id)"
            " values ('c', 'm', 'x', 'in', 'customer', true, 'sent', 'text', 'канарейка', '{}', now(), 'messages', 'm')"
        )
    row = analyst.execute("select t::text, text_characters from core.messages_masked t").fetchone()
    assert row is not None
    assert "канарейка" not in row[0]
    assert row[1] == 9
    # a filter that fails on a hidden value would tell it: the view has no such column to filter on
    with pytest.raises(psycopg.errors.UndefinedColumn):
        analyst.execute("select 1 from core.messages_masked where 1 / (length(text) - 9) > 0")


def test_tables_that_come_later_to_marts_are_open_too(database: Warehouse, analyst: psycopg.Connection) -> None:
    with database.connect() as owner:
        owner.execute("create table marts.later (a int)")
    assert analyst.execute("select count(*) from marts.later").fetchone() == (0,)
