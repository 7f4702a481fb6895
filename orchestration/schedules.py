"""When the jobs run: the day at 03:10, the last closed week on Monday at 08:10, in the team's zone.

What follows the load follows its end: talks are scored, or at 06:10 without it (``orchestration.scoring_nights``), and
after them the marts of the days are published, or at 07:10 without them (``orchestration.publishing_nights``).

Here: times. Not here: conditions; weekly work is done on a Monday because it is Monday, whether data came or not, and
the data status says what is missing.
"""

from __future__ import annotations

import dagster as dg

from orchestration.jobs import load_daily, publish_week
from orchestration.publishing_nights import publish_days_schedule
from orchestration.scoring_nights import score_days_schedule

load_daily_schedule = dg.build_schedule_from_partitioned_job(
    load_daily,
    hour_of_day=3,
    minute_of_hour=10,
    description="Every night: yesterday, and the days before it once more for what came late.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)

publish_week_schedule = dg.build_schedule_from_partitioned_job(
    publish_week,
    hour_of_day=8,
    minute_of_hour=10,
    description="Every Monday morning: the week that ended yesterday.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)

SCHEDULES = [load_daily_schedule, score_days_schedule, publish_days_schedule, publish_week_schedule]
