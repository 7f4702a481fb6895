"""One nightly day: judged up to the clock and not beyond it, checked over all the days that it writes once more."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from assets.checks.judge import loaded_days
from assets.spans import Span
from orchestration import runner
from resources.warehouse.engine import Warehouse
from tests.pipeline.conftest import LAST

KEEP = 6
"""Chats of the shop, one of so many: what is tested here has nothing to do with how many there are."""

ZONE = ZoneInfo("Europe/Moscow")
LATE = LAST - timedelta(days=2)


@pytest.fixture(scope="module")
def core(connected: Warehouse, instance: dg.DagsterInstance) -> Warehouse:
    """One day as every night loads it, not judged yet."""
    runner.run_days(LAST, LAST, ["raw", "core"], instance=instance)
    return connected


def test_only_days_that_were_read_are_asked_for_anything(core: Warehouse) -> None:
    span = Span(LAST - timedelta(days=9), LAST)
    assert loaded_days(core, span) == span.days[3:]


def test_a_day_that_is_not_over_is_judged_up_to_the_clock(
    core: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = datetime.combine(LAST, time(12), ZONE)
    monkeypatch.setenv("OTKLIK_NOW", noon.isoformat())
    runner.run_days(LAST, LAST, ["evaluated"], instance=instance)
    assert _as_of(core) == noon
    monkeypatch.delenv("OTKLIK_NOW")
    runner.run_days(LAST, LAST, ["evaluated"], instance=instance)
    assert _as_of(core) == datetime.combine(LAST + timedelta(days=1), time(), ZONE)


def test_late_rows_of_an_earlier_day_are_checked(core: Warehouse, instance: dg.DagsterInstance) -> None:
    with core.connect() as sql:
        changed = sql.execute(
            """
            update raw.retailcrm__messages
            set payload = jsonb_set(payload, '{from,type}', '"stranger"'), payload_hash = ''
            where external_id = (
                select max(external_id) from raw.retailcrm__messages
                where payload ->> 'type' = 'text' and (event_at at time zone 'Europe/Moscow')::date = %s
            )
            """,
            [LATE],
        ).rowcount
    assert changed == 1
    with pytest.raises(runner.RunFailed, match=r"core\.messages: senders_are_mapped") as caught:
        runner.run_days(LAST, LAST, ["core", "evaluated"], instance=instance)
    assert f"core of {LAST - timedelta(days=6)} to {LAST} fails" in str(caught.value)


def _as_of(warehouse: Warehouse) -> Any:
    with warehouse.connect() as sql:
        return sql.execute("select as_of from ops.as_of").fetchall()[0][0]
