"""Business calendars: the contract's section 3 with its examples, ruling 11, and an independent count."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.business_hours import BusinessHours, HoursVersion
from tests.unit.talk import K, instant, rules

WORKDAY = ((540, 780), (840, 1080))
CLOSED: tuple[tuple[int, int], ...] = ()
DAILY = ((540, 1080),)


def moscow_k() -> BusinessHours:
    hours = rules(K).hours["K"]
    assert hours is not None
    return hours


def daily(zone: str, hours: tuple[tuple[int, int], ...], **exceptions: tuple[tuple[int, int], ...]) -> HoursVersion:
    return HoursVersion(None, zone, (hours,) * 7, {date.fromisoformat(day): at for day, at in exceptions.items()})


def second(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


@pytest.mark.parametrize(
    ("asked", "answered", "calendar_minutes", "business_minutes"),
    [
        pytest.param("09:10", "09:22", 12, 12, id="B1"),
        pytest.param("12:50", "14:05", 75, 15, id="B2-lunch"),
        pytest.param("Thu 16:50", "Sat 10:20", 2490, 30, id="B3-short-day-and-holiday"),
        pytest.param("22:00", "23:00", 60, 0, id="B4-both-at-night"),
        pytest.param("22:00", "Tue 09:07", 667, 7, id="B5-night-to-morning"),
        pytest.param("Sat 14:50", "+1 Mon 09:20", 2550, 30, id="B6-weekend"),
    ],
)
def test_examples_of_the_contract(asked: str, answered: str, calendar_minutes: int, business_minutes: int) -> None:
    start, end = instant(asked) // 1_000_000, instant(answered) // 1_000_000
    assert end - start == calendar_minutes * 60
    assert moscow_k().between(start, end) == business_minutes * 60


def test_zone_change_moves_the_intervals() -> None:
    """B7: Almaty's clocks went back on 2024-03-01."""
    almaty = BusinessHours([daily("Asia/Almaty", DAILY)])
    start, end = second("2024-02-29 17:30", "Asia/Almaty"), second("2024-03-01 09:30", "Asia/Almaty")
    assert end - start == 1020 * 60
    assert almaty.between(start, end) == 60 * 60


def test_the_limit_is_the_earliest_instant_also_at_closing_time() -> None:
    hours = BusinessHours([daily("UTC", DAILY)])
    nine, six = second("2026-05-04 09:00"), second("2026-05-04 18:00")
    assert hours.after(nine, 9 * 3600) == six
    assert hours.after(nine, 9 * 3600 + 1) == second("2026-05-05 09:00:01")
    assert hours.after(second("2026-05-04 20:00"), 60) == second("2026-05-05 09:01")


def test_overnight_hours_belong_to_the_date_on_which_they_begin() -> None:
    night = ((22 * 60, 30 * 60),)
    hours = BusinessHours([HoursVersion(None, "UTC", (night, *(CLOSED,) * 6), {date(2026, 5, 11): CLOSED})])
    assert hours.between(second("2026-05-04 00:00"), second("2026-05-06 00:00")) == 8 * 3600
    assert hours.between(second("2026-05-11 00:00"), second("2026-05-13 00:00")) == 0


def test_an_exception_can_open_a_closed_day_and_intervals_are_united() -> None:
    version = HoursVersion(None, "UTC", (CLOSED,) * 7, {date(2026, 5, 3): ((540, 720), (600, 780), (780, 800))})
    hours = BusinessHours([version])
    assert hours.between(second("2026-05-01 00:00"), second("2026-06-01 00:00")) == 260 * 60
    assert hours.after(second("2026-05-01 00:00"), 260 * 60) == second("2026-05-03 13:20")


def test_nothing_opens_any_more() -> None:
    version = HoursVersion(None, "UTC", (CLOSED,) * 7, {date(2026, 5, 3): ((540, 600),)})
    assert BusinessHours([version]).after(second("2026-05-01 00:00"), 3601) is None
    assert BusinessHours([version]).after(second("2030-05-01 00:00"), 1) is None


