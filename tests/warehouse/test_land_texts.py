"""Landing texts of any kind: stored and read back as the source sent them, and never anything but data (F26)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest

from conversations.source import RawRow
from resources.warehouse.engine import Warehouse
from tests.loader import land
from tests.warehouse.sources import START, WINDOW, FakeSource

TABLE = "raw.retailcrm__messages"


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    yield
    with database.connect() as connection:
        connection.execute(f"truncate {TABLE}, ops.cursors, ops.read_pages")


def stored(warehouse: Warehouse, columns: str = "external_id, payload") -> list[tuple[Any, ...]]:
    with warehouse.connect() as connection:
        return connection.execute(f"select {columns} from {TABLE} order by external_id::int").fetchall()


def test_texts_that_postgres_cannot_hold_are_marked_not_refused(database: Warehouse) -> None:
    evil = {"id": 1, "text": "a\x00b", "half": "x\ud83d", "de\x00ep": [{"k": "\x00"}], "fine": "\\u0000 is text"}
    land(FakeSource([RawRow("1", evil, START, None)]), "messages", WINDOW, database)
    ((_, payload),) = stored(database)
    assert payload["text"] == "a\ufffdb"
    assert payload["half"] == "x\ufffd"
    assert payload["de\ufffdep"] == [{"k": "\ufffd"}]
    assert payload["fine"] == "\\u0000 is text"
    assert payload["_otklik"] == {"flags": ["nul_replaced"]}
    harmless = {"id": 2, "text": "\\u0000 typed by a person"}
    land(FakeSource([RawRow("2", harmless, START, None)]), "messages", WINDOW, database)
    assert stored(database)[1][1] == harmless


def test_integers_of_any_length_keep_every_digit(database: Warehouse) -> None:
    long = 3_000_000_000_817_031_942_777_555_333
    odd = RawRow("1", {"id": long, "half": "x\ud83d", "share": 0.1}, START, None)
    land(FakeSource([odd]), "messages", WINDOW, database)
    with database.connect() as connection:
        found = connection.execute(f"select payload->>'id', payload->>'share' from {TABLE}").fetchall()
    assert found == [(str(long), "0.1")]


def test_hostile_texts_stay_data(database: Warehouse) -> None:
    texts = ["'; drop table raw.retailcrm__messages; --", "%s %(x)s {0}", "\u202eevil", "я" * 5000, "\\N", "\\."]
    rows = [RawRow(str(n), {"text": text}, START, None) for n, text in enumerate(texts)]
    land(FakeSource(rows), "messages", WINDOW, database)
    assert [payload["text"] for _, payload in stored(database)] == texts


@pytest.mark.parametrize("hostile", ["\\N", "a\tb", "a\nb", "\\.", "'; --", "%s"])
def test_hostile_ids_stay_data(database: Warehouse, hostile: str) -> None:
    source = FakeSource([RawRow(hostile, {"a": 1}, START, None)])
    land(source, "messages", WINDOW, database)
    assert land(source, "messages", WINDOW, database).unchanged == 1
    with database.connect() as connection:
        assert connection.execute(f"select external_id from {TABLE}").fetchall() == [(hostile,)]


def test_stored_json_is_what_the_source_sent(database: Warehouse) -> None:
    payload = {"z": 1, "a": {"é": [1.5, None, True, "x"]}, "big": 2**70, "empty": {}}
    land(FakeSource([RawRow("1", payload, START.astimezone(UTC), None)]), "messages", WINDOW, database)
    ((text,),) = stored(database, "payload::text")
    assert json.loads(text) == payload
