"""The schedules at a frozen moment: they fire, once, for the partition that has just closed."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from orchestration.definitions import defs

MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.mark.parametrize(
    ("name", "moment", "key"),
    [
        # Monday night: Sunday is over
        ("load_daily", datetime(2026, 11, 16, 3, 10), "2026-11-15"),
        ("load_daily", datetime(2024, 3, 1, 3, 10), "2024-02-29"),
        ("load_daily", datetime(2031, 1, 1, 3, 10), "2030-12-31"),
        # an hour after the load, the same day
        ("publish_days", datetime(2026, 11, 16, 4, 10), "2026-11-15"),
        ("publish_days", datetime(2028, 3, 1, 4, 10), "2028-02-29"),
        # Monday morning: the week that ended the night before, by its Monday
        ("publish_week", datetime(2026, 11, 16, 8, 10), "2026-11-09"),
        # a week over New Year: 2026-W53
        ("publish_week", datetime(2027, 1, 4, 8, 10), "2026-12-28"),
    ],
)
def test_a_tick_asks_for_the_partition_that_has_just_closed(name: str, moment: datetime, key: str) -> None:
    repository = defs.get_repository_def()
    schedule = repository.get_schedule_def(f"{name}_schedule")
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(
            instance=instance, scheduled_execution_time=moment.replace(tzinfo=MOSCOW), repository_def=repository
        )
        tick = schedule.evaluate_tick(context)
    (request,) = tick.run_requests or []
    assert tick.skip_message is None
    assert (request.partition_key, request.tags["dagster/partition"]) == (key, key)
    job = repository.get_job(name)
    # the key is one that the job can be run for
    assert key in job.partitions_def.get_partition_keys(current_time=moment.replace(tzinfo=MOSCOW))  # type: ignore[union-attr]


def test_schedules_run_without_being_switched_on() -> None:
    for name in ("load_daily", "publish_days", "publish_week"):
        schedule = defs.get_repository_def().get_schedule_def(f"{name}_schedule")
        assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
        assert schedule.job_name == name