def test_every_part_uses_the_version_valid_at_that_moment() -> None:
    """An overnight interval is cut where the next version begins, and that begins at midnight of its own zone."""
    before = HoursVersion(None, "Europe/Moscow", (((20 * 60, 32 * 60),),) * 7, {})
    after = HoursVersion(date(2026, 5, 4), "Asia/Almaty", (DAILY,) * 7, {})
    hours = BusinessHours([after, before])
    midnight = second("2026-05-04 00:00", "Asia/Almaty")
    evening = second("2026-05-03 20:00", "Europe/Moscow")
    assert hours.between(evening, second("2026-05-04 08:59", "Asia/Almaty")) == midnight - evening
    assert hours.between(midnight, second("2026-05-04 10:00", "Asia/Almaty")) == 3600


def test_skipped_and_doubled_local_times_are_read_with_fold_0() -> None:
    hours = BusinessHours([daily("Europe/Berlin", ((150, 240),))])  # 02:30 to 04:00
    spring = hours.between(second("2026-03-29 00:00"), second("2026-03-29 12:00"))
    autumn = hours.between(second("2026-10-25 00:00"), second("2026-10-25 12:00"))
    # 02:30 does not exist in spring: read at +01:00 it is 01:30 UTC, and 04:00 is 02:00 UTC
    assert spring == 30 * 60
    # in autumn 02:30 comes twice: the first is at +02:00, 04:00 is at +01:00
    assert autumn == 150 * 60


def test_needs_versions_with_different_dates() -> None:
    with pytest.raises(ValueError, match="at least one version"):
        BusinessHours([])
    with pytest.raises(ValueError, match="different valid_from"):
        BusinessHours([daily("UTC", DAILY), daily("UTC", WORKDAY)])


ZONES = ["UTC", "Europe/Moscow", "Asia/Almaty", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]
SECONDS = st.integers(second("2023-06-01 00:00"), second("2027-06-01 00:00"))


@st.composite
def intervals(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    pairs = draw(st.lists(st.tuples(st.integers(0, 1439), st.integers(1, 1440)), max_size=3))
    return tuple((start, start + length) for start, length in pairs)


@st.composite
def calendars(draw: st.DrawFn) -> HoursVersion:
    weekly = tuple(draw(intervals()) for _ in range(7))
    days = st.dates(date(2024, 1, 1), date(2026, 12, 31))
    return HoursVersion(
        None, draw(st.sampled_from(ZONES)), weekly, draw(st.dictionaries(days, intervals(), max_size=4))
    )


def counted(version: HoursVersion, start: int, end: int) -> int:
    """Overlap with each local day's intervals, one by one; overlapping intervals of one calendar count once."""
    zone = ZoneInfo(version.time_zone)
    open_seconds: list[tuple[int, int]] = []
    day = datetime.fromtimestamp(start, UTC).date() - timedelta(days=3)
    while day <= datetime.fromtimestamp(end, UTC).date() + timedelta(days=3):
        for opens, closes in version.exceptions.get(day, version.weekly[day.weekday()]):
            midnight = datetime(day.year, day.month, day.day)
            at = [
                int((midnight + timedelta(minutes=minute)).replace(tzinfo=zone).timestamp())
                for minute in (opens, closes)
            ]
            open_seconds.append((max(start, at[0]), min(end, at[1])))
        day += timedelta(days=1)
    total, reached = 0, start
    for begin, finish in sorted(open_seconds):
        if finish > max(begin, reached):
            total += finish - max(begin, reached)
            reached = finish
    return total


@given(calendars(), SECONDS, st.integers(0, 40 * 86_400))
def test_equals_a_count_day_by_day(version: HoursVersion, start: int, length: int) -> None:
    assert BusinessHours([version]).between(start, start + length) == counted(version, start, start + length)


@given(calendars(), SECONDS, SECONDS, SECONDS)
def test_parts_add_up_whatever_was_asked_before(version: HoursVersion, a: int, b: int, c: int) -> None:
    """Invariant 7; the years are laid out in the order in which they are asked for."""
    hours = BusinessHours([version])
    first, middle, last = sorted((a, b, c))
    late = hours.between(middle, last)
    assert hours.between(first, last) == hours.between(first, middle) + late
    assert BusinessHours([version]).between(first, last) == hours.between(first, last)


@given(calendars(), SECONDS, st.integers(1, 100_000))
def test_after_is_the_inverse_of_between(version: HoursVersion, start: int, seconds: int) -> None:
    hours = BusinessHours([version])
    limit = hours.after(start, seconds)
    if limit is None:
        assert hours.between(start, second("2040-01-01 00:00")) < seconds
    else:
        assert hours.between(start, limit) == seconds
        assert hours.between(start, limit - 1) < seconds
