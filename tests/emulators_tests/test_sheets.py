"""The emulated Google Sheets through Google's own client: structure, values, limits, atomicity, references."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.oauth2 import service_account
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from tests.emulators.google_auth import SPREADSHEETS
from tests.emulators.sheets import SPREADSHEET_ID, SheetsEmulator

REPORT = 7


class Caller:
    """Google's client, pointed at the emulator; refusals come back as (status, message)."""

    def __init__(self, emulator: SheetsEmulator, scope: str = SPREADSHEETS) -> None:
        signed = service_account.Credentials.from_service_account_file(emulator.service_account_file, scopes=[scope])
        options = {"api_endpoint": emulator.base_url}
        service = build("sheets", "v4", credentials=signed, client_options=options, cache_discovery=False)
        self.sheets = service.spreadsheets()
        self.cells = self.sheets.values()

    def do(self, request: Any) -> Any:
        try:
            return request.execute(num_retries=0)
        except HttpError as error:
            return int(error.resp.status), str(error.reason)

    def batch(self, *requests: dict[str, Any]) -> Any:
        return self.do(self.sheets.batchUpdate(spreadsheetId=SPREADSHEET_ID, body={"requests": list(requests)}))

    def write(self, text: str, values: list[list[Any]], option: str | None = "RAW") -> Any:
        body = {"valueInputOption": option, "data": [{"range": text, "values": values}]}
        return self.do(self.cells.batchUpdate(spreadsheetId=SPREADSHEET_ID, body=body))

    def read(self, text: str, **options: Any) -> Any:
        found = self.do(self.cells.get(spreadsheetId=SPREADSHEET_ID, range=text, **options))
        return found if isinstance(found, tuple) else found.get("values")


@pytest.fixture(scope="module")
def served() -> Iterator[SheetsEmulator]:
    with SheetsEmulator(quota=None) as running:
        yield running


@pytest.fixture
def emulator(served: SheetsEmulator) -> SheetsEmulator:
    """A fresh spreadsheet with one tab of a person and one of ten rows and five columns."""
    served.add_spreadsheet(SPREADSHEET_ID, "Отчёт", ("Лист1",))
    grid = {"rowCount": 10, "columnCount": 5}
    served.requests([{"addSheet": {"properties": {"sheetId": REPORT, "title": "report", "gridProperties": grid}}}])
    served.faults.clear()
    served.ledger.clear()
    return served


@pytest.fixture(scope="module")
def signed(served: SheetsEmulator) -> Caller:
    return Caller(served)


@pytest.fixture
def caller(signed: Caller, emulator: SheetsEmulator) -> Caller:
    """Signed in once; the spreadsheet is fresh."""
    return signed


def span(start: int, end: int, dimension: str = "ROWS", sheet_id: int = REPORT) -> dict[str, Any]:
    return {"sheetId": sheet_id, "dimension": dimension, "startIndex": start, "endIndex": end}


def block(top: int, bottom: int, left: int, right: int, sheet_id: int = REPORT) -> dict[str, Any]:
    rows = {"startRowIndex": top, "endRowIndex": bottom}
    return {"sheetId": sheet_id, **rows, "startColumnIndex": left, "endColumnIndex": right}


