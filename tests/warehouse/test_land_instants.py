"""Landing's fast ways: instants and ids as bytes on the wire, rows that are copied before anybody looks for them."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.source import Cursor, Page, RawRow
from conversations.window import Window
from resources.warehouse import copy_binary, copy_text
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from tests.loader import land
from tests.warehouse.sources import START, WINDOW, FakeSource, PagesSource, row

TABLE = "raw.retailcrm__messages"
ZONES = [ZoneInfo(name) for name in ("UTC", "Asia/Almaty", "Europe/Moscow", "America/Santo_Domingo")]
FIRST = datetime(1, 1, 2, tzinfo=UTC)
LAST = datetime(9999, 12, 30, 23, 59, 59, 999_999, tzinfo=UTC)
ALL = Window(FIRST, LAST + timedelta(microseconds=1))


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    yield
    with database.connect() as connection:
        connection.execute(f"truncate {TABLE}, raw.retailcrm__users, ops.cursors, ops.read_pages")


def stored(warehouse: Warehouse, columns: str) -> list[tuple[Any, ...]]:
    with warehouse.connect() as connection:
        return connection.execute(f'select {columns} from {TABLE} order by external_id collate "C"').fetchall()


@pytest.mark.parametrize(
    "moment",
    [
        FIRST,
        LAST,
        datetime(2000, 1, 1, tzinfo=UTC),
        datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC),
        datetime(2026, 3, 29, 2, 30, 0, 123_456, tzinfo=timezone(timedelta(hours=-11, minutes=-30))),
        datetime(1890, 5, 1, 12, tzinfo=timezone(timedelta(hours=2, minutes=30, seconds=17))),
    ],
)
def test_instants_are_read_back_to_the_microsecond(database: Warehouse, moment: datetime) -> None:
    land(FakeSource([RawRow("1", {"id": 1}, moment, moment + timedelta(microseconds=1))]), "messages", ALL, database)
    # psycopg cannot make every one of these years: the server writes them out
    text = "to_char({} at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
    names = ("event_at", "updated_at", "first_event_at")
    (found,) = stored(database, ", ".join(text.format(name) for name in names))
    expected = [moment, moment + timedelta(microseconds=1), moment]
    in_utc = [at.astimezone(UTC).replace(tzinfo=None) for at in expected]
    assert list(found) == [at.isoformat(" ", "microseconds") for at in in_utc]


@pytest.mark.parametrize("module", [copy_binary, copy_text])
def test_examples_in_docstrings_hold(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


@settings(deadline=None)
@given(st.datetimes(datetime(2, 1, 1), datetime(9999, 12, 30), timezones=st.sampled_from(ZONES)))
def test_an_instant_counts_microseconds_since_2000(moment: datetime) -> None:
    counted = copy_binary.microseconds(moment)
    assert datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=counted) == moment.astimezone(UTC)
    assert copy_binary.instant(moment) == b"\x00\x00\x00\x08" + counted.to_bytes(8, "big", signed=True)


@pytest.mark.parametrize(("event_at", "updated_at"), [(None, None), (START, None), (None, START), (START, START)])
def test_missing_times_stay_missing(
    database: Warehouse, event_at: datetime | None, updated_at: datetime | None
) -> None:
    def users(name: str) -> FakeSource:
        return FakeSource([RawRow("я", {"name": name}, event_at, updated_at), RawRow("b", {"name": name}, None, None)])

    for name, inserted, updated in (("A", 2, 0), ("B", 0, 2), ("B", 0, 0)):
        landed = land(users(name), "users", None, database)
        assert (landed.inserted, landed.updated) == (inserted, updated)
        with database.connect() as connection:
            found = connection.execute(
                "select event_at, updated_at, first_event_at, payload->>'name', payload_hash = sha256(convert_to("
                "'{\"name\":\"' || (payload->>'name') || '\"}', 'UTF8')) from raw.retailcrm__users"
                " where external_id = 'я'"
            ).fetchall()
        assert found == [(event_at, updated_at, event_at, name, True)]


def test_both_instants_of_storing_are_that_of_the_transaction(database: Warehouse) -> None:
    land(FakeSource([row(1), row(2)], page_size=1), "messages", WINDOW, database)
    first, second = stored(database, "fetched_at, first_fetched_at")
    assert first[0] == first[1] < second[0] == second[1]
    land(FakeSource([row(1, version=5)]), "messages", WINDOW, database)
    changed, _ = stored(database, "fetched_at, first_fetched_at")
    assert first[1] == changed[1] < second[0] < changed[0]


def test_a_row_that_two_pages_of_a_first_reading_bring_is_stored_once_in_its_latest_version(
    database: Warehouse,
) -> None:
    pages = [
        Page([row(1), row(2), row(3, version=7, text="new")], {"p": 1}),
        Page([row(4), row(1, version=3, text="edited"), row(3, text="old")], {"p": 2}),
        Page([row(5), row(2)], {"p": 3}),
        Page([], None),
    ]
    landed = land(PagesSource(iter(pages)), "messages", WINDOW, database)
    assert (landed.rows, landed.inserted, landed.updated, landed.unchanged) == (8, 5, 1, 2)
    found = stored(database, "external_id, payload->>'text'")
    assert found == [("1", "edited"), ("2", ""), ("3", "new"), ("4", ""), ("5", "")]


def test_a_window_that_is_empty_may_hold_rows_that_are_stored_at_another_time(database: Warehouse) -> None:
    land(FakeSource([row(1, hours=1), row(2, hours=2)]), "messages", WINDOW, database)
    later = Window(WINDOW.end, WINDOW.end + timedelta(days=1))
    moved = FakeSource([row(2, hours=30, version=1), row(3, hours=31)])
    landed = land(moved, "messages", later, database)
    assert (landed.inserted, landed.updated) == (1, 1)
    assert stored(database, "external_id, event_at = first_event_at") == [("1", True), ("2", False), ("3", True)]
    before = table_hashes(database)
    assert land(moved, "messages", later, database).unchanged == 2
    assert table_hashes(database) == before


def test_a_row_that_went_between_a_restart_and_its_second_reading_is_gone(database: Warehouse) -> None:
    """The window was empty when the restart began: what may be missed was stored by the restart itself."""

    class Cut(Exception):
        """The reading ends here."""

    def cut() -> Iterator[Page]:
        yield Page([], {"p": 1})
        raise Cut

    with pytest.raises(Cut):
        land(PagesSource(cut()), "messages", WINDOW, database)

    class Shrinking(PagesSource):
        def pages(self, stream: str, window: Window | None, cursor: Cursor | None) -> Iterator[Page]:
            rows = [row(1)] if cursor is None else [row(1), row(2)]
            yield Page(rows, None)

    landed = land(Shrinking(iter([])), "messages", WINDOW, database)
    assert (landed.resumed, landed.inserted, landed.gone) == (True, 2, 1)
    assert stored(database, "external_id, gone_at is not null") == [("1", False), ("2", True)]
