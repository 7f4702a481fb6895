"""F15, days and weeks: whatever the zone and whatever its clocks do, each instant lies in exactly one day and one week.

Days are counted here by walking: hour by hour, quarter by quarter, with the zone database's own local time.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conversations.timeline import SECOND
from conversations.window import Window, business_day, iso_week, monday_of
from resources.warehouse.evaluated_rows import Days

ZONES = (
    "Europe/Moscow", "Asia/Almaty",  # of the demo
    "Europe/Berlin", "America/New_York", "Europe/Kaliningrad", "Asia/Vladivostok", "Asia/Tashkent", "UTC",
    "America/Sao_Paulo",  # until 2019 clocks changed at midnight: a day that began at 01:00
    "Africa/Cairo", "Asia/Beirut",  # still do
    "America/Havana",  # midnight twice
    "Australia/Lord_Howe",  # by half an hour
    "Asia/Kathmandu",  # +05:45
    "Pacific/Kiritimati", "Pacific/Pago_Pago",  # the ends of the world
)  # fmt: skip
INSTANTS = st.datetimes(datetime(2012, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))


@given(INSTANTS, st.sampled_from(ZONES))
@example(datetime(2026, 12, 31, 22, 30, tzinfo=UTC), "Europe/Moscow")
@example(datetime(2028, 2, 29, 20, 59, 59, tzinfo=UTC), "Europe/Moscow")
@example(datetime(2024, 2, 29, 18, 30, tzinfo=UTC), "Asia/Almaty")
@example(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "Europe/Berlin")
@example(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "Europe/Berlin")
@example(datetime(2026, 11, 1, 4, 30, tzinfo=UTC), "America/Havana")
@example(datetime(2026, 11, 1, 5, 30, tzinfo=UTC), "America/Havana")
def test_an_instant_lies_in_exactly_one_day_and_one_week(instant: datetime, zone: str) -> None:
    day = instant.astimezone(ZoneInfo(zone)).date()
    around = [day + timedelta(days=n) for n in range(-2, 3)]
    assert [one for one in around if instant in Window.of_day(one, zone)] == [day] == [business_day(instant, zone)]
    weeks = [iso_week(day + timedelta(weeks=n)) for n in (-1, 0, 1)]
    assert [week for week in weeks if instant in Window.of_week(week, zone)] == [weeks[1]]
    assert weeks[1] == f"{day.isocalendar().year}-W{day.isocalendar().week:02d}"
    # what is written beside a wait or a session says the same
    assert Days(zone).at(int(instant.timestamp()) * SECOND + instant.microsecond) == (day, weeks[1])


@given(st.dates(date(2012, 1, 1), date(2037, 12, 31)), st.sampled_from(ZONES))
def test_days_follow_one_another_without_a_gap(day: date, zone: str) -> None:
    today, tomorrow = Window.of_day(day, zone), Window.of_day(day + timedelta(days=1), zone)
    assert today.end == tomorrow.start
    week = Window.of_week(iso_week(day), zone)
    monday = monday_of(iso_week(day))
    assert (week.start, week.end) == (
        Window.of_day(monday, zone).start, Window.of_day(monday + timedelta(days=6), zone).end
    )  # fmt: skip
    assert list(today.days(zone)) == [day]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Europe/Berlin", date(2026, 10, 26), 24),
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("America/Havana", date(2026, 3, 8), 23),
        ("America/Havana", date(2026, 11, 1), 25),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("America/Sao_Paulo", date(2019, 2, 16), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Asia/Almaty", date(2024, 2, 29), 25),
        ("Europe/Moscow", date(2026, 3, 29), 24),
        ("Europe/Moscow", date(2014, 10, 26), 25),
        ("Europe/Moscow", date(2028, 2, 29), 24),
        ("Europe/Moscow", date(2026, 12, 31), 24),
    ],
)
def test_a_day_has_the_hours_that_its_clocks_show(zone: str, day: date, hours: float) -> None:
    window = Window.of_day(day, zone)
    assert (window.end - window.start) / timedelta(hours=1) == hours
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=1)
    quarters = [start + timedelta(minutes=15 * n) for n in range(4 * 72)]
    assert sum(quarter.astimezone(ZoneInfo(zone)).date() == day for quarter in quarters) == hours * 4
    assert [one for one in quarters if one in window] == [
        one for one in quarters if one.astimezone(ZoneInfo(zone)).date() == day
    ]


def test_years_have_their_weeks() -> None:
    keys = [iso_week(date(2025, 12, 22) + timedelta(days=n)) for n in range(7 * 110)]
    assert len(set(keys)) == 110
    assert keys == sorted(keys)
    assert {"2026-W01", "2026-W53", "2027-W01", "2027-W52", "2028-W01"} <= set(keys)
    assert "2025-W53" not in keys and "2027-W53" not in keys
    assert {iso_week(date(2026, 12, 28) + timedelta(days=n)) for n in range(7)} == {"2026-W53"}
    assert iso_week(date(2028, 2, 29)) == iso_week(date(2028, 3, 1)) == "2028-W09"
