"""What the analyst sees: masked views without anything personal in them, and marts as soon as they are there."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role
from resources.warehouse.schema import metadata
from resources.warehouse.views import VIEWS

HIDDEN = {"text", "phone", "name", "payload", "customer_id"}


@pytest.fixture
def analyst(database: Warehouse) -> Iterator[psycopg.Connection]:
    with database.as_role(Role.ANALYST).connect(autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("view", VIEWS)
def test_masked_views_hold_nothing_personal(view: str, analyst: psycopg.Connection) -> None:
    columns = {column.name for column in analyst.execute(f"select * from {view} limit 0").description or ()}
    assert columns
    assert not columns & HIDDEN
    described = metadata.tables[view.removesuffix("_masked")].columns
    for column in columns & set(described.keys()):
        assert described[column].info["pii"] in ("none", "pseudonym"), f"{view}.{column}"


def test_masked_views_show_rows_without_their_text(database: Warehouse, analyst: psycopg.Connection) -> None:
    with database.as_role(Role.LOADER).connect() as loader:
        loader.execute(
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


def test_session_of_the_analyst_is_read_only_from_the_start(database: Warehouse) -> None:
    with database.as_role(Role.ANALYST).connect() as analyst:
        assert analyst.execute("show default_transaction_read_only").fetchone() == ("on",)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            analyst.execute("create table marts.mine (a int)")


@pytest.mark.parametrize("maker", [Role.PUBLISHER, Role.OWNER])
def test_marts_that_come_later_are_open_too(database: Warehouse, maker: Role) -> None:
    with database.as_role(maker).connect() as connection:
        connection.execute(f"create table marts.later_{maker} (a int)")
    try:
        for reader in (Role.ANALYST, Role.DESK):
            with database.as_role(reader).connect() as connection:
                assert connection.execute(f"select count(*) from marts.later_{maker}").fetchone() == (0,)
    finally:
        with database.connect() as connection:
            connection.execute(f"drop table marts.later_{maker}")