# ---- what a client gets wrong -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"addSheet": {"properties": {"titel": "x"}}}, 'Unknown name "titel" at \'requests[0].add_sheet.properties\''),
        ({"addSheet": {"properties": {"sheetId": "seven"}}}, "requests[0].add_sheet.properties.sheet_id' (TYPE_INT32)"),
        ({"addSheet": {"properties": {"hidden": 1}}}, "(TYPE_BOOL), 1"),
        ({"addSheet": {"properties": {"title": 5}}}, "(TYPE_STRING), 5"),
        ({"addShet": {}}, 'Unknown name "addShet"'),
        ({"addSheet": {}, "deleteSheet": {"sheetId": 7}}, "oneof field 'kind' is already set"),
        ({}, "Invalid requests[0]: No request set."),
        ({"addSheet": {"properties": {"title": "REPORT"}}}, 'A sheet with the name "REPORT" already exists'),
        ({"addSheet": {"properties": {"title": "new", "sheetId": 7}}}, "already exists"),
        ({"addSheet": {"properties": {"title": "x" * 101}}}, "100 characters"),
        ({"deleteSheet": {"sheetId": 99}}, "No sheet with id: 99"),
        ({"updateSheetProperties": {"properties": {"sheetId": 7, "title": "x"}}}, "At least one field must be listed"),
        ({"updateSheetProperties": {"properties": {"sheetId": 7}, "fields": "titel"}}, "Invalid field: titel"),
        ({"updateSheetProperties": {"properties": {"sheetId": 99}, "fields": "hidden"}}, "No sheet with id: 99"),
        (
            {"updateSheetProperties": {
                "properties": {"sheetId": 7, "gridProperties": {"frozenRowCount": 10}},
                "fields": "gridProperties.frozenRowCount",
            }},
            "can't freeze all visible rows",
        ),
        ({"repeatCell": {"range": block(0, 11, 0, 1), "cell": {}, "fields": "userEnteredFormat"}}, "grid[10]"),
        ({"repeatCell": {"range": block(0, 1, 0, 6), "cell": {}, "fields": "userEnteredFormat"}}, "grid[5]"),
        ({"repeatCell": {"range": block(3, 2, 0, 1), "cell": {}, "fields": "note"}}, "must be after"),
        ({"repeatCell": {"range": block(0, 1, 0, 1), "cell": {}, "fields": "userEnteredFormat.bold"}}, "Invalid field"),
        ({"updateCells": {"range": block(0, 1, 0, 1), "rows": []}}, "At least one field must be listed"),
        ({"updateCells": {"start": {"sheetId": 7}, "range": block(0, 1, 0, 1), "fields": "*"}}, "oneof"),
        ({"updateCells": {"start": {"sheetId": 7}, "fields": "effectiveValue"}}, "read-only"),
        (
            {"updateCells": {
                "range": block(0, 1, 0, 1), "rows": [{}, {"values": [{}]}], "fields": "userEnteredValue",
            }},
            "beyond the last requested row",
        ),
        ({"copyPaste": {"source": block(0, 10, 0, 5), "destination": block(1, 2, 0, 1)}}, "outside of the sheet"),
        ({"copyPaste": {"source": block(0, 1, 0, 1, 99), "destination": block(1, 2, 0, 1)}}, "No grid with id: 99"),
        ({"appendDimension": {"sheetId": 7, "length": 5}}, "dimension must be specified"),
        ({"appendDimension": {"sheetId": 7, "dimension": "ROWS", "length": 2_100_000}}, "limit of 10000000 cells"),
        ({"deleteDimension": {"range": span(0, 10)}}, "can't delete all the rows"),
        ({"deleteDimension": {"range": span(5, 11)}}, "grid[10]"),
        ({"insertDimension": {"range": span(11, 12)}}, "grid[10]"),
        ({"insertDimension": {"range": span(0, 1), "inheritFromBefore": True}}, "inheritFromBefore"),
        ({"addNamedRange": {"namedRange": {"name": "A1", "range": block(0, 1, 0, 1)}}}, "invalid"),
        ({"addNamedRange": {"namedRange": {"name": "with space", "range": block(0, 1, 0, 1)}}}, "invalid"),
        ({"createDeveloperMetadata": {"developerMetadata": {"metadataKey": "run"}}}, "visibility is required"),
        ({"sortRange": {"range": block(0, 1, 0, 1)}}, "does not know this request"),
    ],
)  # fmt: skip
def test_refuses_a_request_that_google_refuses(
    emulator: SheetsEmulator, caller: Caller, request_: dict[str, Any], said: str
) -> None:
    before = (emulator.sheets(), emulator.visible())
    status, message = caller.batch({"addSheet": {"properties": {"title": "first"}}}, request_)
    assert status == 400
    assert said.replace("requests[0]", "requests[1]") in message
    assert (emulator.sheets(), emulator.visible()) == before, "the request before it is undone as well"


