"""The schedules at a frozen moment: they fire, once, for the partition that has just closed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
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
        # without the night's scores, the same day
        ("publish_days", datetime(2026, 11, 16, 7, 10), "2026-11-15"),
        ("publish_days", datetime(2028, 3, 1, 7, 10), "2028-02-29"),
        # Monday morning: the week that ended the night before, by its Monday
        ("publish_week", datetime(2026, 11, 16, 8, 10), "2026-11-09"),
        # a week over New Year: 2026-W53
        ("publish_week", datetime(2027, 1, 4, 8, 10), "2026-12-28"),
    ],
)
def test_a_tick_asks_for_the_partition_that_has_just_closed(
    name: str, moment: datetime, key: str, tmp_path: Path
) -> None:
    repository = defs.get_repository_def()
    schedule = repository.get_schedule_def(f"{name}_schedule")
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
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


@pytest.mark.parametrize(
    ("moment", "first", "last"),
    [
        # Monday night, before the week is published: Sunday, and what came late of Friday and Saturday
        (datetime(2026, 11, 16, 6, 10), "2026-11-13", "2026-11-15"),
        (datetime(2028, 3, 2, 6, 10), "2028-02-28", "2028-03-01"),
    ],
)
def test_the_night_judges_three_days_in_one_run(moment: datetime, first: str, last: str, tmp_path: Path) -> None:
    repository = defs.get_repository_def()
    schedule = repository.get_schedule_def("score_days_schedule")
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        context = dg.build_schedule_context(
            instance=instance, scheduled_execution_time=moment.replace(tzinfo=MOSCOW), repository_def=repository
        )
        (request,) = schedule.evaluate_tick(context).run_requests or []
    assert request.partition_key_range == dg.PartitionKeyRange(first, last)
    partitions = repository.get_job("score_days").partitions_def
    assert partitions is not None
    keys = partitions.get_partition_keys(current_time=moment.replace(tzinfo=MOSCOW))
    # the last day of the run is the last one that is over
    assert (keys[-3], keys[-1]) == (first, last)


def test_schedules_run_without_being_switched_on() -> None:
    for name in ("load_daily", "score_days", "publish_days", "publish_week"):
        schedule = defs.get_repository_def().get_schedule_def(f"{name}_schedule")
        assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
        assert schedule.job_name == name
