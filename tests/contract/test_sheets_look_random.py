"""Publications among whatever people do in the meantime: ours is whole and once, theirs is where it was."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from resources.sheets import Chart, ColourRule, Look, Tab, publish
from resources.sheets.palette import CELLS, style
from tests.contract.looks import TITLE, sheet_of, tab
from tests.contract.spreadsheets import client_of
from tests.emulators.sheets import SheetsEmulator

RULES = [
    ColourRule("В срок", ">=", 0.85, "good"),
    ColourRule("В срок", "<", 0.7, "bad"),
    ColourRule("Ожиданий", ">=", 0.85, "good"),
    ColourRule("Менеджер", "is", "хуже", "warn", by="Состояние"),
    ColourRule(None, "is", "Всего", "total", by="Менеджер"),
]
COLUMNS = {"Менеджер": (0, 1), "В срок": (1, 2), "Ожиданий": (2, 3), None: (0, 5)}
STEPS = 6


def meddle(emulator: SheetsEmulator, random: Random, left: int, right: int) -> None:
    """Something that a person does outside of our range."""
    sheet = sheet_of(emulator)
    span = {"sheetId": sheet.sheet_id, "endIndex": 0}
    kind = random.choice(["row above", "column before", "column after", "rule", "chart", "rows at the end"])
    if kind == "row above":
        emulator.requests(
            [{"insertDimension": {"range": {**span, "dimension": "ROWS", "startIndex": 0, "endIndex": 1}}}]
        )
    elif kind in ("column before", "column after"):
        at = random.randint(0, left) if kind == "column before" else random.randint(right + 1, sheet.column_count - 1)
        place = {**span, "dimension": "COLUMNS", "startIndex": at, "endIndex": at + 1}
        emulator.requests([{"insertDimension": {"range": place}}])
    elif kind == "rows at the end":
        emulator.requests([{"appendDimension": {"sheetId": sheet.sheet_id, "dimension": "ROWS", "length": 3}}])
    elif kind == "rule":
        where = {"sheetId": sheet.sheet_id, "startColumnIndex": left + random.randint(0, 4)}
        theirs = {"backgroundColor": {"blue": 1}}
        rule = {"ranges": [where], "booleanRule": {"condition": {"type": "BLANK"}, "format": theirs}}
        index = random.randint(0, len(sheet.parts.get("conditionalFormats", [])))
        emulator.requests([{"addConditionalFormatRule": {"rule": rule, "index": index}}])
    else:
        source = {"sheetId": sheet.sheet_id, "startColumnIndex": left, "endColumnIndex": left + 1}
        basic = {"chartType": "LINE", "series": [{"series": {"sourceRange": {"sources": [source]}}}]}
        anchor = {"anchorCell": {"sheetId": sheet.sheet_id, "columnIndex": sheet.column_count - 1}}
        chart = {"spec": {"title": "их", "basicChart": basic}, "position": {"overlayPosition": anchor}}
        emulator.requests([{"addChart": {"chart": chart}}])


@pytest.mark.parametrize("seed", range(10))
def test_ours_is_whole_and_once_and_theirs_stays(seed: int) -> None:
    random = Random(seed)
    with SheetsEmulator() as emulator, client_of(emulator) as client:
        publish(client, emulator.spreadsheet_id, [tab(look=None)], {})
        emulator.requests(
            [{"appendDimension": {"sheetId": sheet_of(emulator).sheet_id, "dimension": "COLUMNS", "length": 3}}]
        )
        emulator.edit(f"{TITLE}!G1:G2", [["их заголовок"], ["об Анне"]])
        for step in range(STEPS):
            theirs = _theirs(emulator)
            chart = Chart(f"Шаг {step}", "bar", "Менеджер", ["В срок"], key="one")
            look = Look(
                caption=["x"] * random.randint(0, 3),
                rules=random.sample(RULES, random.randint(0, len(RULES))),
                charts=random.sample([chart], random.randint(0, 1)),
                notes={"В срок": "доля"},
                protected=random.random() < 0.8,
            )
            wanted = tab(random.randint(0, 7), look)
            assert publish(client, emulator.spreadsheet_id, [wanted], {}).is_decorated
            assert _theirs(emulator) == theirs
            left = _check(emulator, wanted)
            meddle(emulator, random, left, left + 5)


def _theirs(emulator: SheetsEmulator) -> tuple[int, int]:
    """How many rules and charts are people's, by their blue and their title."""
    parts = sheet_of(emulator).parts
    blue = {"backgroundColor": {"blue": 1}}
    rules = sum(rule["booleanRule"]["format"] == blue for rule in parts.get("conditionalFormats", []))
    return rules, sum(chart["spec"]["title"] == "их" for chart in parts.get("charts", []))


def _check(emulator: SheetsEmulator, wanted: Tab) -> int:
    """Look at everything of ours; the column where it begins."""
    sheet, look = sheet_of(emulator), wanted.look or Look()
    named = emulator.books[emulator.spreadsheet_id].named[f"otklik_{TITLE}"]["range"]
    top, left = named["startRowIndex"], named["startColumnIndex"]
    heading = top + len(look.caption)
    rows, end = len(wanted.rows), heading + 1 + max(len(wanted.rows), 1)
    assert named["endRowIndex"] == heading + 1 + rows
    assert [cell for cell in sheet.rows[heading][left : left + 5]] == [column.name for column in wanted.columns]
    for number, row in enumerate(wanted.rows):
        assert [cell or "" for cell in (*sheet.rows[heading + 1 + number], *[None] * 9)[left : left + 5]] == row
    # a note of people beside our heading and our first row
    theirs = [[place for place, cell in enumerate(row) if cell == "их заголовок"] for row in sheet.rows]
    assert [number for number, found in enumerate(theirs) if found] == [heading]
    # every colour once, over its column and the rows that there are
    ours = [rule for rule in sheet.parts.get("conditionalFormats", []) if "textFormat" in rule["booleanRule"]["format"]]
    lies = [_lies(rule["ranges"]) for rule in ours]
    assert lies == [
        (heading + 1, end, left + COLUMNS[rule.column][0], left + COLUMNS[rule.column][1]) for rule in look.rules
    ]
    inks = [rule["booleanRule"]["format"]["textFormat"]["foregroundColorStyle"] for rule in ours]
    assert inks == [style(CELLS[rule.tone][1]) for rule in look.rules], "in the order of the look"
    charts = [chart for chart in sheet.parts.get("charts", []) if chart["spec"]["title"] != "их"]
    assert [chart["spec"]["title"] for chart in charts] == [chart.title for chart in look.charts]
    for chart in charts:
        series = chart["spec"]["basicChart"]["series"][0]["series"]["sourceRange"]["sources"]
        assert _lies(series) == (heading, end, left + 1, left + 2)
    warned = [_lies([one["range"]]) for one in sheet.parts.get("protectedRanges", [])]
    assert warned == ([(top, heading + 1 + rows, left, left + 5)] if look.protected else [])
    notes = [place for place, extras in sheet.extras.items() if "note" in extras]
    assert notes == [(heading, left + 1)]
    return left


def _lies(ranges: list[dict[str, Any]]) -> tuple[int, ...]:
    (one,) = ranges
    return one["startRowIndex"], one["endRowIndex"], one["startColumnIndex"], one["endColumnIndex"]
