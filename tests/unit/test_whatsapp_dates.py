"""The order of day and month, calendars, clocks: proved from the file, declared, or asked for."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from conversations.imports.survey import Choices, DateOrder, NotThisFormat, OtherOrder, Settled, Survey, Undecided
from conversations.imports.whatsapp import WhatsAppReader
from conversations.imports.whatsapp.years import day_of
from conversations.source import RawRow


def look(lines: list[str], order: DateOrder | None = None) -> Survey:
    return WhatsAppReader().survey(lines, Choices(time_zone="UTC", date_order=order))


def dated(*dates: str) -> list[str]:
    return [f"{one}, 10:00 - {'AB'[number % 2]}: x" for number, one in enumerate(dates)]


def rows(lines: list[str], zone: str = "UTC", order: DateOrder | None = None) -> list[RawRow]:
    choices = Choices(time_zone=zone, date_order=order)
    survey = WhatsAppReader().survey(lines, choices)
    (chat,) = survey.chats.values()
    settled = Settled(chat, dict.fromkeys(chat.authors, "customer"), zone, survey.facts)
    return list(WhatsAppReader().rows(lines, {chat.key: settled}, choices))


@pytest.mark.parametrize(
    ("dates", "order", "proof"),
    [
        (("03/04/22", "23/04/22"), "dmy", "range"),
        (("03/04/22", "04/23/22"), "mdy", "range"),
        (("2022/03/04", "2022/03/05"), "ymd", "year"),
        (("2022-03-04", "2022-05-05"), "ymd", "year"),
        # 28 February to 1 March only one way round
        (("11/02/22", "12/02/22", "01/03/22"), "dmy", "time"),
        (("02/11/22", "02/12/22", "03/01/22"), "mdy", "time"),
        # a message that was stuck for two days proves nothing
        (("12/02/22", "10/02/22", "12/02/22", "01/03/22"), "dmy", "time"),
        (("05/05/22", "05/05/22", "06/06/22"), "dmy", "same"),
        # Korean phones put a short year in front
        (("22. 5. 12.", "22. 5. 28.", "22. 6. 2."), "ymd", "time"),
        (("23.03.22",), "dmy", "range"),
    ],
)
def test_the_order_is_proved(dates: tuple[str, ...], order: str, proof: str) -> None:
    facts = look(dated(*dates)).facts
    assert (facts["date_order"], facts["date_order_proof"]) == (order, proof)


@pytest.mark.parametrize(
    "dates",
    [("03/04/22",), ("03/04/22", "03/05/22", "03/06/22"), ("01/02/22", "02/02/22"),
     # the last number runs like days: a year in front is likely, and the day in front is possible
     ("21/05/09", "21/05/10", "21/05/11", "21/05/12")],
)  # fmt: skip
def test_an_order_that_nothing_proves_is_asked_for(dates: tuple[str, ...]) -> None:
    with pytest.raises(Undecided, match="date_order"):
        look(dated(*dates))


@pytest.mark.parametrize(
    ("order", "day"), [("dmy", date(2022, 4, 3)), ("mdy", date(2022, 3, 4)), ("ymd", date(2003, 4, 22))]
)
def test_a_declared_order_decides_where_nothing_is_proved(order: DateOrder, day: date) -> None:
    survey = look(dated("03/04/22"), order)
    assert survey.facts["date_order_proof"] == "declared"
    assert rows(dated("03/04/22"), order=order)[0].event_at.date() == day  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("dates", "declared"),
    [(("03/04/22", "23/04/22"), "mdy"), (("2022/03/04",), "dmy"), (("11/02/22", "12/02/22", "01/03/22"), "mdy"),
     (("03/04/2022",), "ymd")],
)  # fmt: skip
def test_a_declared_order_that_the_file_contradicts_is_refused(dates: tuple[str, ...], declared: DateOrder) -> None:
    with pytest.raises(OtherOrder, match="order"):
        look(dated(*dates), declared)


def test_dates_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(NotThisFormat, match="contradict"):
        look(dated("23/04/22", "04/23/22"))


def test_single_copied_lines_do_not_overturn_a_long_file() -> None:
    start = date(2021, 1, 1)
    dates = [f"{start + timedelta(days=number):%d/%m/%y}" for number in range(400)]
    found = rows(dated(*dates[:200], "12/31/20", *dates[200:]))
    assert [row.payload.get("problem") for row in found if "problem" in row.payload] == ["bad_time"]
    assert len(found) == 401


def test_impossible_stamps_are_kept_with_a_reason() -> None:
    lines = [
        "23.03.2022, 13:31 - A: x",
        "32.13.2022, 13:31 - A: y",
        "23.03.2022, 25:31 - A: z",
        "23.03.2022, 13:61 - A: w",
    ]
    assert [row.payload.get("problem") for row in rows(lines)] == [None, "bad_time", "bad_time", "bad_time"]


@pytest.mark.parametrize(
    ("numbers", "era", "order", "day"),
    [
        (("12", "5", "2565"), "", "dmy", date(2022, 5, 12)), (("12", "5", "2565"), " BE", "dmy", date(2022, 5, 12)),
        (("12", "5", "65"), "", "dmy", date(2022, 5, 12)), (("12", "5", "22"), "", "dmy", date(2022, 5, 12)),
        (("R4", "05", "12"), "", "ymd", date(2022, 5, 12)), (("H31", "4", "30"), "", "ymd", date(2019, 4, 30)),
        (("111", "5", "12"), "", "ymd", date(2022, 5, 12)), (("1401", "2", "22"), "", "ymd", date(2022, 5, 12)),
        (("1403", "12", "30"), "", "ymd", date(2025, 3, 20)), (("1404", "1", "1"), "", "ymd", date(2025, 3, 21)),
        (("1399", "12", "30"), "", "ymd", date(2021, 3, 20)), (("1402", "12", "30"), "", "ymd", None),
        (("29", "2", "2023"), "", "dmy", None), (("1", "1", "1444"), "", "dmy", None),
        (("1", "1", "4000"), "", "dmy", None),
        (("٢٢", "٣", "٢٠٢٢"), "", "dmy", date(2022, 3, 22)), (("२२", "३", "२२"), "", "dmy", date(2022, 3, 22)),
    ],
)  # fmt: skip
def test_calendars(numbers: tuple[str, str, str], era: str, order: DateOrder, day: date | None) -> None:
    assert day_of(numbers, era, order) == day


def test_a_calendar_that_is_not_read_is_refused() -> None:
    with pytest.raises(NotThisFormat):
        look(dated("01/02/1444", "15/02/1444"))


@pytest.mark.parametrize(
    ("time", "hour"),
    [("9:05 PM", 21), ("12:05 AM", 0), ("12:05 a. m.", 0), ("00:05 a.m.", 0), ("12:05 p.m.", 12), ("23:05 PM", 23),
     ("9:05 in the evening", 21), ("9:05 CH", 21), ("9:05 SA", 9), ("9:05 ب.ظ.", 21), ("9:05 μ.μ.", 21),
     ("9.05 ip.", 21)],
)  # fmt: skip
def test_halves_of_the_day(time: str, hour: int) -> None:
    assert rows([f"23/03/2022, {time} - A: x"])[0].event_at == datetime(2022, 3, 23, hour, 5, tzinfo=ZoneInfo("UTC"))


def test_an_unknown_word_beside_the_time_is_refused_unless_the_clock_has_24_hours() -> None:
    with pytest.raises(NotThisFormat, match="line 1"):
        look(["23/03/2022, 9:05 бум - A: x"])
    shown = [row.event_at.hour for row in rows(["23/03/2022, 9:05 бум - A: x", "23/03/2022, 21:05 бум - A: x"])]  # type: ignore[union-attr]
    assert shown == [9, 21]


def test_times_are_of_the_declared_zone_also_where_the_clocks_change() -> None:
    lines = [f"27.03.2022, {hour:02}:{minute:02}:00 - A: x" for hour in range(5) for minute in (0, 15, 59)]
    for zone in ("Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns"):
        expected = [
            datetime(2022, 3, 27, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))
            for hour in range(5)
            for minute in (0, 15, 59)
        ]
        found = rows(lines, zone)
        assert [row.event_at for row in found] == expected
        assert [row.payload["at"] for row in found] == [one.isoformat() for one in expected]


def test_the_span_of_a_chat_is_that_of_its_rows() -> None:
    lines = [
        "24.03.2022, 10:00 - Created",
        *dated("23.03.2022", "23.03.2022", "26.03.2022"),
        "25.03.2022, 09:00 - A: late",
    ]
    (chat,) = look(lines).chats.values()
    times = sorted(row.event_at for row in rows(lines) if row.event_at)
    assert (chat.first_at, chat.last_at) == (times[0], times[-1])
