"""The directory of operators: what people write is understood, or every wrong cell is named."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.operators import CODES, DirectoryError, Listed, digits_of, read_directory

DEPARTMENTS = {"sales": "Торговые представители", "office": "Офис-менеджеры"}
HEAD = ["Оператор", "ФИО", "Отдел"]
ALL = ["Подключение", *HEAD, "Офис", "Супервайзер", "Телефон", "С даты", "Комментарий"]
ANNA = ["operator1", "Анна", "sales"]


def read(rows: list[list[Any]]) -> Any:
    return read_directory(rows, DEPARTMENTS, "tbank")


def faults(rows: list[list[Any]]) -> list[str]:
    with pytest.raises(DirectoryError) as caught:
        read(rows)
    assert {fault.code for fault in caught.value.faults} <= set(CODES)
    return [str(fault) for fault in caught.value.faults]


def test_a_list_as_people_write_it() -> None:
    rows = [
        ["Операторы"],
        ALL,
        ["", 314.0, "Анна", "торговые представители ", "Алматы", "Пётр", 87010000001, 46083, "стажёр"],
        [],
        ["", "314", "Анна", "office", "алматы", "пётр", "+7 (701) 000-00-01", "01.04.2026"],
        ["tbank-2", "vera", "Вера", "", "", "", "201", "2026-03-02"],
        ["", "314", "Анна", None, None, None, None, datetime(2026, 9, 1)],
    ]
    found = read(rows)
    office, supervisor = found.operators[0].office_id, found.operators[0].supervisor_id
    assert found.operators == (
        Listed("tbank", "314", date(2026, 3, 2), "Анна", "sales", office, supervisor, "77010000001"),
        Listed("tbank", "314", date(2026, 4, 1), "Анна", "office", office, supervisor, "77010000001"),
        Listed("tbank", "314", date(2026, 9, 1), "Анна", None, None, None, None),
        Listed("tbank-2", "vera", date(2026, 3, 2), "Вера", None, None, None, "201"),
    )
    assert (found.offices, found.supervisors) == ({office: "Алматы"}, {supervisor: "Пётр"})
    assert "пётр" not in str(supervisor).casefold(), "an id of a person is no name"


def test_a_sheet_may_say_that_there_is_nobody() -> None:
    assert read_directory([HEAD], DEPARTMENTS, "tbank", may_be_empty=True).operators == ()
    with pytest.raises(DirectoryError, match="no_heading_row"):
        read_directory([], DEPARTMENTS, "tbank", may_be_empty=True)


def test_signs_that_no_database_takes_are_left_out() -> None:
    assert read([HEAD, ["a\x00\ud800b", "Ан\u200bна", "sales"]]).operators[0][1:4:2] == ("ab", "Анна")


def test_without_a_day_a_row_holds_ever_since() -> None:
    assert read([HEAD, ANNA]).operators[0].valid_from == date.min


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], ["no_heading_row"]),
        ([HEAD], ["no_rows"]),
        ([[*HEAD, "Зарплата"], ANNA], ["D1: unknown_heading"]),
        ([["Оператор", "ФИО"], ANNA], ["1 (department_id): missing_heading"]),
        ([HEAD, ["", "Анна", "sales"]], ["A2: empty"]),
        ([HEAD, ["a", "", "sales"], ["b", "Борис", "склад"]], ["B2: empty", "C3: unknown_department"]),
        ([HEAD, ANNA, [" Operator1", "Анна", "office"]], ["A3: double_row"]),
        ([[*HEAD, "С даты"], [*ANNA, "31.02.2026"]], ["D2: bad_day"]),
        ([[*HEAD, "С даты"], [*ANNA, "завтра"]], ["D2: bad_day"]),
        ([[*HEAD, "С даты"], [*ANNA, 12]], ["D2: bad_day"]),
        ([[*HEAD, "С даты"], [*ANNA, 46083.5]], ["D2: bad_day"]),
        ([[*HEAD, "Телефон"], [*ANNA, "нет"]], ["D2: bad_phone"]),
        ([[*HEAD, "Телефон"], [*ANNA, "1"]], ["D2: bad_phone"]),
        ([HEAD, ["a" * 201, "Анна", "sales"]], ["A2: too_long"]),
        ([HEAD, [True, "Анна", "sales"]], ["A2: not_a_value"]),
    ],
)
def test_every_wrong_cell_is_named(rows: list[list[Any]], expected: list[str]) -> None:
    assert faults(rows) == expected


CELLS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.dates()


@given(st.lists(st.lists(CELLS, max_size=9), max_size=6))
def test_any_rows_are_a_directory_or_faults(rows: list[list[Any]]) -> None:
    for given_rows in (rows, [HEAD, *rows], [ALL, *rows]):
        try:
            found = read(given_rows)
        except DirectoryError as error:
            assert error.faults and {fault.code for fault in error.faults} <= set(CODES)
        else:
            assert found.operators


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("8 (926) 123-45-67", "79261234567"),
        ("+7 926 123 45 67", "79261234567"),
        ("926 123-45-67", "79261234567"),
        ("7011234567", "77011234567"),
        ("201", "201"),
        ("+998 90 123 45 67", "998901234567"),
    ],
)
def test_numbers_are_compared_by_their_digits(written: str, digits: str) -> None:
    assert digits_of(written) == digits
