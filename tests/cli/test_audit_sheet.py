"""``otklik audit-sheet``: a spreadsheet as it was left is in order; each thing that people break is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from assets.exports import frames
from assets.exports.status_columns import COLUMNS, STATUS
from resources.accounts import sheets_account
from resources.settings import Settings
from resources.sheets import Kind, Tab, publish
from resources.sheets.layout import range_name
from resources.sheets_resource import client_of
from resources.warehouse import exports
from resources.warehouse.engine import Warehouse
from resources.warehouse.exports import Export
from tests.cli.conftest import Otklik
from tests.cli.publishing import CONTACTS, WEEK, policy_with
from tests.emulators.sheets import SheetsEmulator

CHATS, MANAGERS = "chats_raw", "manager_summary"
NOW, AS_OF = datetime(2026, 11, 16, 5, 10, tzinfo=UTC), datetime(2026, 11, 15, 21, tzinfo=UTC)
WORDS = "Здравствуйте, есть валенки?"
CELLS = {
    Kind.TEXT: lambda row: f"{WORDS} {row}",
    Kind.INTEGER: lambda row: row,
    Kind.DECIMAL: lambda row: row + 0.5,
    Kind.PERCENT: lambda row: 1 / row,
    Kind.DATE: lambda row: date(2026, 11, row),
    Kind.DATETIME: lambda row: datetime(2026, 11, row, 12),
}


@pytest.fixture(scope="module")
def sheets() -> Iterator[SheetsEmulator]:
    with SheetsEmulator(quota=None, large="allow") as emulator:
        yield emulator


@pytest.fixture(scope="module")
def shown(database: Warehouse, sheets: SheetsEmulator) -> Iterator[Warehouse]:
    """Every tab with its declared columns and some rows, published as the assets do; the rows are made up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Settings.model_config, "env_file", None)
        for name, value in (
            ("GOOGLE_SHEETS_ID", sheets.spreadsheet_id),
            ("GOOGLE_SERVICE_ACCOUNT_JSON", str(sheets.service_account_file)),
            ("SHEETS_BASE_URL", sheets.base_url),
            ("SHEETS_REQUESTS_PER_MINUTE", "1000"),
            ("OTKLIK_NOW", "2026-11-16T08:10:00+03:00"),
        ):
            patch.setenv(name, value)
        settings = Settings()
        columns = {title: [made.column for made in frames.columns_of(title)] for title in frames.TITLES}
        columns[STATUS] = [column for column, _ in COLUMNS]
        tabs = [
            Tab(title, of_tab, [[CELLS[column.kind](row) for column in of_tab] for row in range(2, 2 + 3 + number)])
            for number, (title, of_tab) in enumerate(columns.items())
        ]
        with database.connect() as connection:
            account = sheets_account(settings, connection)
            assert account is not None
            with client_of(settings, account) as client:
                done = publish(client, account.spreadsheet_id, tabs, {})
            exports.record(
                connection, exports.destination_of(account.spreadsheet_id),
                [Export(title, one.content_hash, one.rows, WEEK, WEEK, [], NOW) for title, one in done.tabs.items()],
            )  # fmt: skip
            connection.execute("create table marts.data_status as select %s as week, %s as as_of", [WEEK, AS_OF])
        database.give_rights()
        yield database


