"""How a tab looks after publications, and that people have the last word; over HTTP."""

from __future__ import annotations

import json
from math import ceil

import pytest

from resources.clients.sheets import LIMITS, SheetsClient
from resources.sheets import Chart, ColourRule, Column, Look, Tab, publish, read_back
from tests.contract.looks import (
    LOOK,
    TITLE,
    charts,
    colours,
    protected,
    rows_of,
    rules,
    sheet_of,
    shown_page,
    tab,
    whole,
)
from tests.contract.spreadsheets import asked, client_of, hashes, hidden
from tests.emulators.sheets import SheetsEmulator

KEEP_MOMENTS = True


def show(emulator: SheetsEmulator, client: SheetsClient, *tabs: Tab) -> None:
    """Publish whatever was there before, and let nothing be left behind."""
    assert publish(client, emulator.spreadsheet_id, tabs, {}).is_decorated
    assert hidden(emulator) == []


def test_a_new_tab_comes_whole_with_its_look(emulator: SheetsEmulator, client: SheetsClient) -> None:
    show(emulator, client, tab())
    assert asked(emulator) == 3, "made, filled, shown: colours and charts are no calls of their own"
    assert set(emulator.moments[1]) == {"Лист1"} and TITLE in emulator.moments[2]
    sheet = sheet_of(emulator)
    assert emulator.values(f"{TITLE}!A1:E5") == [
        ["Неделя 46"],
        ["=1+1 остаётся словами"],
        ["■ 85 % и больше 😀      ■ меньше 70 %"],
        ["Менеджер", "В срок", "Ожиданий", "Состояние", "Чат"],
        ["Анна", 0.95, 20, "лучше", "чат 0"],
    ]
    assert emulator.formulas() == {}
    assert (sheet.frozen_rows, sheet.frozen_columns) == (4, 1)
    # 95, 80, 65, 50 %: the ends of each rule are worked out here, not read from it
    assert colours(emulator, 1) == ["g", ".", "b", "b"]
    assert colours(emulator, 3) == [".", ".", "b", "."]
    assert colours(emulator, 0) == [".", ".", "w", "."]
    assert colours(emulator, 2) == ["."] * 4
    assert [rows_of(rule["ranges"][0]) for rule in rules(emulator)] == [(4, 8)] * 4
    (chart,) = charts(emulator)
    series = chart["spec"]["basicChart"]["series"][0]["series"]["sourceRange"]["sources"][0]
    assert rows_of(series) == (3, 8) and series["startColumnIndex"] == 1, "heading and four rows"
    anchor = chart["position"]["overlayPosition"]["anchorCell"]
    assert (anchor["rowIndex"], anchor["columnIndex"]) == (4, 5), "right of our columns, where nothing is frozen"
    (warning,) = protected(emulator)
    assert warning["warningOnly"] and "Отклик" in warning["description"] and rows_of(warning["range"]) == (0, 8)
    assert sheet.extras[3, 1]["note"] == LOOK.notes["В срок"]
    links = [sheet.extras.get((row, 4), {}).get("textFormatRuns") for row in range(4, 8)]
    assert [found and found[0]["format"]["link"]["uri"] for found in links] == [
        "https://crm.example.test/1", None, "https://crm.example.test/3", None,
    ]  # fmt: skip
    heading = sheet.extras[3, 0]["userEnteredFormat"]
    assert heading["textFormat"]["bold"] and heading["wrapStrategy"] == "WRAP"
    assert read_back(client, emulator.spreadsheet_id, TITLE)[0][:2] == ["Менеджер", "В срок"]  # type: ignore[index]


def test_people_see_it(emulator: SheetsEmulator, client: SheetsClient) -> None:
    """The page of the emulator, which is what a person looks at."""
    show(emulator, client, tab())
    html = shown_page(emulator)
    assert html.count("background:#e2f3e6") == 1 and html.count("background:#fbe2df") == 3
    assert '<svg style="left:20px;top:0px" class="chart"' in html and "Неделя 46: в срок" in html
    assert html.count('<rect x="') == 1 + 4, "its frame and a bar for each manager"
    assert f'title="{LOOK.notes["В срок"]}"' in html and "A1:E8, предупреждение" in html
    assert '<a href="https://crm.example.test/3">чат 2</a>' in html
    assert '<span style="color:#34a26a;font-size:16px;line-height:1.25;">■</span>' in html


