"""The vendor's totals of an account whose days are not the organisation's: no night loses a day counted before."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from conversations.window import Window
from resources.sources.retailcrm import RetailCRMSource
from resources.warehouse.completeness import POINTERS
from resources.warehouse.engine import Warehouse
from tests.loader import refresh_completeness

ORGANISATION = "Europe/Moscow"
MIDDAY_OF_THE_FIFTH = datetime(2026, 3, 5, 9, tzinfo=UTC)
MIDDAY_OF_THE_SIXTH = datetime(2026, 3, 6, 9, tzinfo=UTC)


class Totals:
    """The only thing that is asked of API v5 here: how many rows a day has."""

    def __init__(self) -> None:
        self.per_day = 3

    def page(self, *_: object) -> Any:
        return SimpleNamespace(total=self.per_day)


def counted(warehouse: Warehouse, measure: str) -> dict[int, tuple[int, int]]:
    """Day of March 2026 to what the vendor reported and what we had."""
    statement = "select business_on, reported, stored from ops.completeness where measure = %s"
    with warehouse.connect() as connection:
        return {day.day: (reported, stored) for day, reported, stored in connection.execute(statement, (measure,))}


def nights(warehouse: Warehouse, zone: str, *windows: Window) -> None:
    source = RetailCRMSource("shop", SimpleNamespace(), Totals(), zone)  # type: ignore[arg-type]
    for window in windows:
        refresh_completeness(warehouse, source, window, ORGANISATION)


def days(first: int, last: int) -> Window:
    return Window.of_days(date(2026, 3, first), date(2026, 3, last), ORGANISATION)


def land_customers(warehouse: Warehouse, *instants: datetime) -> None:
    with warehouse.connect() as connection:
        connection.cursor().executemany(
            "insert into raw.retailcrm__customers (connection_id, external_id, event_at, payload, payload_hash,"
            " fetched_at, first_fetched_at) values ('shop', %s, %s, '{}', '', now(), now())",
            [(str(number), instant) for number, instant in enumerate(instants)],
        )


@pytest.mark.parametrize(
    ("zone", "after_one_night", "after_two"),
    [
        # the organisation's 5th begins at 02:00 of the account's: its own 5th is in no window of three days as a whole
        ("Asia/Almaty", {6, 7}, {6, 7, 8}),
        # the organisation's 7th ends at 23:00 of the account's
        ("Europe/Kaliningrad", {5, 6}, {5, 6, 7}),
        (ORGANISATION, {5, 6, 7}, {5, 6, 7, 8}),
    ],
)
@pytest.mark.parametrize("measure", ["customers", "orders"])
def test_next_night_keeps_the_days_that_its_window_covers_in_part(
    fresh_database: Warehouse, zone: str, after_one_night: set[int], after_two: set[int], measure: str
) -> None:
    nights(fresh_database, zone, days(5, 7))
    assert set(counted(fresh_database, measure)) == after_one_night
    nights(fresh_database, zone, days(6, 8))
    assert set(counted(fresh_database, measure)) == after_two


def test_a_month_of_nights_leaves_no_gap(fresh_database: Warehouse) -> None:
    nights(fresh_database, "Asia/Almaty", *(days(last - 2, last) for last in range(4, 29)))
    assert set(counted(fresh_database, "orders")) == set(range(3, 29))


def test_kept_day_keeps_its_figures_and_a_covered_one_gets_new_ones(fresh_database: Warehouse) -> None:
    land_customers(fresh_database, MIDDAY_OF_THE_FIFTH, MIDDAY_OF_THE_SIXTH)
    nights(fresh_database, "Europe/Kaliningrad", days(5, 7))
    assert counted(fresh_database, "customers") == {5: (3, 1), 6: (3, 1)}
    with fresh_database.connect() as connection:
        connection.execute("update raw.retailcrm__customers set gone_at = now()")
    nights(fresh_database, "Europe/Kaliningrad", days(6, 8))
    assert counted(fresh_database, "customers") == {5: (3, 1), 6: (3, 0), 7: (3, 0)}


def test_message_pointers_go_by_the_days_of_the_organisation(fresh_database: Warehouse) -> None:
    with fresh_database.connect() as connection:
        for day in (5, 6, 9):
            connection.execute(
                "insert into ops.completeness values ('shop', 'shop:1', %s, %s, 1, 1)", (date(2026, 3, day), POINTERS)
            )
    nights(fresh_database, "Asia/Almaty", days(6, 8))
    assert set(counted(fresh_database, POINTERS)) == {5, 9}
