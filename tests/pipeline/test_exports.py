"""The spreadsheet at the end of the walk: what people read there."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from assets.checks import exports as checks
from orchestration import runner
from resources.warehouse.engine import Warehouse
from resources.warehouse.exports import destination_of
from resources.warehouse.hashes import table_hashes
from tests.emulators.sheets import SPREADSHEET_ID, SheetsEmulator
from tests.pipeline.exporting import (
    ABOVE,
    FORMULA,
    MASKED,
    MONDAY,
    README,
    TABS,
    TITLE,
    WEEK,
    account,
    published,
    reading,
    sheets,
    show,
    spreadsheet,
    table,
)

__all__ = ["account", "published", "sheets", "spreadsheet"]


def test_the_tabs_are_there_in_their_order_and_nothing_else(
    published: list[runner.RunSummary], sheets: SheetsEmulator
) -> None:
    assert list(sheets.visible()) == [README, "Лист1", *TABS, "data_status"]
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


def test_the_tabs_of_the_week_read_as_the_marts_say(
    published: list[runner.RunSummary], sheets: SheetsEmulator, connected: Warehouse
) -> None:
    with connected.connect() as sql:

        def rows(statement: str) -> list[tuple[object, ...]]:
            return sql.execute(statement, [WEEK]).fetchall()

        people = rows(
            """
            select m.manager_name, d.value, d.n
            from marts.manager_week as m
            inner join marts.manager_week_delta as d on m.week = d.week and m.manager_key = d.manager_key
            where m.week = %s and d.metric = 'in_target_share' and m.waits_settled + m.sessions_touched > 0
            """
        )
        talks = rows("select manager_name, rank, conversation_id from marts.weekly_examples where week = %s")
        advice = rows("select conversation_id, count(*) from marts.chat_advice where week = %s group by 1")
        deltas = rows("select manager_name, n from marts.manager_week_delta where week = %s and n > 0")
        kept = rows("select distinct subject_key from marts.behavior_snapshot where week = %s and n > 0"
                    " and subject_kind = 'manager'")  # fmt: skip
        company = rows("select sum(waits_settled)::int from marts.channel_week where week = %s")
    assert people and talks and advice and deltas and kept
    digest = {row["Менеджер"]: row for row in table(sheets, "weekly_digest_managers")}
    report = {row["Менеджер"]: row for row in table(sheets, "manager_report")}
    for name, value, n in people:
        for row in (digest[name], report[name]):
            share = "" if value is None else pytest.approx(value, abs=1e-6)
            assert (row["В норме, % от n"], row["Закрыто вопросов, n"]) == (share, n)
        assert digest[name]["Вывод"] == "— (нет прошлой недели)"
        assert report[name]["Место"] == ("—" if name == "Без менеджера" else "— (мало вопросов)"), "a tiny shop"
    assert len(table(sheets, "weekly_digest_channels")) == 2
    shown = {(row["Менеджер"], row["№"], row["Чат"]) for row in table(sheets, "weekly_examples")}
    assert shown == set(talks)
    advised = [row["Чат"] for row in table(sheets, "chat_advice")]
    assert {chat: advised.count(chat) for chat in advised} == dict(advice)
    compared = table(sheets, "weekly_behavior_delta_managers")
    assert sorted((row["Менеджер"], row["Эта неделя, n"]) for row in compared) == sorted(deltas)
    assert len(table(sheets, "behavior_snapshot_managers")) == len(kept)
    (week,) = table(sheets, "weekly_trend")
    assert (week["Неделя"], week["Закрыто вопросов, n"]) == (TITLE, *company[0])
    captions = {sheets.values(f"'{tab}'!A1:A1")[0][0] for tab in ABOVE}
    assert captions == {f"Неделя {TITLE}, посчитано на 16.11.2026 00:00"}


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


def test_the_last_message_of_a_chat_is_that_of_who_wrote_last(
    published: list[runner.RunSummary], sheets: SheetsEmulator, connected: Warehouse, instance: dg.DagsterInstance
) -> None:
    """A note of ours behind a customer's question must not look like an answer, nor move the question's time."""
    talk = {"Клиент", "Менеджер", "Бот", "Автоответ"}
    before, chat = reading(sheets), table(sheets, "chats_raw")[0]["Чат"]
    with connected.connect() as sql:
        message, sender = sql.execute(
            "select message_id, sender_kind from core.messages where conversation_id = %s and sender_kind <> 'system'"
            " order by sent_at desc limit 1",
            [chat],
        ).fetchone()
        noted = "update core.messages set sender_kind = %s, is_public = %s where message_id = %s"
        sql.execute(noted, ["note", False, message])
    assert show(instance).success
    shown = {row["Чат"]: (row["Последнее сообщение"], row["Последним писал"]) for row in table(sheets, "chats_raw")}
    last = {row["Чат"]: (row["Время"], row["Кто"]) for row in table(sheets, "messages_raw") if row["Кто"] in talk}
    assert shown[chat] == last[chat] and shown == last
    with connected.connect() as sql:
        sql.execute(noted, [sender, True, message])
    assert show(instance).success
    assert reading(sheets) == before


def test_a_person_of_several_accounts_is_one_person_in_the_lists_too(
    published: list[runner.RunSummary], sheets: SheetsEmulator, connected: Warehouse, instance: dg.DagsterInstance
) -> None:
    before = reading(sheets)
    with connected.connect() as sql:
        sql.execute("create table ops.kept as select * from reference.people")
        sql.execute("update reference.people set person_name = 'Один Человек'")
    try:
        assert show(instance).success
        owners = {row["Ответственный"] for row in table(sheets, "chats_raw")} - {""}
        writers = {row["Имя"] for row in table(sheets, "messages_raw") if row["Кто"] == "Менеджер"}
        assert owners == writers == {"Один Человек"}
    finally:
        with connected.connect() as sql:
            sql.execute("update reference.people as p set person_name = k.person_name from ops.kept as k"
                        " where p.manager_id = k.manager_id")  # fmt: skip
            sql.execute("drop table ops.kept")
    assert show(instance).success
    assert reading(sheets) == before


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
    assert {row[0] for row in kept} == {README, *TABS, "data_status"}
    assert {(row[2], row[3]) for row in kept if row[0] in TABS} == {(WEEK, None)}


def test_the_same_again_asks_nothing_and_changes_nothing(
    published: list[runner.RunSummary], sheets: SheetsEmulator, connected: Warehouse, instance: dg.DagsterInstance
) -> None:
    tab = sheets.sheets()["manager_summary"]["sheetId"]
    sheets.requests([{"appendDimension": {"sheetId": tab, "dimension": "COLUMNS", "length": 2}}])
    sheets.edit("manager_summary!AB1:AB2", [["Заметки"], ["поговорить"]])
    before, calls = table_hashes(connected, ("ops",)), len(sheets.ledger.calls)
    result = show(instance)
    assert result.success
    assert len(sheets.ledger.calls) == calls
    assert table_hashes(connected, ("ops",))["ops.exports"] == before["ops.exports"]
    result = show(instance, rewrite=True)
    assert result.success
    assert len(sheets.ledger.calls) > calls
    assert sheets.values("manager_summary!AB1:AB2") == [["Заметки"], ["поговорить"]]
    assert sheets.sheets()["manager_summary"]["sheetId"] == tab


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
    judged = {one.check_name for one in result.get_asset_check_evaluations()}
    assert judged == {one.rule.name for one in checks.RULES} | {"apps_script_was_run"}


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
    assert f"без {len(before['messages_raw']) - 1 - 5} сам" in left["messages_raw"]
    assert left["manager_summary"] == ""
    assert show(instance).success
    assert reading(sheets) == before