def test_the_same_again_is_no_call_and_forced_again_changes_nothing(
    emulator: SheetsEmulator, client: SheetsClient
) -> None:
    first = publish(client, emulator.spreadsheet_id, [tab()], {})
    before = whole(emulator)
    assert publish(client, emulator.spreadsheet_id, [tab()], hashes(first)).calls == 0
    assert whole(emulator) == before
    show(emulator, client, tab())
    assert whole(emulator) == before


@pytest.mark.parametrize("rows", [7, 2, 0])
def test_everything_follows_the_rows(rows: int, emulator: SheetsEmulator, client: SheetsClient) -> None:
    show(emulator, client, tab(4))
    show(emulator, client, tab(rows))
    end = 4 + max(rows, 1)
    assert {rows_of(rule["ranges"][0]) for rule in rules(emulator)} == {(4, end)} and len(rules(emulator)) == 4
    assert [rows_of(one["range"]) for one in protected(emulator)] == [(0, 4 + rows)]
    (chart,) = charts(emulator)
    basic = chart["spec"]["basicChart"]
    sources = [basic["domains"][0]["domain"], basic["series"][0]["series"]]
    assert {rows_of(one["sourceRange"]["sources"][0]) for one in sources} == {(3, end)}
    sheet = sheet_of(emulator)
    linked = {row for row, column in sheet.extras if column == 4 and "textFormatRuns" in sheet.extras[row, column]}
    assert linked == {row for row in (4, 6) if row < 4 + rows}, "no link stays on another row's text"


def test_what_people_did_stays(emulator: SheetsEmulator, client: SheetsClient) -> None:
    """Their rule, chart, colour, note, column, order of rules, drawing and place of our chart."""
    show(emulator, client, tab())
    sheet = sheet_of(emulator)
    ours, chart = sheet.sheet_id, charts(emulator)[0]
    cell = {"sheetId": ours, "startRowIndex": 4, "endRowIndex": 6, "startColumnIndex": 1, "endColumnIndex": 2}
    condition = {"type": "NUMBER_GREATER", "values": [{"userEnteredValue": "0,5"}]}
    theirs = {"ranges": [cell], "booleanRule": {"condition": condition, "format": {"textFormat": {"italic": True}}}}
    spec = json.loads(json.dumps(chart["spec"]))
    own = {"spec": json.loads(json.dumps(spec)), "position": chart["position"]}
    own["spec"]["title"] = "Мой график"
    spec["basicChart"]["chartType"] = "COLUMN"
    spec["basicChart"]["axis"] = [{"position": "LEFT_AXIS"}]
    spec["basicChart"]["series"][0]["targetAxis"] = "LEFT_AXIS"
    place = {"overlayPosition": {"anchorCell": {"sheetId": ours, "rowIndex": 9, "columnIndex": 6}}}
    to = {"objectId": chart["chartId"], "newPosition": place, "fields": "anchorCell"}
    emulator.requests(
        [
            {"addConditionalFormatRule": {"rule": theirs, "index": 0}},
            {"addChart": {"chart": own}},
            {"updateChartSpec": {"chartId": chart["chartId"], "spec": spec}},
            {"updateEmbeddedObjectPosition": to},
            {"repeatCell": {"range": {**cell, "startRowIndex": 3, "endRowIndex": 4}, "fields":
                            "userEnteredFormat.backgroundColor",
                            "cell": {"userEnteredFormat": {"backgroundColor": {"red": 1, "green": 1}}}}},
            {"updateCells": {"range": {**cell, "startColumnIndex": 5, "endColumnIndex": 6}, "fields": "note",
                             "rows": [{"values": [{"note": "спросить"}]}]}},
        ]
    )  # fmt: skip
    emulator.edit(f"{TITLE}!F5", [["моё"]])
    show(emulator, client, tab(6))
    assert rules(emulator)[0] == theirs, "untouched, and first: it wins"
    assert [rows_of(rule["ranges"][0]) for rule in rules(emulator)[1:]] == [(4, 10)] * 4
    mine, kept = sorted(charts(emulator), key=lambda one: one["chartId"] == chart["chartId"])
    assert mine["spec"]["title"] == "Мой график"
    assert mine["spec"]["basicChart"] == own["spec"]["basicChart"], "over the rows that they chose"
    assert kept["spec"]["basicChart"]["chartType"] == "COLUMN" and kept["spec"]["title"] == LOOK.charts[0].title
    assert rows_of(kept["spec"]["basicChart"]["series"][0]["series"]["sourceRange"]["sources"][0]) == (3, 10)
    assert kept["position"]["overlayPosition"]["anchorCell"]["rowIndex"] == 9
    sheet = sheet_of(emulator)
    assert sheet.extras[3, 1]["userEnteredFormat"]["backgroundColor"] == {"red": 1, "green": 1}
    assert sheet.extras[4, 5]["note"] == "спросить" and emulator.values(f"{TITLE}!F5") == [["моё"]]


