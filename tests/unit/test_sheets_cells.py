"""Values as cells; what comes out is worked out by hand or by the rules of JSON and UTF-16, not by the module."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.sheets import Column, InvalidTab, Kind, Tab
from resources.sheets.cells import check_size, row_of, text_of, written
from resources.sheets.packing import prepared


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300), st.sampled_from(Kind))
def test_a_text_stays_as_it_is_whatever_the_column(text: str, kind: Kind) -> None:
    assert written(text.replace("\ufffe", "").replace("\uffff", ""), kind) == text.replace("\ufffe", "").replace(
        "\uffff", ""
    )


@given(st.text(max_size=200))
def test_every_text_can_be_sent(text: str) -> None:
    json.dumps(written(text, Kind.TEXT), ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "kept"),
    [("a\x00b", "a\ufffdb"), ("\ud800", "\ufffd"), ("a\tb\nc\rd", "a\tb\nc\rd"), ("\x1b[31m", "\ufffd[31m")],
)
def test_what_no_spreadsheet_keeps_is_replaced_visibly(text: str, kept: str) -> None:
    assert written(text, Kind.TEXT) == kept


@pytest.mark.parametrize("letter", ["a", "я", "😀"])
def test_cut_is_counted_as_the_vendor_counts(letter: str) -> None:
    units = len(letter.encode("utf-16-le")) // 2
    longest = letter * (50_000 // units)
    assert text_of(longest) == longest
    cut = text_of(longest + letter)
    assert cut.startswith(letter * (49_000 // units)) and cut.endswith("]")
    assert len(cut.encode("utf-16-le")) // 2 < 49_100


def test_cut_does_not_leave_half_a_letter() -> None:
    cut = text_of("x" + "😀" * 30_000)
    assert cut.startswith("x" + "😀" * 24_499 + " …")


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_whole_numbers_a_spreadsheet_keeps(number: int) -> None:
    assert written(number, Kind.INTEGER) == number and type(written(number, Kind.INTEGER)) is int
    assert written(number, Kind.TEXT) == str(number)
    # what comes back from a double is the same number
    assert int(float(number)) == number


@pytest.mark.parametrize("number", [10**15, -(10**15), 3000000000817031942])
def test_whole_numbers_that_it_would_round_are_texts(number: int) -> None:
    assert written(number, Kind.INTEGER) == str(number)


def test_flags_are_no_numbers() -> None:
    assert written(True, Kind.INTEGER) is True
    assert written(False, Kind.TEXT) == "False"


@pytest.mark.parametrize("value", [math.inf, -math.inf, datetime(2026, 3, 9, tzinfo=UTC), object(), b"x", [1]])
def test_what_is_no_cell_is_refused_without_showing_it(value: object) -> None:
    tab = Tab("t", [Column("Колонка")], [["ok"], [value]])  # type: ignore[list-item]
    with pytest.raises(InvalidTab, match=r"t: row 2, column Колонка: ") as failed:
        prepared(tab)
    assert "object at" not in str(failed.value)


def test_values_of_pandas_and_numpy() -> None:
    """A frame hands out its own numbers, days and words for "nothing"."""
    import numpy as np
    import pandas as pd

    row = [np.int64(7), np.float64(2.5), np.bool_(True), float("nan"), pd.NaT, pd.Timestamp("2026-03-09 12:00"), None]
    tab = Tab("t", [Column(f"c{n}", Kind.DECIMAL) for n in range(7)], [row])
    cells = row_of(tab, 0)
    assert cells == [7, 2.5, True, "", "", 46090.5, ""]
    assert [type(cell) for cell in cells] == [int, float, bool, str, str, float, str]


def test_decimals_of_the_database() -> None:
    assert written(Decimal("2.50"), Kind.DECIMAL) == 2.5
    assert written(Decimal("2.50"), Kind.TEXT) == "2.50"


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))
def test_moment_shows_its_own_minute(moment: datetime) -> None:
    """However the vendor cuts seconds off, and however a double keeps the number."""
    days = written(moment, Kind.DATETIME)
    assert isinstance(days, int | float)
    back = datetime(1899, 12, 30) + timedelta(days=days)
    assert timedelta(0) <= back - moment.replace(microsecond=0) < timedelta(seconds=0.1)


def test_day_of_a_text_column_is_its_iso_form() -> None:
    assert written(date(2026, 3, 9), Kind.TEXT) == "2026-03-09"
    assert written(date(1899, 12, 31), Kind.DATE) == 1


def test_short_rows_end_empty_and_long_ones_are_refused() -> None:
    columns = [Column("a"), Column("b")]
    assert row_of(Tab("t", columns, [["x"]]), 0) == ["x", ""]
    with pytest.raises(InvalidTab, match="row 1 has 3 cells for 2 columns"):
        row_of(Tab("t", columns, [["x", "y", "z"]]), 0)


@pytest.mark.parametrize("names", [[], ["a", "a"], ["a", " "]])
def test_headings_are_there_and_differ(names: list[str]) -> None:
    with pytest.raises(InvalidTab):
        prepared(Tab("t", [Column(name) for name in names], []))


def test_two_tabs_of_one_title_are_refused() -> None:
    with pytest.raises(InvalidTab, match="same title"):
        check_size([Tab("chats", [Column("a")], []), Tab("CHATS", [Column("a")], [])])


def test_five_million_cells_are_the_most() -> None:
    wide = [Column(str(n)) for n in range(500)]
    check_size([Tab("t", wide, [[]] * 9_999)])
    with pytest.raises(InvalidTab, match="5,000,500 cells"):
        check_size([Tab("t", wide, [[]] * 10_000)])
