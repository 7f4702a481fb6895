"""A publication of the spreadsheet that fails leaves it as it was, marked; and what the mark and the books then say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from assets.checks import exports as checks
from assets.exports import sheets as exporting_asset
from assets.marts.dbt import Built, TestResult
from assets.marts.description import marts
from orchestration import runner
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy
from resources.warehouse.exports import destination_of, exporting
from tests.emulators.sheets import SPREADSHEET_ID, SheetsEmulator
from tests.pipeline.conftest import environment
from tests.pipeline.exporting import (
    SECRET,
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
from tests.pipeline.publisher import Publisher

__all__ = ["account", "published", "sheets", "spreadsheet"]


def problem(result: dg.ExecuteInProcessResult) -> str:
    (event,) = [event for event in result.all_events if event.is_step_failure]
    failure = event.step_failure_data
    return str(failure.user_failure_data.description if failure.user_failure_data else failure.error)


def failed_checks(result: dg.ExecuteInProcessResult) -> set[str]:
    return {check.check_name for check in result.get_asset_check_evaluations() if not check.passed}


def health(connected: Warehouse) -> Any:
    with connected.connect() as sql:
        return sql.execute("select status, reason from ops.connections where vendor = 'sheets'").fetchone()


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

    before, test = reading(sheets), marts("week")[0].tests[0].name
    judged = Built({}, (TestResult(test, marts("week")[0].name, False, 2, ""),))
    with monkeypatch.context() as failing:
        failing.setattr("assets.marts.dbt.build", lambda *_: judged)
        with pytest.raises(runner.RunFailed, match="was not published"):
            runner.publish_weeks(WEEK, WEEK, instance=instance)
    assert reading(sheets) == before
    words = f"{WEEK}: новые данные не прошли проверку, показаны прежние ({test})"
    assert status() == [(True, words)] * len(TABS)
    # shown again as it is, the week is still not the newest that was wanted
    assert show(instance).success
    assert status() == [(True, "новая версия недели не прошла проверку, показана прежняя")] * len(TABS)
    with connected.connect() as sql:
        sql.execute("update marts.data_status set is_stale = false")
    assert show(instance).success
    assert reading(sheets) == before
    assert status() == [(False, "")] * len(TABS)


def test_a_refused_account_is_named_and_the_mark_waits_until_somebody_gets_there(
    published: list[runner.RunSummary], sheets: SheetsEmulator, connected: Warehouse, instance: dg.DagsterInstance
) -> None:
    before = reading(sheets)
    sheets.share(None)
    try:
        assert not show(instance, rewrite=True).success
        assert health(connected)[0] == "needs_auth" and health(connected)[1]
        with connected.connect() as sql:
            stale = sql.execute("select count(stale_since) from ops.exports where tab = any(%s)", [TABS]).fetchone()
        assert stale == (len(TABS),)
    finally:
        sheets.share("writer")
    assert reading(sheets) == before
    assert show(instance).success
    assert health(connected) == ("ok", None)
    assert {row["Устарело"] for row in table(sheets, "data_status")} == {"нет"}


def test_another_writer_is_waited_for_by_nobody_and_makes_nothing_stale(
    published: list[runner.RunSummary], sheets: SheetsEmulator, connected: Warehouse, instance: dg.DagsterInstance
) -> None:
    before = sheets.visible()
    with exporting(connected, destination_of(SPREADSHEET_ID)):
        result = show(instance, rewrite=True)
    assert not result.success and problem(result).startswith("busy: ")
    assert sheets.visible() == before


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


def test_a_mark_that_could_be_written_does_not_cure_the_account(
    published: list[runner.RunSummary], sheets: SheetsEmulator, connected: Warehouse, instance: dg.DagsterInstance
) -> None:
    """A tab of people's under our title is refused; that data_status can be written says nothing about it."""
    before = reading(sheets)
    sheets.requests([
        {"deleteSheet": {"sheetId": sheets.sheets()["chats_raw"]["sheetId"]}},
        {"addSheet": {"properties": {"title": "chats_raw"}}},
    ])  # fmt: skip
    assert "not ours" in problem(show(instance, rewrite=True))
    assert {row["Устарело"][:2] for row in table(sheets, "data_status")} == {"да"}
    status, reason = health(connected)
    assert status == "broken" and "not ours" in reason
    sheets.requests([{"deleteSheet": {"sheetId": sheets.sheets()["chats_raw"]["sheetId"]}}])
    assert show(instance, rewrite=True).success
    assert health(connected) == ("ok", None)
    assert reading(sheets) == before