def test_what_people_removed_is_not_made_again(emulator: SheetsEmulator, client: SheetsClient) -> None:
    show(emulator, client, tab())
    sheet = sheet_of(emulator)
    emulator.requests(
        [
            {"deleteEmbeddedObject": {"objectId": charts(emulator)[0]["chartId"]}},
            {"deleteProtectedRange": {"protectedRangeId": protected(emulator)[0]["protectedRangeId"]}},
            {"deleteConditionalFormatRule": {"sheetId": sheet.sheet_id, "index": 0}},
        ]
    )
    show(emulator, client, tab(6))
    assert charts(emulator) == protected(emulator) == []
    assert colours(emulator, 1) == [".", ".", "b", "b"] and len(rules(emulator)) == 3
    # another tab of ours is another matter, and so is one that is made anew
    emulator.requests([{"deleteSheet": {"sheetId": sheet.sheet_id}}])
    show(emulator, client, tab(6))
    assert len(charts(emulator)) == len(protected(emulator)) == 1 and len(rules(emulator)) == 4


def test_a_rule_that_they_changed_is_theirs(emulator: SheetsEmulator, client: SheetsClient) -> None:
    show(emulator, client, tab())
    blue, stretched = (json.loads(json.dumps(rules(emulator)[number])) for number in (0, 1))
    blue["booleanRule"]["format"]["backgroundColorStyle"] = {"rgbColor": {"blue": 1}}
    stretched["ranges"][0]["endRowIndex"] = 9
    emulator.requests([{"appendDimension": {"sheetId": sheet_of(emulator).sheet_id, "dimension": "ROWS", "length": 9}}])
    emulator.requests(
        [{"updateConditionalFormatRule": {"index": n, "rule": rule}} for n, rule in enumerate([blue, stretched])]
    )
    show(emulator, client, tab(2))
    assert rules(emulator)[:2] == [blue, stretched] and len(rules(emulator)) == 4


def test_an_inserted_column_and_row_move_our_rules_and_charts(emulator: SheetsEmulator, client: SheetsClient) -> None:
    show(emulator, client, tab())
    span = {"sheetId": sheet_of(emulator).sheet_id, "startIndex": 0, "endIndex": 1}
    emulator.requests([{"insertDimension": {"range": {**span, "dimension": kind}}} for kind in ("ROWS", "COLUMNS")])
    emulator.edit(f"{TITLE}!A1", [["моё"]])
    show(emulator, client, tab(6))
    assert emulator.values(f"{TITLE}!A1") == [["моё"]] and len(rules(emulator)) == 4
    assert [rows_of(rule["ranges"][0]) for rule in rules(emulator)] == [(5, 11)] * 4
    assert colours(emulator, 2, 5, 11) == ["g", ".", "b", "b", "g", "."]
    assert colours(emulator, 1, 5, 11) == [".", ".", "w", ".", ".", "."]
    (chart,) = charts(emulator)
    source = chart["spec"]["basicChart"]["series"][0]["series"]["sourceRange"]["sources"][0]
    assert (*rows_of(source), source["startColumnIndex"]) == (4, 11, 2)


