"""What a publication does to a spreadsheet in which people work, over HTTP."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

import pytest

from resources.clients.errors import Refused
from resources.clients.sheets import SheetsClient
from resources.sheets import Column, InvalidTab, Kind, Tab, publish
from tests.contract.spreadsheets import asked, expected, hashes, hidden, shown, tabs_of
from tests.emulators.sheets import SheetsEmulator

HOSTILE = [
    "=1+1", "+77011234567", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "'=1", '"=1"', "＝1+1", "＋1", "－1",
    "＠a", "=HYPERLINK(\"http://example.com\";\"x\")", "=IMPORTXML(A1)", "1-2", "12.10", "1,5", "10 %", "TRUE",
    "ИСТИНА", "007", "1e5", "#N/A", "2026-03-09", "'", "''", "\\", "\u202egnp.exe", "a\r\nb", "{}", "%s",
    "'; drop table x", "😀" * 4, "3000000000817031942", "null", "NaN", " ", "-", "=", "+", "@",
]  # fmt: skip


KEEP_MOMENTS = True


def one(title: str, rows: list[list[Any]], *kinds: Kind) -> Tab:
    return Tab(title, [Column(f"Столбец {n}", kind) for n, kind in enumerate(kinds or (Kind.TEXT,))], rows)


def grid(emulator: SheetsEmulator, title: str) -> dict[str, Any]:
    return emulator.sheets()[title]["gridProperties"]


def test_first_publication_makes_whole_tabs_at_once(emulator: SheetsEmulator, client: SheetsClient) -> None:
    tabs = tabs_of(1)
    published = publish(client, emulator.spreadsheet_id, tabs, {})
    assert published.calls == asked(emulator) == 3
    assert {title: result.rows for title, result in published.tabs.items()} == {"chats_raw": 11, "manager_summary": 1}
    assert shown(emulator) == expected(tabs)
    assert hidden(emulator) == []
    assert list(emulator.sheets()) == ["Лист1", "chats_raw", "manager_summary"], "in the order of the tabs, at the end"
    # made, filled, shown: a tab appears with its content or not at all
    assert [set(moment) - {"Лист1"} for moment in emulator.moments] == [set(), set(), {"chats_raw", "manager_summary"}]
    book = emulator.books[emulator.spreadsheet_id]
    for tab in tabs:
        sheet = book.titled(tab.title)
        assert sheet is not None and sheet.frozen_rows == 1
        assert all(sheet.extras[0, n]["userEnteredFormat"]["textFormat"]["bold"] for n in range(len(tab.columns)))
        assert all(sheet.column_meta[n]["pixelSize"] >= 100 for n in range(len(tab.columns)))


def test_same_content_is_no_call_and_one_changed_cell_is_one_tab(
    emulator: SheetsEmulator, client: SheetsClient
) -> None:
    previous = hashes(publish(client, emulator.spreadsheet_id, tabs_of(1), {}))
    emulator.ledger.clear()
    again = publish(client, emulator.spreadsheet_id, tabs_of(1), previous)
    assert (again.calls, asked(emulator)) == (0, 0)
    assert hashes(again) == previous
    assert not any(result.changed for result in again.tabs.values())

    chats, managers = tabs_of(1)
    rows = [list(row) for row in chats.rows]
    rows[4][1] += 1
    edited = [Tab(chats.title, chats.columns, rows), managers]
    third = publish(client, emulator.spreadsheet_id, edited, previous)
    assert third.calls == asked(emulator) == 3
    assert [title for title, result in third.tabs.items() if result.changed] == ["chats_raw"]
    assert shown(emulator) == expected(edited)


def test_headings_kinds_and_order_are_content_and_widths_are_not(client: SheetsClient) -> None:
    def content_hash(columns: list[Column], rows: list[list[Any]]) -> str:
        tab = Tab("x", columns, rows)
        # the hash is the same before and after: nothing is asked when it is known
        return publish(client, "none", [tab], {"x": known(tab)}).tabs["x"].content_hash

    def known(tab: Tab) -> str:
        from resources.sheets.packing import prepared

        return prepared(tab).content_hash

    base = content_hash([Column("a"), Column("b")], [["1", "2"], ["3", "4"]])
    assert content_hash([Column("a", width=300), Column("b")], [["1", "2"], ["3", "4"]]) == base
    others = [
        content_hash([Column("a"), Column("c")], [["1", "2"], ["3", "4"]]),
        content_hash([Column("a"), Column("b", Kind.INTEGER)], [["1", "2"], ["3", "4"]]),
        content_hash([Column("a"), Column("b")], [["3", "4"], ["1", "2"]]),
        content_hash([Column("a"), Column("b")], [["1", "2"]]),
        content_hash([Column("a"), Column("b")], [["1", "2"], ["3", ""]]),
    ]
    assert len({base, *others}) == 6
    assert client.calls == 0


def test_what_is_theirs_survives(emulator: SheetsEmulator, client: SheetsClient) -> None:
    """Own columns right of ours, own tabs, formulas on ours, the ids that links name, colours: three versions long."""
    publish(client, emulator.spreadsheet_id, tabs_of(1), {})
    ids = {title: sheet["sheetId"] for title, sheet in emulator.sheets().items()}
    chats = ids["chats_raw"]
    yellow = {"backgroundColor": {"red": 1, "green": 1}}
    cell = {"sheetId": chats, "startRowIndex": 1, "endRowIndex": 2, "startColumnIndex": 0, "endColumnIndex": 1}
    emulator.requests(
        [
            {"appendDimension": {"sheetId": chats, "dimension": "COLUMNS", "length": 2}},
            {"repeatCell": {"range": cell, "cell": {"userEnteredFormat": yellow},
                            "fields": "userEnteredFormat.backgroundColor"}},
        ]
    )  # fmt: skip
    emulator.edit("chats_raw!E1:E3", [["Заметка"], ["позвонить"], ["=B2*2"]])
    emulator.edit("'Лист1'!A1", [["=SUM(chats_raw!B2:B)"]])
    for version, chats_count in ((2, 40), (3, 5)):
        tabs = tabs_of(version, chats_count)
        publish(client, emulator.spreadsheet_id, tabs, {})
        assert {title: sheet["sheetId"] for title, sheet in emulator.sheets().items()} == ids
        ours = [row[:3] for row in emulator.values("chats_raw!A1:C999")]
        assert ours == expected(tabs)["chats_raw"], "and nothing is left of a longer old version"
        first = tabs[0].rows[0][1]
        assert emulator.values("chats_raw!E1:E3") == [["Заметка"], ["позвонить"], [first * 2]]
        assert emulator.values("'Лист1'!A1") == [[sum(row[1] for row in tabs[0].rows)]]
        sheet = emulator.books[emulator.spreadsheet_id].titled("chats_raw")
        assert sheet is not None
        assert sheet.extras[1, 0]["userEnteredFormat"]["backgroundColor"] == yellow["backgroundColor"]
    assert emulator.formulas() == {"chats_raw": ["=B2*2"], "Лист1": ["=SUM(chats_raw!B2:B)"]}


def test_a_renamed_and_moved_range_is_still_ours(emulator: SheetsEmulator, client: SheetsClient) -> None:
    publish(client, emulator.spreadsheet_id, tabs_of(1), {})
    chats = emulator.sheets()["chats_raw"]["sheetId"]
    span = {"sheetId": chats, "startIndex": 0, "endIndex": 1}
    emulator.requests(
        [
            {"updateSheetProperties": {"properties": {"sheetId": chats, "title": "Чаты"}, "fields": "title"}},
            {"insertDimension": {"range": {**span, "dimension": "COLUMNS"}}},
            {"insertDimension": {"range": {**span, "dimension": "ROWS"}}},
        ]
    )
    emulator.edit("'Чаты'!A1:A3", [["моё"], ["слева"], ["от вашего"]])
    publish(client, emulator.spreadsheet_id, tabs_of(2, 30), {})
    assert "chats_raw" not in emulator.sheets()
    assert emulator.values("'Чаты'!A1:A3") == [["моё"], ["слева"], ["от вашего"]]
    assert emulator.values("'Чаты'!B2:D99") == expected(tabs_of(2, 30))["chats_raw"]


def test_more_columns_push_theirs_aside_and_fewer_leave_them_in_place(
    emulator: SheetsEmulator, client: SheetsClient
) -> None:
    three = one("x", [["a", "b", "c"]], *[Kind.TEXT] * 3)
    five = one("x", [["1", "2", "3", "4", "5"]], *[Kind.TEXT] * 5)
    publish(client, emulator.spreadsheet_id, [three], {})
    x = emulator.sheets()["x"]["sheetId"]
    emulator.requests([{"appendDimension": {"sheetId": x, "dimension": "COLUMNS", "length": 1}}])
    emulator.edit("x!D1:D2", [["Заметка"], ['=A2&"!"']])
    publish(client, emulator.spreadsheet_id, [five], {})
    assert emulator.values("x!A2:F2") == [["1", "2", "3", "4", "5", "1!"]]
    publish(client, emulator.spreadsheet_id, [three], {})
    assert emulator.values("x!A1:F2") == [
        ["Столбец 0", "Столбец 1", "Столбец 2", "", "", "Заметка"],
        ["a", "b", "c", "", "", "a!"],
    ]
    assert grid(emulator, "x")["columnCount"] == 6


def test_a_tab_of_that_title_that_is_not_ours_is_left_alone(emulator: SheetsEmulator, client: SheetsClient) -> None:
    emulator.requests([{"addSheet": {"properties": {"title": "Chats_Raw"}}}])
    emulator.edit("Chats_Raw!A1", [["чужое"]])
    with pytest.raises(Refused, match=r"not ours.*Rename that tab"):
        publish(client, emulator.spreadsheet_id, tabs_of(1), {})
    assert emulator.values("Chats_Raw!A1:Z99") == [["чужое"]]
    assert set(emulator.sheets()) == {"Лист1", "Chats_Raw"}, "not even a part, and no staging tab"


def test_every_text_comes_back_as_it_went(emulator: SheetsEmulator, client: SheetsClient) -> None:
    """S7: nothing is parsed on its way into the sheet, into a tab that is new or old, and nothing is a formula."""
    texts = [[text, text] for text in HOSTILE]
    tab = one("chats_raw", [["", ""], *texts], Kind.TEXT, Kind.INTEGER)
    for previous in ("new", "old"):
        publish(client, emulator.spreadsheet_id, [tab], {})
        assert emulator.values("chats_raw!A3:B999") == texts, previous
        assert emulator.formulas() == {}
    bodies = [call.path for call in emulator.ledger.calls]
    assert not any("USER_ENTERED" in path for path in bodies)
    sheet = emulator.books[emulator.spreadsheet_id].titled("chats_raw")
    assert sheet is not None
    # a person who types into a text column gets a text
    formats = {sheet.extras[row, 0]["userEnteredFormat"]["numberFormat"]["type"] for row in range(1, len(texts) + 2)}
    assert formats == {"TEXT"}


def test_numbers_days_and_flags_arrive_as_such(emulator: SheetsEmulator, client: SheetsClient) -> None:
    kinds = [Kind.TEXT, Kind.INTEGER, Kind.DECIMAL, Kind.PERCENT, Kind.DATE, Kind.DATETIME, Kind.INTEGER]
    rows: list[list[Any]] = [
        ["id", 12, 2.5, 0.25, date(2026, 3, 9), datetime(2026, 3, 9, 18, 30), True],
        [7701, 0, -0.0, 1, None, None, False],
        ["x", 3000000000817031942, 0.1 + 0.2, math.nan, None, None, None],
        ["ragged"],
    ]
    publish(client, emulator.spreadsheet_id, [one("x", rows, *kinds)], {})
    # 46090 is the number that Google shows as 2026-03-09; 18:30 is 37/48 of a day, 0.7708333...
    assert emulator.values("x!A2:G5") == [
        ["id", 12, 2.5, 0.25, 46090, 46090.770834, True],
        ["7701", 0, 0, 1, "", "", False],
        ["x", "3000000000817031942", 0.3],
        ["ragged"],
    ]
    shown_as = emulator.values("x!B2:F2", render="FORMATTED_VALUE")[0]
    assert shown_as[2:] == ["25,0%", "09.03.2026", "09.03.2026 18:30"]


def test_long_texts_are_cut_and_say_so(emulator: SheetsEmulator, client: SheetsClient) -> None:
    """The vendor refuses more than 50,000 UTF-16 units in a cell, so what passes at all proves the count."""
    rows = [["я" * 50_000], ["я" * 50_001], ["😀" * 25_000], ["😀" * 25_001]]
    publish(client, emulator.spreadsheet_id, [one("x", rows)], {})
    found = [row[0] for row in emulator.values("x!A2:A9")]
    assert found[0] == rows[0][0] and found[2] == rows[2][0]
    assert found[1].startswith("я" * 49_000 + " … [обрезано") and len(found[1]) < 49_100
    assert found[3].startswith("😀" * 24_500 + " … [обрезано")


def test_ten_million_cells_are_refused_before_anything_is_asked(client: SheetsClient) -> None:
    tab = one("x", [["a"]] * 600_000, *[Kind.TEXT] * 9)
    with pytest.raises(InvalidTab, match="5,400,009 cells"):
        publish(client, "any", [tab], {})
    assert client.calls == 0


def test_no_room_beside_what_people_have_is_said_before_anything_is_filled(
    emulator: SheetsEmulator, client: SheetsClient
) -> None:
    grown = {"title": "Архив", "gridProperties": {"rowCount": 9_971_000, "columnCount": 1}}
    emulator.requests([{"addSheet": {"properties": grown}}])
    tab = one("x", [["a"] * 3] * 900, *[Kind.TEXT] * 3)
    with pytest.raises(Refused, match="10,002,406 cells for a moment"):
        publish(client, emulator.spreadsheet_id, [tab], {})
    assert set(emulator.sheets()) == {"Лист1", "Архив"}
    assert not any("values" in call.path for call in emulator.ledger.calls)


def test_empty_tab_is_a_heading(emulator: SheetsEmulator, client: SheetsClient) -> None:
    publish(client, emulator.spreadsheet_id, [one("x", [["a"]])], {})
    publish(client, emulator.spreadsheet_id, [one("x", [])], {})
    assert emulator.values("x!A1:Z99") == [["Столбец 0"]]
    publish(client, emulator.spreadsheet_id, [one("Новая вкладка", [])], {})
    assert emulator.values("'Новая вкладка'!A1:Z99") == [["Столбец 0"]]


@pytest.mark.parametrize("tab", ["", "x" * 101], ids=["no title", "long title"])
def test_tabs_that_no_spreadsheet_holds(tab: str, client: SheetsClient) -> None:
    with pytest.raises(InvalidTab, match="title"):
        publish(client, "any", [one(tab, [])], {})
    assert client.calls == 0
