"""A table's hash depends on its rows and on nothing else."""

from __future__ import annotations

from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes


def of(database: Warehouse, *rows: str) -> str:
    with database.connect() as connection:
        connection.execute("truncate ops.as_of")
        for row in rows:
            connection.execute("insert into ops.as_of values (%s, '2026-05-04 00:00Z')", (row,))
    return table_hashes(database, ("ops",))["ops.as_of"]


def test_order_makes_no_difference_and_content_does(database: Warehouse) -> None:
    assert of(database, "a", "b") == of(database, "b", "a")
    assert len({of(database), of(database, "a"), of(database, "b"), of(database, "a", "b")}) == 4


def test_rows_that_occur_twice_count_twice(database: Warehouse) -> None:
    with database.connect() as connection:
        connection.execute("create table marts.twice (a int)")
        connection.execute("insert into marts.twice values (1)")
        connection.commit()
        once = table_hashes(database, ("marts",))
        connection.execute("insert into marts.twice values (1), (1)")
        connection.commit()
        assert table_hashes(database, ("marts",)) != once


def test_every_table_of_every_layer_has_one(database: Warehouse) -> None:
    hashes = table_hashes(database)
    assert {name.partition(".")[0] for name in hashes} >= {"raw", "core", "reference", "evaluated", "ops"}
    assert all(len(one) == 32 for one in hashes.values())
