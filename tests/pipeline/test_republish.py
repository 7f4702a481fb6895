"""A published week through the whole chain once more: late messages (F20), two publications at once (F19)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from orchestration import runner
from orchestration.cli.errors import EXIT_BUSY
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.emulators.shop.model import Shop
from tests.pipeline.conftest import LAST, MONDAY, environment
from tests.pipeline.counting import rows

pytestmark = pytest.mark.proof

WEEK = "2026-W46"
TUESDAY = datetime.combine(LAST - timedelta(days=5), time(10), ZoneInfo("Europe/Moscow"))
WORKER = """
import json, sys
import dagster as dg
from orchestration import runner
from orchestration.cli.errors import explain
with dg.DagsterInstance.ephemeral() as instance:
    print(json.dumps("ready"), flush=True)
    sys.stdin.readline()
    try:
        runner.publish_weeks(sys.argv[1], sys.argv[1], instance=instance)
        said = [0, ""]
    except runner.RunFailed as error:
        said = [explain(error).exit_code, str(error)]
    print(json.dumps(said), flush=True)
"""


@pytest.fixture(scope="module")
def account() -> Iterator[RetailCRMEmulator]:
    with RetailCRMEmulator(Shop.tiny(3, MONDAY, 300), rate=None) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def published(connected: Warehouse, instance: dg.DagsterInstance) -> Warehouse:
    runner.run_weeks(WEEK, WEEK, instance=instance)
    return connected


def test_late_messages_make_the_next_revision_of_their_week(
    published: Warehouse, account: RetailCRMEmulator, instance: dg.DagsterInstance
) -> None:
    with published.connect() as sql:
        first = {name: rows(sql, f"marts.{name}") for name in ("published_waits", "behavior_snapshot")}
        before = {row["channel_id"]: row for row in rows(sql, "marts.channel_week")}
        changes = rows(sql, "marts.week_changes")
    assert not changes and {row["revision"] for row in first["published_waits"]} == {1}
    quiet = next(chat for chat in account.shop.chats if _is_over(account.shop, chat.id))
    account.shop.insert_message(quiet.id, TUESDAY, "А есть доставка в Казань? Сколько стоит?")
    runner.run_weeks(WEEK, WEEK, instance=instance)
    with published.connect() as sql:
        now = {row["channel_id"]: row for row in rows(sql, "marts.channel_week")}
        second = {name: rows(sql, f"marts.{name}") for name in first}
        changes = rows(sql, "marts.week_changes")
        revisions = rows(sql, "marts.week_revisions")
        wait = sql.execute(
            "select wait_id, outcome, channel_id from evaluated.waits where conversation_id like %s and opened_at = %s",
            [f"%:{quiet.id}", TUESDAY],
        ).fetchone()
    assert wait is not None and wait[1] == "no_reply"
    channel = wait[2]
    assert sorted((row["revision"], row["reason"]) for row in revisions) == [(1, "first"), (2, "late_data")]
    # the diff says it, the mart shows it, and what was shown first is there as it was
    (change,) = (row for row in changes if (row["subject_key"], row["metric"]) == (channel, "no_reply_share"))
    assert (change["was_hits"], change["was_n"]) == (before[channel]["unanswered"], before[channel]["waits_settled"])
    assert (change["hits"], change["n"]) == (change["was_hits"] + 1, change["was_n"] + 1)
    assert (change["hits"], change["n"]) == (now[channel]["unanswered"], now[channel]["waits_settled"])
    for name, shown in first.items():
        assert _sorted([row for row in second[name] if row["revision"] == 1]) == _sorted(shown)
    added = {row["wait_id"] for row in second["published_waits"] if row["revision"] == 2}
    assert added - {row["wait_id"] for row in first["published_waits"]} == {wait[0]}
    assert [row["changed_rows"] for row in sorted(revisions, key=lambda row: row["revision"])] == [0, len(changes)]


def test_of_two_publications_at_once_one_is_busy_and_nothing_new_is_said(published: Warehouse) -> None:
    before = table_hashes(published, ("marts",))
    both = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", WORKER, WEEK], env=environment(), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    assert [json.loads(worker.stdout.readline()) for worker in both if worker.stdout] == ["ready", "ready"]
    for worker in both:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
    said = sorted(json.loads(worker.communicate(timeout=240)[0].strip().splitlines()[-1]) for worker in both)
    assert [code for code, _ in said] == [0, EXIT_BUSY], said
    assert "busy: another run is publishing marts" in said[1][1]
    assert table_hashes(published, ("marts",)) == before


def _is_over(shop: Shop, chat_id: int) -> bool:
    """Whether a chat fell silent on Monday, answered by a person."""
    chat = next(chat for chat in shop.chats if chat.id == chat_id)
    last = chat.last_message(shop.clock)
    return last is not None and last.sender == "user" and last.time < TUESDAY.timestamp() * 1_000_000 - 12 * 3600e6


def _sorted(found: list[dict[str, object]]) -> list[str]:
    return sorted(repr(row) for row in found)
