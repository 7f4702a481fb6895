"""When the talks of a night are scored: once the night's load has ended, and in the morning if it has not.

Here: the sensor that follows the load, the schedule that does without it, and how each knows what the other asked for.
Not here: other times (``orchestration.schedules``), what follows the scores (``orchestration.publishing_nights``), what
scoring is (``assets.evaluated.scorecards``).

A load of a long night ends when it ends, and a talk that is not loaded yet cannot be scored: so the load's own end
asks, not the clock. A load that failed, or is still at it at 06:10, is not waited for any longer: what is there is
scored then, two hours before Monday's publication. If it succeeds after that, its end asks once more; what has its
answers is not bought again. A load that a person starts for days of the past asks for nothing: reading days anew
never buys (``otklik score`` does).
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
from dagster import DagsterRunStatus as Status

from assets.partitions import FIRST_DAY, TIME_ZONE
from assets.spans import RANGE_END, RANGE_START
from conversations.policy import Policy
from conversations.policy_scoring import SCORED_NIGHTS
from orchestration.jobs import load_daily, score_days
from resources.llm_resource import NIGHT_TAG
from resources.settings import Settings

NIGHT = NIGHT_TAG
"""The tag of a run of ``score_days`` or ``publish_days``: the local day whose night it belongs to. By it scoring also
judges what awaits it of other days: talks whose words have changed since they were judged."""
BY_THE_CLOCK = f"{load_daily.name}_schedule"
_SCHEDULE, _PARTITION = "dagster/schedule_name", "dagster/partition"
_AHEAD = (Status.QUEUED, Status.NOT_STARTED, Status.STARTING)
_COUNTS = (*_AHEAD, Status.STARTED, Status.SUCCESS)
"""A run that failed or was cancelled has scored nothing for certain: it is as if nobody had asked."""


@dg.schedule(
    job=score_days,
    cron_schedule="10 6 * * *",
    execution_timezone=TIME_ZONE,
    description="In the morning, if the night's load failed or is still at it: the talks of yesterday, or of as many "
    "days ago as the policy says, and of the two days before once more for what came late.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def score_days_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """One run over the night's days, unless the night has one."""
    night = context.scheduled_execution_time.astimezone(ZoneInfo(TIME_ZONE)).date()
    if is_asked_for(context.instance, score_days.name, night):
        return dg.SkipReason(f"The talks of the night of {night} are being scored, or have been.")
    return request_of(night)


@dg.run_status_sensor(
    name="score_after_load",
    run_status=Status.SUCCESS,
    monitored_jobs=[load_daily],
    request_job=score_days,
    description="Once the night's load has ended: the talks of yesterday, or of as many days ago as the policy says, "
    "and of the two days before once more for what came late; what is paid for is not bought twice.",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def score_after_load(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
    """One run for each load of a night: that the schedule started, or a person after it had failed."""
    load = context.dagster_run
    if load.tags.get(_SCHEDULE) != BY_THE_CLOCK or _PARTITION not in load.tags:
        return dg.SkipReason("A load that no night asked for: reading days anew buys nothing.")
    night = date.fromisoformat(load.tags[_PARTITION]) + timedelta(days=1)
    record = context.instance.get_run_record_by_id(load.run_id)
    ended = record.end_time if record is not None else None
    if ended is not None and is_asked_for(context.instance, score_days.name, night, datetime.fromtimestamp(ended, UTC)):
        return dg.SkipReason(f"The talks of the night of {night} are scored by a run that began after the load.")
    return request_of(night, run_key=load.run_id)


def is_asked_for(instance: dg.DagsterInstance, job: str, night: date, since: datetime | None = None) -> bool:
    """Whether the job is being run for a night or has been: by a run that began after ``since``, if given.

    A run that waits in the queue begins later than now, whenever that is.
    """
    asked = dg.RunsFilter(job_name=job, tags={NIGHT: night.isoformat()}, statuses=[*_COUNTS])
    return any(
        since is None or one.dagster_run.status in _AHEAD or (one.start_time or 0) >= since.timestamp()
        for one in instance.get_run_records(asked)
    )


def request_of(night: date, run_key: str | None = None) -> dg.RunRequest | dg.SkipReason:
    """One run over the day that is ``scoring.day_ago`` days before the night's and the two days before that.

    All at once: one run has one budget, and two at a time would be busy (``resources.scoring.run``).
    """
    last = night - timedelta(days=Policy.load(Settings().policy_path).scoring.day_ago)
    if last < FIRST_DAY:
        return dg.SkipReason(f"{last} is before the first day that is loaded, {FIRST_DAY}")
    first = max(last - timedelta(days=SCORED_NIGHTS - 1), FIRST_DAY)
    days = {RANGE_START: first.isoformat(), RANGE_END: last.isoformat()}
    return dg.RunRequest(run_key=run_key, tags={NIGHT: night.isoformat(), **days})