@pytest.mark.parametrize(
    ("text", "values", "said"),
    [
        ("gone!A1", [["x"]], "Unable to parse range: gone!A1"),
        ("report!A11", [["x"]], "Range (report!A11) exceeds grid limits. Max rows: 10, max columns: 5"),
        ("report!F1", [["x"]], "exceeds grid limits"),
        ("report!A10", [["x"], ["y"]], "Range (report!A10:A11) exceeds grid limits"),
        ("report!A1", [["x"] * 6], "Range (report!A1:F1) exceeds grid limits"),
        ("report!A1:B1", [["x"] * 3], "[report!A1:B1], but tried writing to column [C]"),
        ("report!A1:B1", [["x"], ["y"]], "[report!A1:B1], but tried writing to row [2]"),
        ("report!A:", [["x"]], "Unable to parse range"),
        ("report!", [["x"]], "Unable to parse range"),
        ("report!A0", [["x"]], "Unable to parse range"),
        ("report!A1", [["x" * 50_001]], "maximum of 50000 characters in a single cell"),
        ("report!A1", [["🙂" * 25_001]], "maximum of 50000 characters in a single cell"),
        ("report!A1", [[["x"]]], "Invalid values[0][0]: list_value"),
        ("report!A1", [[{"x": 1}]], "Invalid values[0][0]: struct_value"),
        ("report!A1", ["x"], "google.protobuf.ListValue"),
        ("report!A1", [[float("nan")]], "Invalid JSON payload received"),
        ("report!A1", [[float("inf")]], "Invalid JSON payload received"),
        ("report!A1", [["\ud83d"]], "Invalid JSON payload received"),
    ],
)  # fmt: skip
def test_refuses_values_that_google_refuses(
    emulator: SheetsEmulator, caller: Caller, text: str, values: Any, said: str
) -> None:
    body = {"valueInputOption": "RAW", "data": [
        {"range": "report!C3", "values": [["written first"]]}, {"range": text, "values": values},
    ]}  # fmt: skip
    status, message = caller.do(caller.cells.batchUpdate(spreadsheetId=SPREADSHEET_ID, body=body))
    assert status == 400
    assert said in message
    assert emulator.values("report") == [], "the range before it is not written either"


def test_asks_for_the_input_option(caller: Caller) -> None:
    assert caller.write("report!A1", [["x"]], None) == (400, "'valueInputOption' is required but not specified")
    status, message = caller.write("report!A1", [["x"]], "AS_TYPED")
    assert status == 400
    assert "'value_input_option'" in message


def test_knows_the_query_parameters_and_the_fields(caller: Caller) -> None:
    got = caller.do(caller.sheets.get(spreadsheetId=SPREADSHEET_ID, fields="sheets(properties(sheetId,title))"))
    assert got == {"sheets": [
        {"properties": {"sheetId": 0, "title": "Лист1"}}, {"properties": {"sheetId": REPORT, "title": "report"}},
    ]}  # fmt: skip
    status, message = caller.do(caller.sheets.get(spreadsheetId=SPREADSHEET_ID, fields="sheets.propertys"))
    assert status == 400
    assert "sheets.propertys" in message


# ---- values -------------------------------------------------------------------------------------------------------

FORMULAS = ["=1+1", "+7701", "-5", "@sum(1)", "\t=1", "'quoted", "1-2", "50%", "ИСТИНА", "007", " 5 ", "1e5"]


def test_raw_is_kept_as_it_is(emulator: SheetsEmulator, caller: Caller) -> None:
    grid = {"sheetId": REPORT, "gridProperties": {"rowCount": 20, "columnCount": 5}}
    caller.batch({"updateSheetProperties": {"properties": grid, "fields": "gridProperties(rowCount,columnCount)"}})
    caller.write("report!A1", [[text] for text in FORMULAS])
    for render in ("FORMATTED_VALUE", "UNFORMATTED_VALUE", "FORMULA"):
        assert caller.read("report", valueRenderOption=render) == [[text] for text in FORMULAS]
    assert emulator.formulas() == {}


