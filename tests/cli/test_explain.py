"""``otklik explain``: every number of two published weeks leads to a list that adds up to it; nothing private shows."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestration.cli import explain as command
from resources.warehouse import evidence as of
from resources.warehouse.engine import Warehouse
from resources.warehouse.evidence_messages import messages as read_messages
from resources.warehouse.roles import Role
from tests.cli.conftest import Otklik
from tests.cli.publishing import BEFORE, CONTACTS, MASKED, MONDAY, WEEK, policy_with, published_shop
from tests.emulators.sheets import SheetsEmulator
from tests.emulators.shop.model import Shop
from tests.emulators.shop.thinning import thinned
from tests.emulators.telegram import TelegramEmulator

pytestmark = pytest.mark.proof

ZONE, EARLY = "Europe/Moscow", 60
PRIVATE = r"926\D{0,3}123|anna@|\+7\s?\d"


@pytest.fixture(scope="module")
def sheets() -> Iterator[SheetsEmulator]:
    with SheetsEmulator(quota=None, large="allow") as emulator:
        yield emulator


@pytest.fixture(scope="module")
def telegram() -> Iterator[TelegramEmulator]:
    with TelegramEmulator(per_second=None) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def published(
    database: Warehouse, sheets: SheetsEmulator, telegram: TelegramEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    shop = thinned(Shop.demo(7, MONDAY, 2), 6)
    for message in [one.id for one in shop.messages if one.sender == "customer"][::20]:
        shop.edit_message(message, CONTACTS)
    bot = {
        "TELEGRAM_ENABLED": "1",
        "TELEGRAM_BOT_TOKEN": telegram.bot_token,
        "TELEGRAM_CHAT_ID": str(telegram.chat_id),
        "TELEGRAM_BASE_URL": telegram.base_url,
    }
    home = tmp_path_factory.mktemp("home")
    with published_shop(database, sheets, shop, home, BEFORE, WEEK, **bot) as warehouse:
        yield warehouse


@pytest.fixture
def asked(published: Warehouse, otklik: Otklik, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs ``otklik explain ...``."""
    monkeypatch.setenv("DATABASE_URL", published.url)
    return lambda *arguments, **variables: otklik("explain", *arguments, **variables)


def manager(published: Warehouse) -> tuple[str, str]:
    """Key and name of who has the most unanswered waits."""
    with published.connect() as sql:
        return sql.execute(
            "select manager_key, manager_name from marts.manager_week where week = %s and manager_id is not null"
            " order by unanswered desc, manager_key limit 1",
            [WEEK],
        ).fetchone()


@pytest.mark.parametrize("name", ["manager_week", "channel_week", "manager_day", "channel_day"])
def test_every_list_adds_up_to_its_number(published: Warehouse, name: str) -> None:
    """Every figure of every row; the lists' conditions are written apart from the SQL that builds the marts."""
    mart, seen, wrong, messages = of.MARTS[name], 0, [], set()
    with published.as_role(Role.PUBLISHER).connect() as sql:
        periods = of.periods(sql, mart)
        for key in periods:
            revision = of.latest_revision(sql, key) if mart.period == "week" else None
            for subject in of.subjects(sql, mart, key):
                row = of.row_of(sql, mart, key, subject.key)
                for figure in of.figures_of(mart, row):
                    found = of.evidence(
                        sql, mart.view, figure, of.Span(key, mart.period, ZONE, EARLY), subject.key, row[figure.name],
                        revision,
                    )  # fmt: skip
                    seen += 1
                    ids = [case.case_id for case in found.cases]
                    if not found.is_equal or len(set(ids)) != len(ids):
                        wrong.append((key, subject.name, figure.name, found.shown, found.counted))
                    messages |= {(case.conversation_id, one) for case in found.cases for one in case.message_ids}
        known = set(read_messages(sql, messages))
    assert wrong == []
    assert len(periods) == 2
    assert seen >= 2 * len(of.FIGURES[mart.view])
    # a list that leads to no message explains nothing
    assert len(known) > 50 and messages == known


