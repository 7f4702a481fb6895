"""Monday's digest over the whole chain: from a shop's week to one message in the chat, with the marts' figures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.exports.late import say_late
from assets.marts.dbt import Built, TestResult
from assets.marts.description import marts
from conversations.messages import Explain
from orchestration import runner
from orchestration.cli.watch import Watcher
from orchestration.definitions import defs
from resources.settings import Settings
from resources.warehouse.engine import Warehouse
from resources.warehouse_resource import WarehouseResource
from tests.cli.conftest import Otklik, otklik
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.emulators.shop.model import Shop
from tests.emulators.telegram import TelegramEmulator
from tests.pipeline.conftest import FIRST, LAST, MONDAY, WEEKS

__all__ = ["otklik"]

WEEK = WEEKS[-1]
NOW = datetime(2026, 11, 16, 5, 20, tzinfo=UTC)
"""The Monday after, 08:20 in Moscow."""
LINK = "https://docs.google.com/spreadsheets/d/abc/edit"
NODE, KEY = "exports_telegram_digest", dg.AssetKey(["exports", "telegram_digest"])


@pytest.fixture(scope="module")
def account() -> Iterator[RetailCRMEmulator]:
    """A small shop: what the figures are worth is tested elsewhere."""
    with RetailCRMEmulator(Shop.tiny(3, MONDAY), rate=None) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def telegram() -> Iterator[TelegramEmulator]:
    with TelegramEmulator(per_second=None) as emulator:
        yield emulator


@pytest.fixture(scope="module", autouse=True)
def bot(connected: Warehouse, telegram: TelegramEmulator, home: Path) -> Iterator[None]:
    """The environment of an installation that has a bot, on that Monday."""
    policy = home / "policy.yaml"
    own = Settings().policy_path.read_text("utf-8")
    own = own.replace("  # link: https://docs.google.com/spreadsheets/d/...", f"  link: {LINK}")
    # the analyst is told of the marts elsewhere
    owner = f'  marts: {{name: аналитик, chat: "{telegram.person_id}"}}'
    policy.write_text(own.replace('  # marts: {name: аналитик, chat: "-1001234567890"}', owner), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TELEGRAM_ENABLED", "1")
        patch.setenv("TELEGRAM_BOT_TOKEN", telegram.bot_token)
        patch.setenv("TELEGRAM_CHAT_ID", str(telegram.chat_id))
        patch.setenv("TELEGRAM_BASE_URL", telegram.base_url)
        patch.setenv("OTKLIK_POLICY", str(policy))
        patch.setenv("OTKLIK_NOW", NOW.isoformat())
        yield


@pytest.fixture(scope="module")
def loaded(connected: Warehouse, instance: dg.DagsterInstance) -> runner.RunSummary:
    return runner.run_days(FIRST, LAST, instance=instance)


@pytest.fixture(scope="module")
def refused(loaded: runner.RunSummary, instance: dg.DagsterInstance) -> None:
    """The first publication of the week: a test of the marts fails."""
    judged = Built({}, (TestResult(marts("week")[0].tests[0].name, marts("week")[0].name, False, 2, ""),))
    with pytest.MonkeyPatch.context() as failing:
        failing.setattr("assets.marts.dbt.build", lambda *_: judged)
        with pytest.raises(runner.RunFailed, match="was not published"):
            runner.publish_weeks(WEEK, WEEK, instance=instance)


@pytest.fixture(scope="module")
def published(refused: None, instance: dg.DagsterInstance) -> runner.RunSummary:
    return runner.publish_weeks(*WEEKS, instance=instance)


def outbox(database: Warehouse) -> dict[str, str]:
    with database.connect() as sql:
        return dict(sql.execute("select message_id, state from ops.outbox where message_id like 'digest%'").fetchall())


def again(instance: dg.DagsterInstance) -> str:
    """Only the digest, from the marts that are there; what it says of itself."""
    tags = {"dagster/asset_partition_range_start": FIRST.isoformat(), "dagster/asset_partition_range_end": "2026-11-09"}
    result = defs.resolve_job_def("publish_week").execute_in_process(
        instance=instance, asset_selection=[KEY], tags=tags,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )  # fmt: skip
    said = {str(one.metadata["queued"].value) for one in result.asset_materializations_for_node(NODE)}
    assert len(said) == 1
    return said.pop()


def deliver() -> None:
    watcher = Watcher(Settings())
    try:
        watcher.round()
    finally:
        watcher.close()


def test_a_failed_publication_is_said_in_a_few_words(
    refused: None, connected: Warehouse, telegram: TelegramEmulator
) -> None:
    assert outbox(connected) == {f"digest-late:{WEEK}:{telegram.chat_id}": "queued"}
    deliver()
    [text] = [text for text in telegram.texts() if "Отчёт задерживается" in text]
    assert text.startswith(f"⏳ Отчёт задерживается: {WEEK} (09.11–15.11)\n")
    assert "Почему: новые цифры не прошли проверку" in text
    assert not [one for one in telegram.messages() if "photo" in one]


def test_the_digest_follows_once_with_the_figures_of_the_marts(
    published: runner.RunSummary, connected: Warehouse, telegram: TelegramEmulator, instance: dg.DagsterInstance
) -> None:
    assert outbox(connected)[f"digest:{WEEK}:{telegram.chat_id}"] == "queued"
    # of the two weeks that were published only the last closed one is told
    assert not any(WEEKS[0] in one for one in outbox(connected))
    deliver()
    assert again(instance) == "for 0 of 1 chat(s), the others had it"
    deliver()
    [message] = [one for one in telegram.messages() if "photo" in one]
    with connected.connect() as sql:
        channels = sql.execute(
            "select sum(in_target), sum(waits_settled), sum(unanswered), sum(pending_now) from marts.channel_week"
            " where week = %s", (WEEK,),
        ).fetchone()  # fmt: skip
        names = sql.execute(
            "select manager_name, unanswered, waits_settled from marts.manager_week where week = %s and unanswered > 0"
            " order by unanswered desc, manager_name limit 3", (WEEK,),
        ).fetchall()  # fmt: skip
        headlines = sql.execute(
            "select count(*) from (select is_headline, week from marts.manager_week_delta union all"
            " select is_headline, week from marts.channel_week_delta) d where is_headline and week = %s", (WEEK,),
        ).fetchone()  # fmt: skip
    hits, n, unanswered, pending = map(int, channels)
    text = message["caption"]
    assert f"В норме {100 * hits / n:.1f} % — {hits} из {n} вопрос".replace(".", ",") in text
    assert f"— {unanswered} из {n}" in text
    assert re.search(rf"Ждут ответа сейчас: {pending}\b", text)
    assert [name for name, bad, whole in names[:1] if f"{name} {bad} из {whole}" not in text] == []
    assert ("Значимых изменений нет" in text) == (headlines == (0,))
    assert text.startswith("Тёплый край: 2026-W46 (09.11–15.11)\nданные на 16.11.2026 00:00\n")
    assert [one["url"] for one in message["caption_entities"] if one["type"] == "text_link"] == [LINK]


def test_who_is_told_of_the_incident_gets_no_short_message(
    published: runner.RunSummary, connected: Warehouse, telegram: TelegramEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(chat: int, area: Any) -> bool:
        monkeypatch.setenv("TELEGRAM_CHAT_ID", str(chat))
        say_late(dg.build_asset_context(), WarehouseResource(), [WEEK], "failed_check", area)
        return f"digest-late:{WEEK}:{chat}" in outbox(connected)

    # exports have no owner of their own: the operators' chat, which is the digest's
    assert not told(740000003, "exports") and not told(telegram.person_id, "marts")
    assert told(740000003, "marts")


def test_no_customer_is_in_it(published: runner.RunSummary, connected: Warehouse) -> None:
    with connected.connect() as sql:
        bodies = " ".join(
            body for (body,) in sql.execute("select body from ops.outbox where message_id like 'digest%'")
        )
        names = {name for (name,) in sql.execute("select name from core.customers where name is not null")}
        phones = {phone for (phone,) in sql.execute("select phone from core.customers where phone is not null")}
    assert names and not [one for one in names | phones if one and one in bodies]


def test_an_older_week_or_nobody_to_tell_is_no_digest(
    published: runner.RunSummary, connected: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = outbox(connected)
    with monkeypatch.context() as later:
        later.setenv("OTKLIK_NOW", "2026-11-23T08:20:00+03:00")
        assert again(instance) == "not the last closed week"
    with monkeypatch.context() as silent:
        silent.setenv("TELEGRAM_ENABLED", "0")
        assert again(instance).startswith("nobody to tell")
    assert outbox(connected) == before


def test_incomplete_data_get_the_short_message_and_contradictions_none(
    published: runner.RunSummary, connected: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEGRAM_CHAT_ID", "740000002")
    with connected.connect() as sql:
        sql.execute(
            "update marts.data_status set status = 'incomplete', reasons = 'incomplete_days' where week = %s", (WEEK,)
        )
    assert again(instance) == "the short message, for 1 of 1 chat(s)"
    with connected.connect() as sql:
        sql.execute("update marts.data_status set status = 'ok', reasons = '' where week = %s", (WEEK,))
        [body] = sql.execute(
            "select body from ops.outbox where message_id = %s", (f"digest-late:{WEEK}:740000002",)
        ).fetchone()
        sql.execute(
            "update marts.manager_week set waits_settled = waits_settled + 1, slow_reply = slow_reply + 1"
            " where week = %s",
            (WEEK,),
        )
    assert "загружены не все данные" in body
    with pytest.raises(dg.Failure, match="telegram_digest_agrees_with_the_marts"):
        again(instance)
    with connected.connect() as sql:
        sql.execute(
            "update marts.manager_week set waits_settled = waits_settled - 1, slow_reply = slow_reply - 1"
            " where week = %s",
            (WEEK,),
        )
    assert f"digest:{WEEK}:740000002" not in outbox(connected)


def test_the_command_shows_writes_and_sends(
    published: runner.RunSummary, connected: Warehouse, telegram: TelegramEmulator, otklik: Otklik, tmp_path: Path,
    home: Path,
) -> None:  # fmt: skip
    def ask(*arguments: str) -> Any:
        return otklik("digest", *arguments, OTKLIK_HOME=str(home))

    shown = ask()
    assert shown.exit_code == 0, shown.output
    [caption] = [one["caption"] for one in telegram.messages() if "photo" in one]
    assert shown.stdout.split() == f"{caption}: {LINK}".split()
    files = [tmp_path / name for name in ("week.html", "week.pdf", "week.png")]
    assert ask("--week", WEEK, "--html", files[0], "--pdf", files[1], "--picture", files[2]).exit_code == 0
    assert [path.read_bytes()[:5] for path in files] == [b"<!DOC", b"%PDF-", b"\x89PNG\r"]
    assert "уже отправляли" in ask("--send").stdout
    assert ask("--send", "--again").exit_code == 0
    assert outbox(connected)[f"digest:{WEEK}:{telegram.chat_id}:again:1"] == "queued"
    deliver()
    assert len([one for one in telegram.messages() if "photo" in one]) == 2
    # an older week is a person's wish
    assert ask("--week", WEEKS[0], "--send").exit_code == 0
    with connected.connect() as sql:
        acts = sql.execute("select action, subject from ops.audit where action ~ '^digest' order by at").fetchall()
    assert acts == [("digest_send", WEEK), ("digest_again", WEEK), ("digest_send", WEEKS[0])]
    refusals = {("--again",): 2, ("--week", "W46"): 2, ("--week", "2026-W30"): 1, ("--html", tmp_path / "no" / "x"): 1}
    assert {given: ask(*given).exit_code for given in refusals} == refusals
    assert MONDAY.isoformat() not in shown.stdout


def test_every_number_of_the_company_leads_to_its_messages(
    published: runner.RunSummary, connected: Warehouse, otklik: Otklik, home: Path
) -> None:
    def explain(*keys: str) -> Any:
        result = otklik("explain", "digest", *keys, "--json", OTKLIK_HOME=str(home))
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    with connected.connect() as sql:
        waits = sql.execute(
            "select wait_id, outcome from evaluated.waits where settled_week = %s and wait_kind = 'message'"
            " and outcome in ('in_target', 'slow_reply', 'no_reply', 'window_expired')", (WEEK,),
        ).fetchall()  # fmt: skip
    hits = {wait for wait, outcome in waits if outcome == "in_target"}
    assert explain()["in_target_share"] == pytest.approx(len(hits) / len(waits))
    found = explain(WEEK, "in_target_share")
    assert (found["hits"], found["n"], found["list_adds_up"], found["list_of_revision"]) == (
        len(hits), len(waits), True, 1,
    )  # fmt: skip
    ids, is_hit = Explain.HEADINGS[:2]
    assert {case[ids] for case in found["cases"] if case[is_hit]} == hits
    assert {case[ids] for case in found["cases"]} == {wait for wait, _ in waits}
    assert explain(WEEK, "waits_settled")["n"] == len(waits)
    # medians do not add up
    assert otklik("explain", "digest", WEEK, "reply_p50_seconds", OTKLIK_HOME=str(home)).exit_code == 2