def test_typed_text_becomes_what_a_person_would_get(emulator: SheetsEmulator, caller: Caller) -> None:
    typed = [["=1+1", "+77011234567", "1-2", "1 234,5", "50%"], ["'=1", "ИСТИНА", "01.02.2026", "12:30", "слово"]]
    caller.write("report!A1", typed, "USER_ENTERED")
    rows = caller.read("report", valueRenderOption="UNFORMATTED_VALUE")
    assert rows[0][:2] == [2, 77011234567]
    assert isinstance(rows[0][2], int), "a date, not a text"
    assert rows[0][3:] == [1234.5, 0.5]
    assert rows[1] == ["=1", True, 46054, 12.5 / 24, "слово"]
    assert caller.read("report!A1:E2")[1] == ["=1", "ИСТИНА", "01.02.2026", "12:30", "слово"]
    assert emulator.formulas() == {"report": ["=1+1"]}


def test_a_plain_text_cell_takes_a_typed_formula_as_text(emulator: SheetsEmulator) -> None:
    form = {"userEnteredFormat": {"numberFormat": {"type": "TEXT", "pattern": "@"}}}
    fields = "userEnteredFormat.numberFormat"
    emulator.requests([{"repeatCell": {"range": block(0, 1, 0, 1), "cell": form, "fields": fields}}])
    emulator.edit("report!A1:B1", [["=1+1", "=1+1"]])
    assert emulator.formulas() == {"report": ["=1+1"]}


def test_null_leaves_a_cell_and_an_empty_text_clears_it(caller: Caller) -> None:
    caller.write("report!A1", [["a", "b", "c"]])
    caller.write("report!A1", [[None, "", "x"]])
    assert caller.read("report") == [["a", "", "x"]]


def test_reading_drops_what_is_empty_at_the_end(caller: Caller) -> None:
    caller.write("report!A1", [["a", "", "", ""], [], ["", "b"], ["", ""]])
    assert caller.read("report!A1:E10") == [["a"], [], ["", "b"]]
    assert caller.read("report!D1:E10") is None
    assert caller.read("report!A1:B3", majorDimension="COLUMNS") == [["a"], ["", "", "b"]]


def test_numbers_are_doubles(caller: Caller) -> None:
    caller.write("report!A1", [[1, 1.0, 0.1, True, 9_007_199_254_740_993]])
    got = caller.read("report", valueRenderOption="UNFORMATTED_VALUE")[0]
    assert got == [1, 1, 0.1, True, 9_007_199_254_740_992]
    assert caller.read("report!B1:D1") == [["1", "0,1", "ИСТИНА"]]


def test_ranges_in_every_spelling(emulator: SheetsEmulator, caller: Caller) -> None:
    emulator.requests([{"addSheet": {"properties": {"title": "it's a1", "sheetId": 8}}}])
    caller.write("'it''s a1'!B2", [["x", "y"], ["z"]])
    for text in ("'it''s a1'!B2:C3", "'it''s a1'!B2:C", "'it''s a1'!2:3", "IT'S A1!B2:C3", "'it''s a1'!C3:B2"):
        assert [[cell for cell in row if cell] for row in caller.read(text)] == [["x", "y"], ["z"]], text
    assert caller.read("'it''s a1'!B:B") == [[], ["x"], ["z"]]
    assert caller.read("A1:B2") is None, "without a tab the first one is meant"
    got = caller.do(caller.cells.get(spreadsheetId=SPREADSHEET_ID, range="'it''s a1'!B2:ZZ9999"))
    assert got["range"] == "'it''s a1'!B2:Z1000"


def test_append_clear_and_update(emulator: SheetsEmulator, caller: Caller) -> None:
    def append(values: list[list[Any]]) -> Any:
        body = {"values": values}
        return caller.do(
            caller.cells.append(spreadsheetId=SPREADSHEET_ID, range="report!A1:B1", valueInputOption="RAW", body=body)
        )

    assert append([["a", 1]])["updates"]["updatedRange"] == "report!A1:B1"
    again = append([["b", 2]] * 12)
    assert (again["tableRange"], again["updates"]["updatedRange"]) == ("report!A1:B1", "report!A2:B13")
    assert emulator.sheets()["report"]["gridProperties"]["rowCount"] == 13, "the grid grows"
    body = {"ranges": ["report!B2:B", "report!A13"]}
    caller.do(caller.cells.batchClear(spreadsheetId=SPREADSHEET_ID, body=body))
    assert caller.read("report") == [["a", "1"], *[["b"]] * 11]
    update = caller.cells.update(
        spreadsheetId=SPREADSHEET_ID, range="report!B2", valueInputOption="RAW", body={"values": [[5]]}
    )
    assert caller.do(update)["updatedCells"] == 1
    assert emulator.values("report!B2") == [[5]]