def test_two_runs_at_once_read_one_after_the_other(
    published: list[runner.RunSummary], connected: Warehouse, instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A run that read before another one published must not write after it: what it read is older."""
    read, met = exporting_asset.read, []

    def reading_while_another_begins(*given: Any) -> Any:
        with pytest.raises(Busy), exporting(connected, destination_of(SPREADSHEET_ID)):
            pass
        met.append(given)
        return read(*given)

    with monkeypatch.context() as slow:
        slow.setattr(exporting_asset, "read", reading_while_another_begins)
        assert show(instance).success
    assert len(met) == 1


def test_a_channel_that_fell_out_of_the_summary_is_noticed(
    published: list[runner.RunSummary], sheets: SheetsEmulator, connected: Warehouse, instance: dg.DagsterInstance
) -> None:
    before = reading(sheets)
    with connected.connect() as sql:
        sql.execute("create table ops.kept as select * from marts.channel_week where channel_kind = 'instagram'")
        sql.execute("delete from marts.channel_week where channel_kind = 'instagram'")
    try:
        result = show(instance)
        assert not result.success
        assert "channel_summary_shows_every_channel" in failed_checks(result)
    finally:
        with connected.connect() as sql:
            sql.execute("insert into marts.channel_week select * from ops.kept")
            sql.execute("drop table ops.kept")
    assert show(instance).success
    assert reading(sheets) == before


def test_a_week_between_two_published_ones_that_never_was_is_not_shown(
    published: list[runner.RunSummary], sheets: SheetsEmulator, connected: Warehouse, instance: dg.DagsterInstance
) -> None:
    before = reading(sheets)
    marts_of_weeks = ("data_status", "channel_week")
    with connected.connect() as sql:
        for mart in marts_of_weeks:
            sql.execute(f"create table ops.kept as select * from marts.{mart}")
            sql.execute("update ops.kept set week = '2026-W44', week_starts_on = week_starts_on - 14")
            sql.execute(f"insert into marts.{mart} select * from ops.kept")
            sql.execute("drop table ops.kept")
        (moved,) = sql.execute(
            "update core.messages set sent_at = sent_at - interval '7 days', business_on = business_on - 7"
            " where message_id = (select min(message_id) from core.messages where sender_kind = 'customer'"
            " and to_char(business_on, 'IYYY-\"W\"IW') = %s) returning message_id",
            [WEEK],
        ).fetchone()
    try:
        result = show(instance)
        made_up = {"managers_and_channels_count_the_same_questions", "weeks_of_the_company_add_up"}
        assert failed_checks(result) <= made_up, "W44 is made up"
    finally:
        with connected.connect() as sql:
            sql.execute(
                "update core.messages set sent_at = sent_at + interval '7 days', business_on = business_on + 7"
                " where message_id = %s",
                [moved],
            )
            for mart in marts_of_weeks:
                sql.execute(f"delete from marts.{mart} where week = '2026-W44'")
    assert show(instance).success
    assert reading(sheets) == before


def test_after_a_kill_the_mark_speaks_of_what_is_shown(
    killed: Publisher, sheets: SheetsEmulator, connected: Warehouse, instance: dg.DagsterInstance
) -> None:
    """The books know only what was shown before the killed run; the spreadsheet already shows what it brought."""
    before = reading(sheets)
    with connected.connect() as sql:
        (gone,) = sql.execute("update ops.exports set weeks = jsonb_set(weeks, '{0,rows}', '7777'), content_hash = 'x'"
                              " where tab = 'messages_raw' returning tab").fetchone()  # fmt: skip
        sql.execute("update ops.exports set content_hash = 'x' where tab = 'data_status'")
    assert gone == "messages_raw"
    assert killed("exports.shown", "masked") == -9
    assert killed("outbox.taken", None) == 0, "marked"
    rows = {row["Вкладка"]: row for row in table(sheets, "data_status")}
    assert list(rows) == TABS
    assert rows["messages_raw"]["Строк за неделю"] == len(before["messages_raw"]) - 1
    assert {row["Неделя"] for row in rows.values()} == {TITLE}
    assert all(row["Устарело"].startswith("да, с ") and row["Почему"] == "проверка" for row in rows.values())
    assert show(instance).success
    assert reading(sheets) == before
    assert {(row["Устарело"], row["Почему"]) for row in table(sheets, "data_status")} == {("нет", "")}