@pytest.mark.parametrize("name", ["manager_week_delta", "channel_week_delta"])
def test_both_sides_of_every_comparison_add_up(published: Warehouse, name: str) -> None:
    view = "manager" if name.startswith("manager") else "channel"
    subject = of.Mart(name, view, "week").subject
    wrong, sides = [], 0
    with published.as_role(Role.PUBLISHER).connect() as sql:
        for row in of.rows_of(sql, name):
            figure = of.FIGURES[view][row["metric"]]
            for prefix, week in (("", row["week"]), ("previous_", row["previous_week"])):
                if row[f"{prefix}n"] is None:
                    continue
                cases = of.cases(
                    sql, view, figure, of.Span(week, "week", ZONE, EARLY), row[subject], row[f"{prefix}revision"]
                )
                sides += 1
                hits = sum(case.is_hit for case in cases) if figure.kind == "share" else None
                told = (row[f"{prefix}n"], row[f"{prefix}hits"])
                if told != (len(cases), hits) or not of.is_equal(row[f"{prefix}value"], of.counted(figure, cases)):
                    wrong.append((row["week"], row[subject], row["metric"], prefix))
    assert wrong == [] and sides > 100


def test_a_list_that_does_not_add_up_is_said(published: Warehouse, asked: Any) -> None:
    with published.connect() as sql:
        row = sql.execute(
            "select channel_id, pending_now from marts.channel_week where week = %s and pending_now > 0 limit 1", [WEEK]
        ).fetchone()
        (wait,) = sql.execute(
            "select wait_id from evaluated.waits where outcome = 'pending' and channel_id = %s limit 1", [row[0]]
        ).fetchone()
        sql.execute("update evaluated.waits set wait_kind = 'missed_call' where wait_id = %s", [wait])
    result = asked("channel_week", WEEK, row[0], "pending_now")
    assert "Список не складывается в это число" in result.stdout and WEEK in result.stdout
    told = json.loads(asked("channel_week", WEEK, row[0], "pending_now", "--json").stdout)
    assert (told["value"], told["n"], told["list_adds_up"]) == (row[1], row[1] - 1, False)
    with published.connect() as sql:
        sql.execute("update evaluated.waits set wait_kind = 'message' where wait_id = %s", [wait])
    assert "Список складывается в это число" in asked("channel_week", WEEK, row[0], "pending_now").stdout


def test_a_number_is_shown_with_its_unit_its_n_and_its_list(published: Warehouse, asked: Any) -> None:
    key, name = manager(published)
    with published.connect() as sql:
        rows = sql.execute(
            "select conversation_id, opening_message_id from marts.published_waits where week = %s and manager_key = %s"
            " and wait_kind = 'message' and outcome in ('no_reply', 'window_expired')",
            [WEEK, key],
        ).fetchall()
        (n,) = sql.execute(
            "select waits_settled from marts.manager_week where week = %s and manager_key = %s", [WEEK, key]
        ).fetchone()
    shown = asked("manager_week", WEEK, name, "no_reply_share")
    assert shown.exit_code == 0, shown.stderr
    assert f"= {len(rows)} из {n}" in shown.stdout and "%" in shown.stdout
    for said in ("Посчитано на 16.11.2026 00:00", "Версия недели 1", "Список складывается", "2026-W46 (09.11–15.11)"):
        assert said in shown.stdout
    listed = list(csv.DictReader(io.StringIO(asked("manager_week", WEEK, key, "no_reply_share", "--csv").stdout)))
    assert len(listed) == n
    hits = [row for row in listed if row["is_hit"] == "True"]
    assert sorted((row["conversation_id"], row["message_ids"].split()[0]) for row in hits) == sorted(rows)
    told = json.loads(asked("manager_week", WEEK, name.split()[0], "Без ответа", "--json").stdout)
    assert (told["hits"], told["n"], told["list_adds_up"], told["revision"]) == (len(rows), n, True, 1)
    assert told["value"] == pytest.approx(len(rows) / n, abs=1e-6) and len(told["cases"]) == n


@pytest.mark.parametrize("how", [(), ("--texts",), ("--csv",), ("--json",)])
def test_words_are_masked_in_every_form(published: Warehouse, asked: Any, how: tuple[str, ...]) -> None:
    key, _ = manager(published)
    result = asked("manager_week", WEEK, key, "waits_settled", *how)
    assert result.exit_code == 0, result.stderr
    assert re.search(r"Мой\s+номер", result.stdout)
    assert not re.search(PRIVATE, result.output)
    if how:
        assert MASKED in result.stdout