def test_a_plain_tab_gets_its_look_later_and_may_lose_it(emulator: SheetsEmulator, client: SheetsClient) -> None:
    """As an installation is updated: people's columns beside ours stay beside the rows that they speak of."""
    show(emulator, client, tab(look=None))
    plain = sheet_of(emulator)
    assert plain.parts == {"merges": []} or not any(plain.parts.values())
    emulator.requests([{"appendDimension": {"sheetId": plain.sheet_id, "dimension": "COLUMNS", "length": 1}}])
    emulator.edit(f"{TITLE}!F1:F3", [["Заметка"], ["об Анне"], ["о Борисе"]])
    show(emulator, client, tab())
    assert emulator.values(f"{TITLE}!A4:F6")[1] == ["Анна", 0.95, 20, "лучше", "чат 0", "об Анне"]
    assert emulator.values(f"{TITLE}!F4:F6") == [["Заметка"], ["об Анне"], ["о Борисе"]]
    assert (sheet_of(emulator).frozen_rows, sheet_of(emulator).frozen_columns) == (4, 1)
    assert colours(emulator, 1) == ["g", ".", "b", "b"]
    anchor = charts(emulator)[0]["position"]["overlayPosition"]["anchorCell"]
    assert anchor["columnIndex"] == 6, "right of their column, too"
    # fewer lines, more columns of theirs in place
    show(emulator, client, tab(caption=["Неделя 47"]))
    assert emulator.values(f"{TITLE}!A1:A3") == [[], ["Неделя 47"], ["■ 85 % и больше 😀      ■ меньше 70 %"]]
    assert emulator.values(f"{TITLE}!F4:F6") == [["Заметка"], ["об Анне"], ["о Борисе"]]
    assert sheet_of(emulator).frozen_rows == 4 and colours(emulator, 1) == ["g", ".", "b", "b"]
    show(emulator, client, tab(look=None))
    assert emulator.values(f"{TITLE}!A4:F5")[1] == ["Анна", 0.95, 20, "лучше", "чат 0", "об Анне"]
    assert rules(emulator) == charts(emulator) == protected(emulator) == []
    assert emulator.books[emulator.spreadsheet_id].metadata == {}
    assert not any({"note", "textFormatRuns"} & set(extras) for extras in sheet_of(emulator).extras.values())
    assert read_back(client, emulator.spreadsheet_id, TITLE)[1][0] == "Анна"  # type: ignore[index]


def test_a_new_look_is_applied_to_a_tab_that_is_there(emulator: SheetsEmulator, client: SheetsClient) -> None:
    previous = hashes(publish(client, emulator.spreadsheet_id, [tab()], {}))
    charts_now = [Chart("Иначе", "column", "Менеджер", ["Ожиданий", "В срок"], key="in_target")]
    other = tab(rules=[LOOK.rules[3], ColourRule("Ожиданий", ">", 20, "good"), LOOK.rules[0]], charts=charts_now)
    assert publish(client, emulator.spreadsheet_id, [other], previous).tabs[TITLE].changed
    assert colours(emulator, 2) == [".", "g", "g", "g"] and colours(emulator, 3) == ["."] * 4
    assert colours(emulator, 1) == ["g", ".", ".", "."] and len(rules(emulator)) == 3
    (chart,) = charts(emulator)
    basic = chart["spec"]["basicChart"]
    assert (basic["chartType"], len(basic["series"]), chart["spec"]["title"]) == ("COLUMN", 2, "Иначе")
    show(emulator, client, tab(rules=[], charts=[], protected=False, notes={}, frozen_columns=0, links={}))
    assert rules(emulator) == charts(emulator) == protected(emulator) == []
    sheet = sheet_of(emulator)
    assert sheet.frozen_columns == 0 and "note" not in sheet.extras[3, 1] and "textFormatRuns" not in sheet.extras[4, 4]


def test_the_earlier_of_two_rules_wins_also_when_it_comes_later(emulator: SheetsEmulator, client: SheetsClient) -> None:
    low, good = ColourRule("В срок", "<", 0.9, "warn"), ColourRule("В срок", ">=", 0.6, "good")
    show(emulator, client, tab(rules=[good]))
    assert colours(emulator, 1) == ["g", "g", "g", "."]
    show(emulator, client, tab(rules=[low, good]))
    assert colours(emulator, 1) == ["g", "w", "w", "w"]


def test_empty_cells_have_no_colour(emulator: SheetsEmulator, client: SheetsClient) -> None:
    rows = [["Анна", None, 0, "", ""], ["Борис", 0, 5, "", ""], ["Вера", 0.01, None, "", ""]]
    found = [ColourRule("В срок", "<=", 0.05, "bad"), ColourRule("Ожиданий", "between", (0, 4), "warn")]
    base = tab(0, Look(rules=[*found, ColourRule("Менеджер", "=", 0, "good", by="Ожиданий")]))
    show(emulator, client, Tab(base.title, base.columns, rows, base.look))
    assert colours(emulator, 1, 1, 4) == [".", "b", "b"]
    assert colours(emulator, 2, 1, 4) == ["w", ".", "."]
    assert colours(emulator, 0, 1, 4) == ["g", ".", "."]


