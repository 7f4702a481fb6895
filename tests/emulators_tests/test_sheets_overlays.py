"""What is laid over cells in the emulated Google Sheets: rules, charts, rich text, protection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.emulators.sheets import SPREADSHEET_ID, SheetsEmulator
from tests.emulators.sheets_formulas import Book
from tests.emulators.sheets_page import page
from tests.emulators.sheets_rules import format_of
from tests.emulators_tests.test_sheets import Caller

TAB, OTHER = 7, 8


@pytest.fixture(scope="module")
def served() -> Iterator[SheetsEmulator]:
    with SheetsEmulator(quota=None) as running:
        yield running


@pytest.fixture(scope="module")
def signed(served: SheetsEmulator) -> Caller:
    return Caller(served)


@pytest.fixture
def emulator(served: SheetsEmulator) -> SheetsEmulator:
    """Two tabs of ten rows and six columns; in the first, names and numbers below a heading."""
    served.add_spreadsheet(SPREADSHEET_ID, "Отчёт", ("Лист1",))
    grid = {"rowCount": 10, "columnCount": 6}
    served.requests(
        [
            {"addSheet": {"properties": {"sheetId": number, "title": title, "gridProperties": grid}}}
            for number, title in ((TAB, "report"), (OTHER, "other"))
        ]
    )
    served.edit("report!A1:C4", [["Имя", "Доля", "n"], ["Анна", 0.9, 30], ["Борис", 0.5, 20], ["Вера", "", 9]])
    return served


@pytest.fixture
def caller(signed: Caller, emulator: SheetsEmulator) -> Caller:
    return signed


def cells(top: int, bottom: int, left: int, right: int, sheet: int = TAB) -> dict[str, int]:
    rows = {"startRowIndex": top, "endRowIndex": bottom}
    return {"sheetId": sheet, **rows, "startColumnIndex": left, "endColumnIndex": right}


def rule(kind: str, *values: str, form: Any = None, ranges: Any = None) -> dict[str, Any]:
    condition: dict[str, Any] = {"type": kind, "values": [{"userEnteredValue": value} for value in values]}
    return {
        "ranges": ranges or [cells(1, 4, 1, 2)],
        "booleanRule": {"condition": condition, "format": form or {"backgroundColor": {"red": 1}}},
    }


def added(one: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return {"addConditionalFormatRule": {"rule": one, "index": index}}


def chart(**changes: Any) -> dict[str, Any]:
    """A bar chart of two rows, with what differs put over it."""

    def of(left: int) -> dict[str, Any]:
        return {"sourceRange": {"sources": [cells(0, 3, left, left + 1)]}}

    series = {"series": of(1), "targetAxis": "BOTTOM_AXIS"}
    basic = {"chartType": "BAR", "headerCount": 1, "domains": [{"domain": of(0)}], "series": [series]}
    anchor = {"sheetId": TAB, "rowIndex": 5, "columnIndex": 3}
    return {
        "addChart": {
            "chart": {
                "chartId": changes.get("id", 5),
                "spec": changes.get("spec", {"title": "Доли", "basicChart": {**basic, **changes.get("basic", {})}}),
                "position": {"overlayPosition": {"anchorCell": {**anchor, **changes.get("anchor", {})}}},
            }
        }
    }


def parts(emulator: SheetsEmulator, name: str, sheet: int = TAB) -> list[dict[str, Any]]:
    found = emulator.books[SPREADSHEET_ID].sheet(sheet, "")
    return list(found.parts.get(name, []))


def fits(emulator: SheetsEmulator, column: int = 1) -> str:
    """Which of rows 2 to 4 the rules colour."""
    book = emulator.books[SPREADSHEET_ID]
    sheet = book.sheet(TAB, "")
    return "".join("x" if format_of(Book(book), sheet, row, column) else "." for row in (1, 2, 3))


@pytest.mark.parametrize(
    ("one", "column", "found"),
    [
        (rule("NUMBER_GREATER_THAN_EQ", "=9/10"), 1, "x.."),
        (rule("NUMBER_LESS", "0,9"), 1, ".x."),
        (rule("NUMBER_BETWEEN", "0,5", "1"), 1, "xx."),
        (rule("NUMBER_NOT_EQ", "=1/2"), 1, "x.."),
        (rule("BLANK"), 1, "..x"),
        (rule("NOT_BLANK"), 1, "xx."),
        (rule("TEXT_EQ", "АННА", ranges=[cells(1, 4, 0, 1)]), 0, "x.."),
        (rule("TEXT_STARTS_WITH", "Б", ranges=[cells(1, 4, 0, 1)]), 0, ".x."),
        (rule("TEXT_CONTAINS", "р", ranges=[cells(1, 4, 0, 1)]), 0, ".xx"),
        (rule("CUSTOM_FORMULA", '=($B2<>"")*($C2<=20)'), 1, ".x."),
        (rule("CUSTOM_FORMULA", "=$B$2=1/2"), 1, "..."),
        (rule("CUSTOM_FORMULA", "=NOSUCH(B2)"), 1, "..."),
    ],
)
def test_which_cells_a_rule_colours(
    one: dict[str, Any], column: int, found: str, caller: Caller, emulator: SheetsEmulator
) -> None:
    assert "replies" in caller.batch(added(one))
    assert fits(emulator, column) == found


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (added(rule("NUMBER_GREATER", "0.9")), "Invalid ConditionValue.userEnteredValue: 0.9"),
        (added(rule("NUMBER_BETWEEN", "1")), "requires 2"),
        (added(rule("CUSTOM_FORMULA", "B2>1")), "Invalid ConditionValue"),
        (added(rule("ONE_OF_LIST", "a")), "not supported by conditional formatting"),
        (added(rule("BLANK", form={"textFormat": {"fontSize": 9}})), "fontSize is not supported"),
        (added(rule("BLANK", form={"wrapStrategy": "WRAP"})), "wrapStrategy is not supported"),
        (added(rule("BLANK", ranges=[cells(1, 99, 0, 1)])), "after last row"),
        (added(rule("BLANK", ranges=[cells(1, 4, 0, 1), cells(1, 4, 0, 1, OTHER)])), "on one sheet"),
        (added(rule("BLANK"), 1), "out of the range"),
        ({"updateConditionalFormatRule": {"index": 0, "rule": rule("BLANK")}}, "No conditional format"),
        ({"deleteConditionalFormatRule": {"sheetId": TAB, "index": 0}}, "No conditional format"),
        ({"addConditionalFormatRule": {"rule": {**rule("BLANK"), "colour": 1}}}, 'Unknown name "colour"'),
        (chart(spec={"title": "x"}), "exactly one chart"),
        (chart(spec={"pieChart": {}}), "draws basicChart only"),
        (chart(basic={"series": []}), "At least one series"),
        (chart(basic={"chartType": "COLUMN"}), "BOTTOM_AXIS is not a valid minor axis"),
        (chart(basic={"axis": [{"position": "LEFT_AXIS"}] * 2}), "more than one axis"),
        (chart(basic={"domains": [{"domain": {"sourceRange": {"sources": [cells(0, 3, 0, 2)]}}}]}), "length of 1"),
        (chart(basic={"domains": [{"domain": {"sourceRange": {"sources": [cells(0, 99, 0, 1)]}}}]}), "after last row"),
        (chart(anchor={"columnIndex": 6}), "after last row or column"),
        (chart(anchor={"sheetId": 99}), "No grid with id: 99"),
        ({"deleteEmbeddedObject": {"objectId": 99}}, "No embedded object with id: 99"),
        ({"updateChartSpec": {"chartId": 99, "spec": chart()["addChart"]["chart"]["spec"]}}, "No embedded object"),
        ({"deleteProtectedRange": {"protectedRangeId": 99}}, "No protected range with id: 99"),
    ],
)
def test_what_is_refused_and_changes_nothing(
    request_: dict[str, Any], said: str, caller: Caller, emulator: SheetsEmulator
) -> None:
    revision = emulator.books[SPREADSHEET_ID].revision
    status, message = caller.batch(request_)
    assert status == 400 and said in message
    assert emulator.books[SPREADSHEET_ID].revision == revision


def test_rules_keep_their_order_and_the_first_that_fits_wins(caller: Caller, emulator: SheetsEmulator) -> None:
    green = rule("NUMBER_GREATER", "0", form={"backgroundColor": {"green": 1}})
    caller.batch(added(green), added(rule("NUMBER_GREATER", "=1/2")), added(rule("BLANK"), 2))
    assert [one["booleanRule"]["condition"]["type"] for one in parts(emulator, "conditionalFormats")] == [
        "NUMBER_GREATER", "NUMBER_GREATER", "BLANK",
    ]  # fmt: skip
    html = page(emulator.books[SPREADSHEET_ID], TAB)
    assert html.count("background:#ff0000") == 2 and html.count("background:#00ff00") == 1
    moved = caller.batch({"updateConditionalFormatRule": {"sheetId": TAB, "index": 0, "newIndex": 2}})
    assert moved["replies"][0]["updateConditionalFormatRule"]["newIndex"] == 2
    assert parts(emulator, "conditionalFormats")[0] == green
    gone = caller.batch({"deleteConditionalFormatRule": {"sheetId": TAB, "index": 0}})
    assert gone["replies"][0]["deleteConditionalFormatRule"]["rule"] == green


def test_rows_and_columns_that_come_and_go_move_all_of_it(caller: Caller, emulator: SheetsEmulator) -> None:
    warned = {"protectedRange": {"range": cells(0, 4, 0, 3), "description": "x", "warningOnly": True}}
    caller.batch(added(rule("CUSTOM_FORMULA", "=$C2>$B$1")), chart(), {"addProtectedRange": warned})
    rows = {"sheetId": TAB, "dimension": "ROWS", "startIndex": 0, "endIndex": 2}
    caller.batch({"insertDimension": {"range": rows}})
    columns = {"sheetId": TAB, "dimension": "COLUMNS", "startIndex": 1, "endIndex": 2}
    caller.batch({"insertDimension": {"range": columns}})
    caller.batch({"deleteDimension": {"range": {**rows, "startIndex": 4, "endIndex": 5}}})
    (one,) = parts(emulator, "conditionalFormats")
    assert one["ranges"] == [cells(3, 5, 2, 3)]
    assert one["booleanRule"]["condition"]["values"] == [{"userEnteredValue": "=$D4>$C$3"}]
    (drawn,) = parts(emulator, "charts")
    basic = drawn["spec"]["basicChart"]
    assert basic["series"][0]["series"]["sourceRange"]["sources"] == [cells(2, 4, 2, 3)]
    assert basic["domains"][0]["domain"]["sourceRange"]["sources"] == [cells(2, 4, 0, 1)]
    anchor = drawn["position"]["overlayPosition"]["anchorCell"]
    assert (anchor["rowIndex"], anchor["columnIndex"]) == (6, 4)
    assert parts(emulator, "protectedRanges")[0]["range"] == cells(2, 5, 0, 4)


def test_a_chart_is_told_changed_moved_and_removed(caller: Caller, emulator: SheetsEmulator) -> None:
    told = caller.batch(chart())["replies"][0]["addChart"]["chart"]
    assert told["chartId"] == 5 and told["position"]["overlayPosition"]["widthPixels"] == 600
    assert caller.batch(chart())[0] == 400, "an id is taken once"
    spec = json.loads(json.dumps(told["spec"]))
    spec["title"] = "Иначе"
    caller.batch({"updateChartSpec": {"chartId": 5, "spec": spec}})
    place = {"overlayPosition": {"anchorCell": {"sheetId": OTHER, "rowIndex": 1}, "widthPixels": 1}}
    caller.batch({"updateEmbeddedObjectPosition": {"objectId": 5, "newPosition": place, "fields": "anchorCell"}})
    assert parts(emulator, "charts") == []
    (there,) = parts(emulator, "charts", OTHER)
    assert there["spec"]["title"] == "Иначе" and there["position"]["overlayPosition"]["widthPixels"] == 600
    found = caller.do(caller.sheets.get(spreadsheetId=SPREADSHEET_ID, fields="sheets.charts(chartId,spec.title)"))
    assert found["sheets"][2]["charts"] == [{"chartId": 5, "spec": {"title": "Иначе"}}]
    # rows of the tab that it draws still move it
    caller.batch({"insertDimension": {"range": {"sheetId": TAB, "dimension": "ROWS", "startIndex": 0, "endIndex": 1}}})
    (there,) = parts(emulator, "charts", OTHER)
    assert there["spec"]["basicChart"]["series"][0]["series"]["sourceRange"]["sources"] == [cells(1, 4, 1, 2)]
    caller.batch({"deleteEmbeddedObject": {"objectId": 5}})
    assert parts(emulator, "charts", OTHER) == []


def test_a_copied_tab_has_its_own(caller: Caller, emulator: SheetsEmulator) -> None:
    warned = {"protectedRange": {"protectedRangeId": 9, "range": cells(0, 4, 0, 3), "warningOnly": True}}
    caller.batch(chart(), added(rule("BLANK")), {"addProtectedRange": warned})
    caller.batch({"duplicateSheet": {"sourceSheetId": TAB, "newSheetId": 70, "newSheetName": "copy"}})
    (first,), (second,) = parts(emulator, "charts"), parts(emulator, "charts", 70)
    assert first["chartId"] == 5 != second["chartId"]
    assert second["position"]["overlayPosition"]["anchorCell"]["sheetId"] == 70
    assert parts(emulator, "conditionalFormats", 70)[0]["ranges"] == [cells(1, 4, 1, 2, 70)]
    assert parts(emulator, "protectedRanges", 70)[0]["range"]["sheetId"] == 70
    assert parts(emulator, "protectedRanges", 70)[0]["protectedRangeId"] != 9


def test_a_warning_forbids_nothing_and_follows_its_range(caller: Caller, emulator: SheetsEmulator) -> None:
    me = {"users": ["me@example.test"]}
    one = {"range": cells(0, 4, 0, 3), "description": "осторожно", "warningOnly": True, "editors": me}
    told = caller.batch({"addProtectedRange": {"protectedRange": one}})["replies"][0]["addProtectedRange"]
    assert "editors" not in told["protectedRange"], "with a warning there are none"
    number = told["protectedRange"]["protectedRangeId"]
    assert "responses" in caller.write("report!A2", [["Анна П."]])
    wider = {"protectedRangeId": number, "range": cells(0, 9, 0, 3)}
    caller.batch({"updateProtectedRange": {"protectedRange": wider, "fields": "range"}})
    (kept,) = parts(emulator, "protectedRanges")
    assert kept["range"] == cells(0, 9, 0, 3) and kept["description"] == "осторожно"
    assert "A1:C9, предупреждение: осторожно" in page(emulator.books[SPREADSHEET_ID], TAB)
    caller.batch({"deleteProtectedRange": {"protectedRangeId": number}})
    assert parts(emulator, "protectedRanges") == []


def runs(*found: dict[str, Any], row: int = 1, column: int = 0) -> dict[str, Any]:
    where = cells(row, row + 1, column, column + 1)
    return {"updateCells": {"range": where, "rows": [{"values": [{"textFormatRuns": list(found)}]}],
                            "fields": "textFormatRuns"}}  # fmt: skip


def test_rich_text_lies_on_a_text_and_goes_with_it(caller: Caller, emulator: SheetsEmulator) -> None:
    link = {"format": {"link": {"uri": "https://example.test/1"}}}
    assert "replies" in caller.batch(runs(link, {"startIndex": 2, "format": {"bold": True}}))
    html = page(emulator.books[SPREADSHEET_ID], TAB)
    assert '<a href="https://example.test/1">Ан</a><span style="font-weight:700;">на</span>' in html
    for bad in (
        runs(link, column=1),
        runs({"startIndex": 4, "format": {}}),
        runs({"startIndex": 1, "format": {}}, {"startIndex": 1, "format": {}}),
        runs({"format": {"link": {"uri": "tel:1"}}}),
    ):
        assert caller.batch(bad)[0] == 400
    caller.write("report!A2", [["Анна"]])
    assert "example.test" not in page(emulator.books[SPREADSHEET_ID], TAB), "a new value, be it the same"


def test_the_page_draws_bars_columns_and_lines(caller: Caller, emulator: SheetsEmulator) -> None:
    upright = [
        {"series": {"sourceRange": {"sources": [cells(0, 4, n, n + 1)]}}, "targetAxis": "LEFT_AXIS"} for n in (1, 2)
    ]
    names = {"domains": [{"domain": {"sourceRange": {"sources": [cells(0, 4, 0, 1)]}}, "reversed": True}]}
    line = {"chartType": "LINE", "series": upright, "legendPosition": "TOP_LEGEND", **names}
    caller.batch(chart(id=1), chart(id=2, basic={**line, "chartType": "COLUMN"}), chart(id=3, basic=line))
    html = page(emulator.books[SPREADSHEET_ID], TAB)
    pictures = html.split('class="chart"')[1:]
    assert len(pictures) == 3
    frame_and_bars, columns, lines = (one.split("</svg>")[0] for one in pictures)
    assert frame_and_bars.count('rx="2"') == 2, "a bar for each of two rows"
    assert columns.count('rx="2"') == 2 + 5, "of six values one is missing; and two squares of the legend"
    assert lines.count('fill="none"') == 2 and ">Доля<" in lines and ">n<" in lines
    assert lines.index(">Вера<") < lines.index(">Анна<"), "the other way round"
