"""The description of the tables is the database: same tables, same columns, same comments; every text has a class."""

from __future__ import annotations

from typing import get_args

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from conversations import records, timeline
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import MigrationsPending, WarehouseError
from resources.warehouse.migrations import configuration
from resources.warehouse.schema import PII_CLASSES, metadata

RECORDS = {
    "core.channels": records.Channel,
    "core.managers": records.Manager,
    "core.customers": records.Customer,
    "core.conversations": records.Conversation,
    "core.messages": records.Message,
    "core.events": records.Event,
    "core.orders": records.Order,
    "evaluated.waits": timeline.Wait,
    "evaluated.sessions": timeline.Session,
    "evaluated.left_waiting": timeline.LeftWaiting,
    "evaluated.behaviour": timeline.Behaviour,
    "evaluated.advice": timeline.Advice,
}


def test_migrated_database_equals_the_metadata(database: Warehouse) -> None:
    options = configuration()
    target = options.pop("target_metadata")
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={**options, "target_metadata": target})
        assert compare_metadata(context, target) == []


def test_migrating_again_does_nothing(database: Warehouse) -> None:
    assert database.migrate() == []
    database.check_migrations()


def test_unmigrated_database_is_refused_with_what_to_do(database_server) -> None:
    name = database_server.create(f"{database_server.owner}_unmigrated")
    with database_server.warehouse(name) as warehouse, pytest.raises(MigrationsPending, match="otklik up"):
        warehouse.check_migrations()
    database_server.drop(name)


def test_database_newer_than_the_code_is_refused(fresh_database: Warehouse) -> None:
    with fresh_database.connect() as connection:
        connection.execute("update ops.alembic_version set version_num = '9999'")
    with pytest.raises(WarehouseError, match="update the code"):
        fresh_database.migrate()


def test_every_column_says_what_it_is_and_how_private() -> None:
    for table in metadata.tables.values():
        assert table.comment, table.key
        for column in table.columns:
            where = f"{table.key}.{column.name}"
            assert column.comment, where
            assert column.info["pii"] in PII_CLASSES, where
            if isinstance(column.type, Text | JSONB | ARRAY):
                assert "pii" in column.info, where
            if column.name.endswith("_seconds"):
                assert column.info["unit"] == "seconds", where


def test_free_text_is_never_classed_as_harmless() -> None:
    for key in ("core.messages.text", "core.customers.name", "core.customers.phone", "core.managers.name"):
        table, _, column = key.rpartition(".")
        assert metadata.tables[table].columns[column].info["pii"] not in ("none", "pseudonym"), key
    for table in metadata.tables.values():
        if table.schema == "raw":
            assert table.c.payload.info["pii"] == "content"


@pytest.mark.parametrize("key", RECORDS)
def test_tables_hold_the_fields_of_their_records(key: str) -> None:
    columns = metadata.tables[key].columns
    assert set(RECORDS[key]._fields) <= set(columns.keys())
    optional = {name for name, kind in RECORDS[key].__annotations__.items() if "None" in str(kind)}
    for name in RECORDS[key]._fields:
        assert columns[name].nullable == (name in optional), f"{key}.{name}"
    assert get_args(records.Record)
