"""Runs that fail: one line that says what to do, nothing half-visible, nothing published."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration import runner
from orchestration.dead_runs import end_dead_runs
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from resources.warehouse.locks import run_lock
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.pipeline.conftest import FIRST, LAST, WEEKS

KEEP = 4
"""Chats of the shop, one of so many: what fails here fails with any number of them."""


def _failure(instance: dg.DagsterInstance, **given: Any) -> runner.RunFailed:
    with pytest.raises(runner.RunFailed) as caught:
        runner.run_days(LAST, LAST, instance=instance, **given)
    return caught.value


def test_a_missing_key_is_named(
    connected: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RETAILCRM_BOT_TOKEN")
    failure = _failure(instance, select=["raw/retailcrm__users"])
    assert str(failure).startswith("retailcrm: RETAILCRM_BOT_TOKEN is not set. Set it in the environment or in .env")


def test_a_refused_key_is_not_tried_again(
    connected: Warehouse, instance: dg.DagsterInstance, account: RetailCRMEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETAILCRM_BOT_TOKEN", "revoked-token-of-nobody")
    account.ledger.clear()
    failure = _failure(instance, select=["raw/retailcrm__users"])
    assert str(failure).startswith("retailcrm: ")
    assert "key" in str(failure) and "revoked-token-of-nobody" not in str(failure)
    assert len(account.ledger.listing()) == 1
    event = _failed_step(instance, failure)
    assert event.step_failure_data.user_failure_data.description == str(failure)
    assert "revoked-token-of-nobody" not in repr(event)


def test_an_unreachable_vendor_is_named_and_its_step_is_not_begun_again(
    connected: Warehouse, instance: dg.DagsterInstance, account: RetailCRMEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D12: a call is tried by its client and by nobody around it."""
    monkeypatch.setenv("RETAILCRM_MG_BASE_URL", account.base_url)
    monkeypatch.setenv("HTTP_MAX_ATTEMPTS", "3")
    account.ledger.clear()
    account.faults.add("status", status=503, share=1.0)
    try:
        failure = _failure(instance, select=["raw/retailcrm__users"])
    finally:
        account.faults.clear()
    assert str(failure).startswith("retailcrm: ")
    assert len(account.ledger.listing()) == 3
    assert not any(
        entry.dagster_event and entry.dagster_event.event_type_value in ("STEP_UP_FOR_RETRY", "STEP_RESTARTED")
        for entry in instance.all_logs(failure.summary.run_id)
    )


