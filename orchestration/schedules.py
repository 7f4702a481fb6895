"""When the jobs run: the day at 03:10, its marts at 04:10, the last closed week on Monday at 08:10, in the team's zone.

Talks are scored at 03:40, half an hour after the load began: yesterday's, and those of the two days before once more.
What the load brings later than that is judged by the next night, as is a transcript that came late; answers that are
paid for cost nothing.

Here: times. Not here: conditions; weekly work is done on a Monday because it is Monday, whether data came or not, and
the data status says what is missing.
"""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from assets.partitions import FIRST_DAY, TIME_ZONE
from assets.spans import RANGE_END, RANGE_START
from conversations.policy import Policy
from conversations.policy_scoring import SCORED_NIGHTS
from orchestration.jobs import load_daily, publish_days, publish_week, score_days
from resources.settings import Settings

load_daily_schedule = dg.build_schedule_from_partitioned_job(
    load_daily,
    hour_of_day=3,
    minute_of_hour=10,
    description="Every night: yesterday, and the days before it once more for what came late.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)


@dg.schedule(
    job=score_days,
    cron_schedule="40 3 * * *",
    execution_timezone=TIME_ZONE,
    description="Every night after the load: the talks of yesterday, or of as many days ago as the policy says, and of "
    "the two days before once more for what came late; what is paid for is not bought twice.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def score_days_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """One run over the day that is ``scoring.day_ago`` days ago and the two before it.

    All at once: one run has one budget, and two at a time would be busy (``resources.scoring.run``).
    """
    day_ago = Policy.load(Settings().policy_path).scoring.day_ago
    last = context.scheduled_execution_time.astimezone(ZoneInfo(TIME_ZONE)).date() - timedelta(days=day_ago)
    if last < FIRST_DAY:
        return dg.SkipReason(f"{last} is before the first day that is loaded, {FIRST_DAY}")
    first = max(last - timedelta(days=SCORED_NIGHTS - 1), FIRST_DAY)
    return dg.RunRequest(tags={RANGE_START: first.isoformat(), RANGE_END: last.isoformat()})


publish_days_schedule = dg.build_schedule_from_partitioned_job(
    publish_days,
    hour_of_day=4,
    minute_of_hour=10,
    description="Every night after the load: the marts of yesterday, and of the days that the load read once more.",
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