# ---- what belongs to people ---------------------------------------------------------------------------------------


def test_formulas_follow_rows_columns_and_titles(emulator: SheetsEmulator, caller: Caller) -> None:
    caller.write("report!A1", [["Имя", "Число"], ["Аня", 3], ["Олег", 4]])
    emulator.edit("Лист1!A1", [["=SUM(report!B2:B3)", "=report!$B$3*2", '=VLOOKUP("олег",report!A:B,2,FALSE)']])
    assert emulator.values("Лист1") == [[7, 8, 4]]
    caller.batch(
        {"insertDimension": {"range": span(0, 2)}},
        {"insertDimension": {"range": span(1, 2, "COLUMNS"), "inheritFromBefore": True}},
        {"updateSheetProperties": {"properties": {"sheetId": REPORT, "title": "Мой отчёт"}, "fields": "title"}},
    )
    assert emulator.formulas() == {"Лист1": [
        "=SUM('Мой отчёт'!C4:C5)", "=$C$5*2".replace("$C", "'Мой отчёт'!$C"),
        "=VLOOKUP(\"олег\",'Мой отчёт'!A:C,2,FALSE)",
    ]}  # fmt: skip
    assert emulator.values("Лист1")[0][:2] == [7, 8]
    caller.batch({"deleteDimension": {"range": span(4, 5)}})
    assert emulator.formulas()["Лист1"][:2] == ["=SUM('Мой отчёт'!C4:C4)", "='Мой отчёт'!#REF!*2"]
    caller.batch({"deleteSheet": {"sheetId": REPORT}})
    assert emulator.values("Лист1") == [["#REF!"] * 3]


def test_copying_keeps_texts_as_texts_and_moves_references(emulator: SheetsEmulator, caller: Caller) -> None:
    caller.write("report!A1", [["=1+1", 5]])
    emulator.edit("report!C1", [["=B1*10", "=$B$1*10"]])
    emulator.edit("report!A2", [["будет стёрто"]])
    paste = {"source": block(0, 1, 0, 4), "destination": block(1, 5, 0, 4)}
    caller.batch({"copyPaste": paste})
    assert caller.read("report!A5:D5", valueRenderOption="FORMULA") == [["=1+1", 5, "=B5*10", "=$B$1*10"]]
    assert emulator.formulas()["report"][:2] == ["=B1*10", "=$B$1*10"]
    caller.batch({"copyPaste": {**paste, "pasteType": "PASTE_VALUES"}})
    assert caller.read("report!A5:D5", valueRenderOption="FORMULA") == [["=1+1", 5, 50, 50]]


def test_update_cells_clears_what_its_rows_do_not_cover(emulator: SheetsEmulator, caller: Caller) -> None:
    caller.write("report!A1", [["a", "b"], ["c", "d"], ["e", "f"]])
    emulator.requests([{"repeatCell": {"range": block(0, 3, 0, 2), "cell": {"note": "моё"}, "fields": "note"}}])
    rows = [{"values": [{"userEnteredValue": {"stringValue": "=не формула"}}]}]
    caller.batch({"updateCells": {"range": block(0, 2, 0, 2), "rows": rows, "fields": "userEnteredValue"}})
    assert caller.read("report") == [["=не формула"], [], ["e", "f"]]
    got = caller.do(caller.sheets.get(spreadsheetId=SPREADSHEET_ID, includeGridData=True, ranges=["report!B2"]))
    assert got["sheets"][0]["data"][0]["rowData"] == [{"values": [{"note": "моё"}]}]


def test_the_last_visible_tab_stays(caller: Caller) -> None:
    hide = {"properties": {"sheetId": REPORT, "hidden": True}, "fields": "hidden"}
    assert caller.batch({"updateSheetProperties": hide})["replies"] == [{}]
    assert caller.batch({"deleteSheet": {"sheetId": 0}})[0] == 400
    assert caller.batch({"updateSheetProperties": {**hide, "properties": {"hidden": True}}})[0] == 400