@pytest.fixture
def audit(shown: Warehouse, otklik: Otklik, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Runs the command and reads its report: exit code and report."""
    monkeypatch.setenv("DATABASE_URL", shown.url)

    def run(**variables: str) -> tuple[int, dict[str, Any]]:
        path = tmp_path / "report.json"
        result = otklik("audit-sheet", "--output", str(path), **variables)
        assert path.exists(), result.output
        return result.exit_code, json.loads(path.read_text("utf-8"))

    return run


def found(report: dict[str, Any]) -> list[tuple[str, str, str | None, int | None]]:
    return [(one["severity"], one["code"], one["tab"], one["count"]) for one in report["findings"]]


def errors(report: dict[str, Any]) -> list[tuple[str, str | None, int | None]]:
    return [(code, tab, count) for severity, code, tab, count in found(report) if severity == "error"]


def test_a_spreadsheet_as_it_was_left_is_in_order(audit: Any, shown: Warehouse, sheets: SheetsEmulator) -> None:
    calls = len(sheets.ledger.calls)
    code, report = audit()
    assert (code, errors(report), report["is_good"]) == (0, [], True)
    assert len(sheets.ledger.calls) - calls <= 4, "structure, values, marks, and perhaps a sign-in"
    with shown.connect() as sql:
        rows = dict(sql.execute("select tab, row_count from ops.exports").fetchall())
    assert {tab["title"]: tab["rows"] for tab in report["tabs"]} == rows
    assert all(tab["has_declared_headings"] and not tab["formula_cells"] for tab in report["tabs"])
    assert report["newest_published_week"] == WEEK and report["as_of"].startswith("2026-11-15T21:00")
    assert report["other_tabs"] == 1


def test_the_report_holds_nothing_of_what_is_written(audit: Any, sheets: SheetsEmulator) -> None:
    _, report = audit()
    text = json.dumps(report, ensure_ascii=False)
    assert WORDS in str(sheets.values(f"{CHATS}!A1:Z")) and WORDS not in text
    assert sheets.spreadsheet_id not in text


def test_a_report_goes_where_it_can_be_written(
    audit: Any, otklik: Otklik, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir(), here.mkdir()
    monkeypatch.chdir(here)
    assert otklik("audit-sheet", OTKLIK_HOME=str(home)).exit_code == 0
    assert [one.name for one in here.iterdir()] == ["sheet_audit_report.json"] and not list(home.iterdir())
    # nobody can write to a folder's name, not even root
    (here / "sheet_audit_report.json").unlink()
    (here / "sheet_audit_report.json").mkdir()
    shown = otklik("audit-sheet")
    assert (shown.exit_code, json.loads((home / "sheet_audit_report.json").read_text("utf-8"))["is_good"]) == (0, True)
    refused = otklik("audit-sheet", "--output", str(tmp_path / "nowhere" / "report.json"))
    assert refused.exit_code == 74 and MANAGERS in refused.stdout and "отчёт не записан" in refused.stderr
    assert "Traceback" not in refused.output


def test_what_people_break_is_found(audit: Any, sheets: SheetsEmulator) -> None:
    before = sheets.values(f"{CHATS}!A1:Z")
    heading = next(number for number, row in enumerate(before, 1) if "Чат" in row)
    # in a column of numbers: in one of texts a formula that is typed stays a text
    count = chr(65 + before[heading - 1].index("Сообщений клиента"))
    sheets.edit(f"{CHATS}!{count}{heading}:{count}{heading + 2}", [["Мой"], ["=1/0"], ["=1+1"]])
    last = len(before)
    width = max(map(len, before))
    sheets.edit(f"{CHATS}!A{last}:{chr(64 + width)}{last}", [[""] * width])
    sheets.edit(f"{CHATS}!B{heading + 1}", [[CONTACTS]])
    code, report = audit()
    assert code == 1 and not report["is_good"]
    assert set(errors(report)) == {
        ("headings_changed", CHATS, 1), ("formula_cells", CHATS, 2), ("error_cells", CHATS, 1),
        ("rows_differ", CHATS, -1), ("contacts", CHATS, 1),
    }  # fmt: skip
    assert CONTACTS not in json.dumps(report, ensure_ascii=False)
    sheets.edit(f"{CHATS}!A1:{chr(64 + width)}{last}", [row + [""] * (width - len(row)) for row in before])
    assert audit()[0] == 0


def test_contacts_are_no_finding_where_the_policy_lets_them_out(
    audit: Any, sheets: SheetsEmulator, tmp_path: Path
) -> None:
    before = sheets.values(f"{CHATS}!B1:B9")
    sheets.edit(f"{CHATS}!B9", [[CONTACTS]])
    assert errors(audit()[1]) == [("contacts", CHATS, 1)]
    assert audit(OTKLIK_POLICY=policy_with(tmp_path, "texts: masked", "texts: full"))[0] == 0
    sheets.edit(f"{CHATS}!B9", [before[8]])


def test_tabs_that_are_gone_taken_hidden_and_of_people(audit: Any, sheets: SheetsEmulator) -> None:
    tab = sheets.sheets()[MANAGERS]["sheetId"]
    sheets.requests([{"updateSheetProperties": {"properties": {"sheetId": tab, "hidden": True}, "fields": "hidden"}}])
    sheets.requests([{"addSheet": {"properties": {"title": "Анна: личное"}}}])
    code, report = audit()
    assert code == 0 and ("warning", "hidden", MANAGERS, None) in found(report)
    assert report["other_tabs"] == 2 and "Анна" not in json.dumps(report, ensure_ascii=False)
    named = sheets.change(
        sheets.spreadsheet_id, lambda book: {one["name"]: one["namedRangeId"] for one in book.named.values()}
    )
    sheets.requests([{"deleteNamedRange": {"namedRangeId": named[range_name(MANAGERS)]}}])
    assert errors(audit()[1]) == [("taken_title", MANAGERS, None)]
    sheets.requests([{"deleteSheet": {"sheetId": tab}}])
    assert errors(audit()[1]) == [("missing_tab", MANAGERS, None)]


def test_a_spreadsheet_that_fell_behind(audit: Any, shown: Warehouse) -> None:
    with shown.connect() as sql:
        sql.execute("update ops.exports set stale_reason = 'проверка', stale_since = now() where tab = %s", [CHATS])
        sql.execute("update ops.exports set content_hash = '' where tab = 'channel_summary'")
        sql.execute("insert into marts.data_status values ('2026-W47', now())")
    report = audit(OTKLIK_NOW="2026-11-30T08:10:00+03:00")[1]
    told = errors(report)
    assert ("stale", CHATS, None) in told and ("unfinished", "channel_summary", None) in told
    assert ("behind", CHATS, 1) in told
    assert ("warning", "week_not_published", None, None) in found(report)


def test_without_a_spreadsheet_it_says_what_to_do(shown: Warehouse, otklik: Otklik) -> None:
    result = otklik("audit-sheet", DATABASE_URL=shown.url, GOOGLE_SHEETS_ID="")
    assert (result.exit_code, "GOOGLE_SHEETS_ID" in result.stderr) == (1, True)