def test_where_the_policy_lets_no_text_out_none_is_shown(published: Warehouse, asked: Any, tmp_path: Path) -> None:
    key, _ = manager(published)
    own = policy_with(tmp_path, "texts: masked", "texts: none")
    result = asked("manager_week", WEEK, key, "waits_settled", "--texts", OTKLIK_POLICY=own)
    assert result.exit_code == 0, result.stderr
    assert "Мой" not in result.output and "Тексты закрыты" in result.stderr


def test_whoever_takes_words_out_is_written_down(published: Warehouse, asked: Any, tmp_path: Path) -> None:
    key, _ = manager(published)
    with published.connect() as sql:
        sql.execute("truncate ops.audit")
    asked("manager_week", WEEK, key, "waits_settled")
    asked("manager_week", WEEK, key, "--csv")
    own = policy_with(tmp_path, "texts: masked", "texts: none")
    asked("manager_week", WEEK, key, "waits_settled", "--csv", OTKLIK_POLICY=own)
    asked("manager_week", WEEK, key, "waits_settled", "--texts", OTKLIK_POLICY="")
    asked("weekly_examples", WEEK, "--json")
    asked("manager_week_delta", WEEK, key, "no_reply_share", "--csv")
    with published.connect() as sql:
        acts = sql.execute("select action, subject from ops.audit order by at").fetchall()
    told = [f"manager_week {WEEK} waits_settled", f"weekly_examples {WEEK}",
            *(f"manager_week_delta {week} no_reply_share" for week in (WEEK, BEFORE))]  # fmt: skip
    assert acts == [("explain_texts", one) for one in told]


def test_every_answer_in_csv_is_one_document(published: Warehouse, asked: Any) -> None:
    key, _ = manager(published)
    with published.connect() as sql:
        counts = {
            mart: sql.execute(f"select count(*) from marts.{mart} where week = %s and {whose}", [WEEK, key]).fetchone()
            for mart, whose in (("manager_week_delta", "manager_key = %s"), ("behavior_snapshot", "subject_key = %s"))
        }
    lengths = {
        ("manager_week",): 2, ("manager_day",): None, ("manager_week", "2026-11-12"): None,
        ("manager_week", WEEK, key): None, ("digest", WEEK): 3, ("data_status", WEEK): None, ("revision",): 2,
        ("revision", WEEK): 1, ("behavior_snapshot", WEEK): None,
        ("behavior_snapshot", WEEK, key): counts["behavior_snapshot"][0],
        ("manager_week_delta", WEEK, key): counts["manager_week_delta"][0], ("chat_advice", WEEK, key): None,
    }  # fmt: skip
    for arguments, length in lengths.items():
        result = asked(*arguments, "--csv")
        rows = list(csv.reader(io.StringIO(result.stdout)))
        assert result.exit_code == 0 and rows, arguments
        assert {len(row) for row in rows} == {len(rows[0])} and rows.count(rows[0]) == 1, arguments
        assert length in (None, len(rows) - 1) and all(rows[0]), arguments
    told = json.loads(asked("manager_week_delta", WEEK, key, "no_reply_share", "--json").stdout)
    rows = list(csv.reader(io.StringIO(asked("manager_week_delta", WEEK, key, "no_reply_share", "--csv").stdout)))
    assert rows[0][:2] == ["week", "case_id"] and rows.count(rows[0]) == 1
    assert [row[0] for row in rows[1:]] == [WEEK] * told[0]["n"] + [BEFORE] * told[1]["n"]


def test_a_comparison_says_why_it_is_what_it_is(published: Warehouse, asked: Any) -> None:
    with published.connect() as sql:
        rows = sql.execute(
            "select distinct on (delta_status) delta_status, manager_key, metric, n, previous_n"
            " from marts.manager_week_delta where week = %s order by delta_status, manager_key, metric",
            [WEEK],
        ).fetchall()
    assert len(rows) >= 2
    for status, key, metric, n, _ in rows:
        result = asked("manager_week_delta", WEEK, key, metric)
        assert result.exit_code == 0, result.stderr
        assert "Вывод:" in result.stdout and "Почему:" in result.stdout
        assert ("с учётом случайности" in result.stdout) == (status in ("no_change_detected", "improved", "worsened"))
        told = json.loads(asked("manager_week_delta", WEEK, key, metric, "--json").stdout)
        this = told if isinstance(told, dict) else told[0]
        assert (this["n"], this["row"]["delta_status"], this["list_adds_up"]) == (n, status, True)
    first = asked("manager_week_delta", BEFORE, rows[0][1], "no_reply_share")
    assert "нет прошлой недели" in first.stdout and "Строки за эту неделю нет" in first.stdout