def test_charts_below_move_before_the_rows_reach_them(emulator: SheetsEmulator, client: SheetsClient) -> None:
    two = [
        Chart(f"График {n}", "column", "Менеджер", ["Ожиданий"], place="below", height=210, width=300) for n in (1, 2)
    ]
    show(emulator, client, tab(4, charts=two))
    places = [one["position"]["overlayPosition"] for one in charts(emulator)]
    assert [place["anchorCell"]["rowIndex"] for place in places] == [9, 9], "a row between them and ours"
    # columns of 160 (frozen), 100, 100, 160 pixels: 160 + 300 + 20 is 120 into the fourth
    assert [(place["anchorCell"]["columnIndex"], place["offsetXPixels"]) for place in places] == [(1, 0), (3, 120)]
    show(emulator, client, tab(3, charts=two))
    assert [one["position"]["overlayPosition"]["anchorCell"]["rowIndex"] for one in charts(emulator)] == [9, 9]
    show(emulator, client, tab(30, charts=two))
    assert [one["position"]["overlayPosition"]["anchorCell"]["rowIndex"] for one in charts(emulator)] == [35, 35]
    assert sheet_of(emulator).row_count >= 35 + 10


def test_another_chart_made_of_ours_keeps_its_rows(emulator: SheetsEmulator, client: SheetsClient) -> None:
    show(emulator, client, tab(caption=[], legend=[]))
    (chart,) = charts(emulator)
    spec = json.loads(json.dumps(chart["spec"]))
    spec["basicChart"]["series"] *= 2
    emulator.requests([{"updateChartSpec": {"chartId": chart["chartId"], "spec": spec}}])
    show(emulator, client, tab(6, caption=["x"], legend=[]))
    (kept,) = charts(emulator)
    sources = [one["series"]["sourceRange"]["sources"][0] for one in kept["spec"]["basicChart"]["series"]]
    assert [rows_of(one) for one in sources] == [(1, 6)] * 2, "moved with their cells by the inserted line, no more"


def test_lines_that_come_as_rows_go(emulator: SheetsEmulator, client: SheetsClient) -> None:
    """Where things will lie is where they lie now, and yet the inserted lines move them away from there."""
    last = [Chart("Последние", "column", "Менеджер", ["Ожиданий"], last=2)]
    for lines, rows in ((0, 4), (2, 2)):
        show(emulator, client, tab(rows, caption=["x"] * lines, legend=[], charts=last))
        assert [rows_of(one["range"]) for one in protected(emulator)] == [(0, 5)]
        series = charts(emulator)[0]["spec"]["basicChart"]["series"][0]["series"]
        assert rows_of(series["sourceRange"]["sources"][0]) == (3, 5)


def test_columns_that_are_added_look_like_ours(emulator: SheetsEmulator, client: SheetsClient) -> None:
    show(emulator, client, tab())
    first = tab()
    grown = Tab(TITLE, [*first.columns, Column("Новый столбец", width=222)], first.rows, first.look)
    show(emulator, client, grown)
    sheet = sheet_of(emulator)
    assert sheet.extras[3, 5]["userEnteredFormat"]["textFormat"]["bold"] and sheet.column_meta[5]["pixelSize"] == 222
    assert rows_of(protected(emulator)[0]["range"]) == (0, 8) and protected(emulator)[0]["range"]["endColumnIndex"] == 6


def test_a_look_that_is_refused_does_not_keep_the_figures_back(
    emulator: SheetsEmulator, client: SheetsClient, caplog: pytest.LogCaptureFixture
) -> None:
    """The vendor takes no link of this kind; what it says of it may hold a customer's phone."""
    bad = tab(links={"Чат": ["tel:+77011234567"]})
    published = publish(client, emulator.spreadsheet_id, [bad], {})
    assert not published.is_decorated
    assert emulator.values(f"{TITLE}!A4:B5") == [["Менеджер", "В срок"], ["Анна", 0.95]] and hidden(emulator) == []
    assert rules(emulator) == charts(emulator) == []
    assert "].updateCells" in caplog.text and "7701" not in caplog.text
    # the next content brings its look along, whole, and the lines above are not there twice
    show(emulator, client, tab(5))
    assert colours(emulator, 1) == ["g", ".", "b", "b"] and len(charts(emulator)) == 1
    assert emulator.values(f"{TITLE}!A1:A5")[3:] == [["Менеджер"], ["Анна"]]