def test_a_policy_with_a_mistake_is_named(
    connected: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrong = tmp_path / "policy.yaml"
    wrong.write_text("organisation: {name: X, timezone: Europe/Moscow}\n", encoding="utf-8")
    monkeypatch.setenv("OTKLIK_POLICY", str(wrong))
    failure = _failure(instance, select=["core"])
    assert "policy" in str(failure)


def test_nothing_judged_means_nothing_published(connected: Warehouse, instance: dg.DagsterInstance) -> None:
    with pytest.raises(runner.RunFailed, match=r"no conversation was judged yet\. Load its days first"):
        runner.publish_weeks(*WEEKS, instance=instance)


def test_a_failed_check_stops_the_day_and_publishes_nothing(connected: Warehouse, instance: dg.DagsterInstance) -> None:
    runner.run_days(FIRST, LAST, instance=instance)
    runner.publish_weeks(*WEEKS, instance=instance)
    published = table_hashes(connected, ("marts",))
    with connected.connect() as sql:
        sql.execute("create table public.good_waits as table evaluated.waits")
        sql.execute(
            "update evaluated.waits set clock_skew = true where settled_week = %s and wait_kind = 'message'", [WEEKS[0]]
        )
        sql.execute("update evaluated.waits set outcome = 'no_reply' where settled_week = %s", [WEEKS[1]])
    with pytest.raises(runner.RunFailed) as caught:
        runner.publish_weeks(*WEEKS, instance=instance)
    assert str(caught.value).startswith(f"Weeks {WEEKS[0]} to {WEEKS[1]} was not published: ")
    assert "data_status_channels_may_be_published" in str(caught.value)
    assert "and is marked stale" in str(caught.value)
    _is_the_last_good(connected, published)
    with connected.connect() as sql:
        sql.execute("delete from evaluated.waits")
        sql.execute("insert into evaluated.waits select * from public.good_waits")
    runner.publish_weeks(*WEEKS, instance=instance)
    assert table_hashes(connected, ("marts",)) == published


def test_marts_that_cannot_be_built_are_stale(
    connected: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = table_hashes(connected, ("marts",))
    with monkeypatch.context() as patch:
        patch.setattr("assets.marts.dbt.TIMEOUT_SECONDS", 0.01)
        with pytest.raises(runner.RunFailed, match="dbt did not finish within"):
            runner.publish_weeks(*WEEKS, instance=instance)
    _is_the_last_good(connected, published)
    runner.publish_weeks(*WEEKS, instance=instance)
    assert table_hashes(connected, ("marts",)) == published


def test_an_evaluated_layer_that_fails_its_checks_is_not_published(
    connected: Warehouse, instance: dg.DagsterInstance
) -> None:
    """Waits that overlap add up to the same sums: only the layer's own checks see them."""
    published = table_hashes(connected, ("marts",))
    with connected.connect() as sql:
        sql.execute("update evaluated.waits set opened_at = '2026-01-01'")
    with pytest.raises(runner.RunFailed, match=r"was not published: evaluated\.waits: waits_do_not_overlap\. What"):
        runner.publish_weeks(*WEEKS, instance=instance)
    _is_the_last_good(connected, published)
    with connected.connect() as sql:
        sql.execute("delete from evaluated.waits")
        sql.execute("insert into evaluated.waits select * from public.good_waits")


def test_core_is_not_judged_when_a_sender_is_unmapped(
    connected: Warehouse, instance: dg.DagsterInstance, account: RetailCRMEmulator
) -> None:
    before = table_hashes(connected, ("evaluated", "marts"))
    with connected.connect() as sql:
        sql.execute(
            """
            update raw.retailcrm__messages
            set payload = jsonb_set(payload, '{from,type}', '"stranger"'), payload_hash = ''
            where external_id = (
                select external_id from raw.retailcrm__messages where payload ->> 'type' = 'text'
                order by event_at desc limit 1
            )
            """
        )
    with pytest.raises(runner.RunFailed, match=r"core\.messages: senders_are_mapped"):
        runner.run_days(LAST, LAST, ["core", "evaluated"], instance=instance)
    assert table_hashes(connected, ("evaluated", "marts")) == before
    runner.run_days(LAST, LAST, instance=instance)
    assert table_hashes(connected, ("evaluated", "marts")) == before


def test_a_dead_run_is_ended_and_a_living_one_left_alone(connected: Warehouse, instance: dg.DagsterInstance) -> None:
    job = runner.defs.resolve_job_def("publish_week")
    dead, living = (
        instance.create_run_for_job(job, run_id=run_id) for run_id in (str(uuid.uuid4()), str(uuid.uuid4()))
    )
    for run in (dead, living):
        instance.report_engine_event("starts", run)
        instance.handle_new_event(_started(run))
    with connected.connect(autocommit=True) as session, run_lock(session, living.run_id):
        assert end_dead_runs(instance, connected) == []
        assert end_dead_runs(instance, connected, time.time() + 3600) == [dead.run_id]
    assert instance.get_run_by_id(dead.run_id).status is dg.DagsterRunStatus.FAILURE
    assert instance.get_run_by_id(living.run_id).status is dg.DagsterRunStatus.STARTED


def _is_the_last_good(connected: Warehouse, published: dict[str, str]) -> None:
    after = table_hashes(connected, ("marts",))
    assert {name for name in after if after[name] != published[name]} == {"marts.data_status"}
    with connected.connect() as sql:
        assert sql.execute("select distinct is_stale from marts.data_status").fetchall() == [(True,)]


def _started(run: dg.DagsterRun) -> dg.EventLogEntry:
    event = dg.DagsterEvent(event_type_value="PIPELINE_START", job_name=run.job_name)
    return dg.EventLogEntry(
        error_info=None, level="debug", user_message="", run_id=run.run_id, timestamp=time.time(),
        job_name=run.job_name, dagster_event=event,
    )  # fmt: skip


def _failed_step(instance: dg.DagsterInstance, failure: runner.RunFailed) -> dg.DagsterEvent:
    events = (entry.dagster_event for entry in instance.all_logs(failure.summary.run_id))
    return next(event for event in events if event is not None and event.is_step_failure)