def test_the_query_for_a_bi_tool_gives_the_same_cases(published: Warehouse, asked: Any, otklik: Otklik) -> None:
    key, name = manager(published)
    query = asked("manager_week", WEEK, name, "slow_reply_share", "--sql").stdout
    told = json.loads(asked("manager_week", WEEK, key, "slow_reply_share", "--json").stdout)
    found = otklik("sql", query.strip().rstrip(";"), "--csv")
    assert found.exit_code == 0, found.stderr
    rows = list(csv.DictReader(io.StringIO(found.stdout)))
    assert len(rows) == told["n"] and sum(row["is_hit"] == "True" for row in rows) == told["hits"]
    refused = asked("manager_week", WEEK, name, "pending_now", "--sql")
    assert (refused.exit_code, "аналитику" in refused.stderr) == (1, True)


def test_figures_go_by_the_headings_of_the_sheet(published: Warehouse, sheets: SheetsEmulator) -> None:
    """Each heading over a figure in the two summaries is one that can be asked for."""
    for tab, view in (("manager_summary", "manager"), ("channel_summary", "channel")):
        rows = sheets.values(f"{tab}!A1:AZ9")
        heading = next(row for row in rows if "Неделя" in row)
        named = {command.chosen(one, list(of.FIGURES[view])) for one in heading if "," in one or "Всего" in one}
        assert len(named) >= 10, tab


def test_a_figure_is_one_in_sql_sheet_and_digest(
    published: Warehouse, asked: Any, otklik: Otklik, sheets: SheetsEmulator, telegram: TelegramEmulator
) -> None:
    """The company's headline and each manager's, counted here from what was judged and read where people look."""
    settled = "wait_kind = 'message' and settled_week = %s and outcome in" \
        " ('in_target', 'slow_reply', 'no_reply', 'window_expired')"  # fmt: skip
    with published.connect() as sql:
        in_target, n, unanswered = sql.execute(
            "select count(*) filter (where outcome = 'in_target'), count(*),"
            f" count(*) filter (where outcome in ('no_reply', 'window_expired')) from evaluated.waits where {settled}",
            [WEEK],
        ).fetchone()
        people = sql.execute(
            "select coalesce(p.person_name, 'Без менеджера'), count(*) filter (where outcome_manager = 'in_target'),"
            " count(*) from evaluated.waits left join reference.people as p on owner_manager_id = p.manager_id"
            f" where {settled} group by 1",
            [WEEK],
        ).fetchall()
        steps = sql.execute(
            "select p.person_name, count(*) filter (where has_next_step), count(*) from evaluated.behaviour"
            " join reference.people as p using (manager_id) where ended_week = %s and has_next_step is not null"
            " group by 1",
            [WEEK],
        ).fetchall()
    assert otklik("watch", "--once").exit_code == 0
    [text] = [one for one in telegram.texts() if "В норме" in one]
    plain = text.replace("\u202f", "").replace("\u00a0", " ")
    assert f"В норме {100 * in_target / n:.1f} %".replace(".", ",") in plain and f"{in_target} из {n} " in plain
    assert f"— {unanswered} из {n}" in plain
    told = json.loads(asked("digest", WEEK, "in_target_share", "--json").stdout)
    assert (told["hits"], told["n"], told["list_adds_up"]) == (in_target, n, True)

    digest = rows_of(sheets, "weekly_digest_managers")
    summary = {row["Менеджер"]: row for row in rows_of(sheets, "manager_summary") if WEEK in row["Неделя"]}
    channels = [row for row in rows_of(sheets, "channel_summary") if WEEK in row["Неделя"]]
    assert sum(row["Закрыто вопросов, n"] for row in channels) == n
    by_name = {row["Менеджер"]: row for row in digest}
    for name, hits, cases in people:
        for row in (by_name[name], summary[name]):
            assert row["Закрыто вопросов, n"] == cases
            assert row["В норме, % от n"] == pytest.approx(hits / cases, abs=1e-6)
        told = json.loads(asked("manager_week", WEEK, name, "in_target_share", "--json").stdout)
        assert (told["hits"], told["n"]) == (hits, cases)
    for name, hits, cases in steps:
        told = json.loads(asked("manager_week_delta", WEEK, name, "has_next_step_share", "--json").stdout)
        this = told if isinstance(told, dict) else told[0]
        assert (this["hits"], this["n"], this["row"]["n"]) == (hits, cases, cases)
        assert by_name[name]["Есть следующий шаг, % от них"] == pytest.approx(hits / cases, abs=1e-6)