def test_rows_under_a_frozen_heading_cannot_all_go(emulator: SheetsEmulator, caller: Caller) -> None:
    grid = {"properties": {"sheetId": REPORT, "gridProperties": {"frozenRowCount": 1}}}
    caller.batch({"updateSheetProperties": {**grid, "fields": "gridProperties.frozenRowCount"}})
    status, message = caller.batch({"deleteDimension": {"range": span(1, 10)}})
    assert (status, "not possible to delete all non-frozen rows" in message) == (400, True)
    caller.batch({"deleteDimension": {"range": span(2, 10)}})
    assert emulator.sheets()["report"]["gridProperties"] == {"rowCount": 2, "columnCount": 5, "frozenRowCount": 1}


def test_a_range_that_a_person_protects_is_left_alone(emulator: SheetsEmulator, caller: Caller) -> None:
    caller.write("report!A1", [["a", "b"]])
    protected = {"range": block(0, 10, 1, 2), "description": "не трогать"}
    emulator.requests([{"addProtectedRange": {"protectedRange": protected}}])
    clear = {"updateCells": {"range": block(0, 1, 0, 5), "fields": "userEnteredValue"}}
    for refused in (caller.write("report!A1:B1", [["x", "y"]]), caller.batch(clear)):
        assert refused[0] == 400
        assert "protected cell" in refused[1]
    assert caller.write("report!A1", [["x"]])["totalUpdatedCells"] == 1
    assert emulator.values("report") == [["x", "b"]]


def test_what_is_laid_over_cells_moves_with_them(emulator: SheetsEmulator, caller: Caller) -> None:
    rule = {"condition": {"type": "NUMBER_GREATER", "values": [{"userEnteredValue": "5"}]}, "format": {}}
    emulator.requests([
        {"addProtectedRange": {"protectedRange": {"range": block(0, 10, 3, 4)}}},
        {"addConditionalFormatRule": {"rule": {"ranges": [block(2, 6, 1, 2)], "booleanRule": rule}}},
        {"addNamedRange": {"namedRange": {"name": "ours", "range": block(1, 4, 0, 2)}}},
        {"mergeCells": {"range": block(8, 9, 0, 2), "mergeType": "MERGE_ALL"}},
    ])  # fmt: skip
    rows_gone = [{"deleteDimension": {"range": span(4, 5)}}, {"deleteDimension": {"range": span(8, 9)}}]
    assert caller.batch(*rows_gone)[0] == 400, "a protected cell is among them"
    caller.batch({"insertDimension": {"range": span(2, 4, "COLUMNS")}}, {"insertDimension": {"range": span(1, 2)}})
    emulator.requests(rows_gone)
    got = caller.do(caller.sheets.get(spreadsheetId=SPREADSHEET_ID))
    tab = got["sheets"][1]
    assert tab["protectedRanges"][0]["range"] == block(0, 9, 5, 6)
    assert tab["conditionalFormats"][0]["ranges"] == [block(3, 6, 1, 2)]
    assert "merges" not in tab, "its only row is gone"
    assert got["namedRanges"][0]["range"] == block(2, 4, 0, 2)
    assert caller.write("report!D1", [["x"]])["totalUpdatedCells"] == 1, "no longer protected"
    assert caller.write("report!F1", [["x"]])[0] == 400


def test_developer_metadata_is_found_again_and_goes_with_its_tab(caller: Caller) -> None:
    def found(key: str) -> list[Any]:
        body = {"dataFilters": [{"developerMetadataLookup": {"metadataKey": key}}]}
        search = caller.sheets.developerMetadata().search(spreadsheetId=SPREADSHEET_ID, body=body)
        return caller.do(search).get("matchedDeveloperMetadata", [])  # type: ignore[no-any-return]

    for key, location in (("book", {"spreadsheet": True}), ("tab", {"sheetId": REPORT})):
        one = {"metadataKey": key, "metadataValue": "1", "visibility": "DOCUMENT", "location": location}
        caller.batch({"createDeveloperMetadata": {"developerMetadata": one}})
    assert [len(found(key)) for key in ("book", "tab", "none")] == [1, 1, 0]
    caller.batch({"deleteSheet": {"sheetId": REPORT}})
    assert [len(found(key)) for key in ("book", "tab")] == [1, 0]