def test_decorated_tabs_keep_the_bound_of_calls(emulator: SheetsEmulator) -> None:
    """ceil(bytes / 2 MB) + 2, with as many links as anybody may ask for."""
    names = [f"Чат {number}" for number in range(8)]
    rows = [[f"{number} {row}" for number in range(8)] for row in range(2_100)]
    links = {name: [f"https://crm.example.test/chats/{row:080}" for row in range(2_100)] for name in names}
    big = Tab("t", [Column(name) for name in names], rows, Look(caption=["x"], links=links, protected=True))
    with client_of(emulator, LIMITS) as patient:
        published = publish(patient, emulator.spreadsheet_id, [big], {})
    assert published.is_decorated and published.calls == ceil(published.bytes_sent / 2_000_000) + 2
    change = [call.sent for call in emulator.ledger.calls if call.path.endswith(":batchUpdate")][-1]
    assert 1_000_000 < change < 2_000_000, "as many links as the one change that people see has room for"
    linked = [column for (_, column), one in sheet_of(emulator, "t").extras.items() if "textFormatRuns" in one]
    assert (linked.count(0), linked.count(7)) == (2_000, 0)


@pytest.mark.parametrize("fault", ["status", "lost", "truncated", "reset"])
@pytest.mark.parametrize("k", range(3))
def test_a_failure_at_any_request_makes_nothing_twice(
    fault: str, k: int, emulator: SheetsEmulator, client: SheetsClient
) -> None:
    show(emulator, client, tab())
    emulator.moments.clear()
    emulator.ledger.clear()
    emulator.faults.add(fault, path="^/v4/", after=k, times=1, **({"status": 500} if fault == "status" else {}))
    show(emulator, client, tab(6))
    emulator.faults.clear()
    show(emulator, client, tab(7))
    assert (len(rules(emulator)), len(charts(emulator)), len(protected(emulator))) == (4, 1, 1)
    assert {rows_of(rule["ranges"][0]) for rule in rules(emulator)} == {(4, 11)}
    heights = [sum(1 for row in moment[TITLE] if row) for moment in emulator.moments]
    assert heights == sorted(heights) and set(heights) <= {8, 10, 11}


def test_rows_have_the_height_that_a_look_gives_them_until_people_change_it(
    emulator: SheetsEmulator, client: SheetsClient
) -> None:
    """A long text shows its first lines; all of it stands in the cell."""
    said = "\n".join(["длинная строка о том, что было сказано"] * 20)

    def calls(rows: int, height: int | None = 38) -> Tab:
        look = Look(caption=["Неделя 46"], wrap=["Сказано"], row_height=height)
        return Tab(TITLE, [Column("Звонок"), Column("Сказано", width=300)], [["звонок", said]] * rows, look)

    def heights() -> list[int | None]:
        return [sheet_of(emulator).row_meta.get(row, {}).get("pixelSize") for row in range(7)]

    show(emulator, client, calls(2, None))
    assert heights() == [None] * 7 and 'class="sized"' not in shown_page(emulator)
    show(emulator, client, calls(2))
    # neither the caption nor the heading
    assert heights() == [None, None, 38, 38, None, None, None]
    assert emulator.values(f"{TITLE}!B3") == [[said]]
    assert shown_page(emulator).count('style="height:38px;--tall:38px"') == 2
    size = {"dimension": "ROWS", "sheetId": sheet_of(emulator).sheet_id, "startIndex": 2, "endIndex": 3}
    emulator.requests(
        [{"updateDimensionProperties": {"range": size, "properties": {"pixelSize": 300}, "fields": "pixelSize"}}]
    )
    show(emulator, client, calls(4))
    assert heights() == [None, None, 300, 38, 38, 38, None], "people have the last word, new rows get theirs"
    show(emulator, client, calls(4, 60))
    assert heights()[2:6] == [60] * 4, "another look is another look"