def rows_of(sheets: SheetsEmulator, tab: str) -> list[dict[str, Any]]:
    """A tab as rows by heading; lines above the heading left out."""
    values = sheets.values(f"{tab}!A1:AZ")
    at = next(number for number, row in enumerate(values) if "Менеджер" in row or "Канал" in row)
    heading = values[at]
    return [dict(zip(heading, row + [""] * (len(heading) - len(row)), strict=False)) for row in values[at + 1 :]]


def test_the_spreadsheet_of_a_publication_passes_its_audit(
    published: Warehouse, otklik: Otklik, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", published.url)
    result = otklik("audit-sheet", "--output", "-")
    report = json.loads(result.stdout)
    assert (result.exit_code, [one for one in report["findings"] if one["severity"] == "error"]) == (0, [])
    assert all(tab["is_there"] and tab["rows"] == tab["published_rows"] for tab in report["tabs"])


def test_other_lists_of_the_week(published: Warehouse, asked: Any) -> None:
    with published.connect() as sql:
        counts = {
            mart: sql.execute(f"select count(*) from marts.{mart} where week = %s", [WEEK]).fetchone()[0]
            for mart in ("weekly_examples", "chat_advice")
        }
    for mart, count in counts.items():
        assert len(json.loads(asked(mart, WEEK, "--json").stdout)["rows"]) == count > 0
        shown = asked(mart, WEEK)
        assert shown.exit_code == 0 and not re.search(PRIVATE, shown.stdout)
    told = json.loads(asked("data_status", WEEK, "whatsapp москва", "--json").stdout)
    assert told["list_adds_up"] and len(told["days"]) == 7
    assert sum(day["stored"] for day in told["days"]) == told["row"]["messages_stored"] > 0
    assert "Список складывается" in asked("data_status", WEEK, "WhatsApp Москва").stdout
    key, _ = manager(published)
    assert "первая публикация" in asked("revision", WEEK).stdout
    kept = json.loads(asked("behavior_snapshot", WEEK, key, "made_offer_share", "--json").stdout)
    assert kept["list_adds_up"] and kept["row"]["n"] == kept["n"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("manager_week", "2026-W30"), "Есть: 2026-W46, 2026-W45"),
        (("manager_week", WEEK, "Никто Такой"), "Есть: "),
        (("manager_week", WEEK, "а", "no_reply_share"), "подходит не одному"),
        (("manager_week", WEEK, "none", "mood"), "Есть: sessions_touched"),
        (("manager_week", WEEK, "none", "answered", "more"), "лишние ключи: more"),
        (("behavior_snapshot", WEEK, "none", "--revision", "9"), "нет версии 9. Есть: 1"),
    ],
)
def test_what_is_not_there_is_answered_by_what_is(asked: Any, arguments: tuple[str, ...], said: str) -> None:
    result = asked(*arguments)
    assert (result.exit_code, said in result.stderr) == (2, True), result.output
    assert "Traceback" not in result.output


def test_what_is_not_named_is_listed(published: Warehouse, asked: Any) -> None:
    _, name = manager(published)
    assert "есть 2026-W46, 2026-W45" in asked("manager_week").stdout
    assert name in asked("manager_week", "2026-11-12").stdout
    figures = asked("manager_summary", WEEK, name).stdout
    assert "no_reply_share" in figures and "%" in figures


def test_before_anything_is_published_it_says_so(otklik: Otklik, fresh_database: Warehouse) -> None:
    result = otklik("explain", "manager_week", DATABASE_URL=fresh_database.url)
    assert (result.exit_code, "ещё ничего не опубликовано" in result.stderr) == (1, True)
