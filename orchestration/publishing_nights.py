"""When the marts of a night's days are published: once the night's talks are scored, at 07:10 if they are not.

Here: the sensor that follows the scores, the schedule that does without them, and how each knows what the other asked
for. Not here: when talks are scored (``orchestration.scoring_nights``), weeks (``orchestration.schedules``).

The marts of a day carry its scores. A clock that publishes an hour after the load shows days without them whenever the
load or the judge took longer, and nothing would bring them in before the next night. So the end of the scoring run
asks. Without one by 07:10 (it failed, or is still at it) the days are published as they are, an hour before Monday's
week; scores that come after that publish the days once more. An installation without a key scores as well: by rules.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
from dagster import DagsterRunStatus as Status

from assets.partitions import FIRST_DAY, TIME_ZONE
from orchestration.jobs import publish_days, score_days
from orchestration.scoring_nights import NIGHT, is_asked_for


@dg.schedule(
    job=publish_days,
    cron_schedule="10 7 * * *",
    execution_timezone=TIME_ZONE,
    description="In the morning, if the night's talks are not scored by then: the marts of yesterday, and of the days "
    "that the load read once more.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def publish_days_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """The night's days, unless they are being published or have been."""
    night = context.scheduled_execution_time.astimezone(ZoneInfo(TIME_ZONE)).date()
    if is_asked_for(context.instance, publish_days.name, night):
        return dg.SkipReason(f"The days of the night of {night} are being published, or have been.")
    return request_of(night)


@dg.run_status_sensor(
    name="publish_after_scores",
    run_status=Status.SUCCESS,
    monitored_jobs=[score_days],
    request_job=publish_days,
    description="Once the night's talks are scored: the marts of yesterday, and of the days that the load read once "
    "more.",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def publish_after_scores(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
    """One run for each scoring run of a night; none for days that a person had scored."""
    scores = context.dagster_run
    if NIGHT not in scores.tags:
        return dg.SkipReason("Scores that no night asked for: who scores days of the past publishes them.")
    night = date.fromisoformat(scores.tags[NIGHT])
    record = context.instance.get_run_record_by_id(scores.run_id)
    since = datetime.fromtimestamp(record.end_time, UTC) if record is not None and record.end_time else None
    if since is not None and is_asked_for(context.instance, publish_days.name, night, since):
        return dg.SkipReason(f"The days of the night of {night} are published by a run that began after the scores.")
    return request_of(night, run_key=scores.run_id)


def request_of(night: date, run_key: str | None = None) -> dg.RunRequest | dg.SkipReason:
    """One run over the day before the night; it does the days before that once more by itself (``marts_days``)."""
    day = night - timedelta(days=1)
    if day < FIRST_DAY:
        return dg.SkipReason(f"{day} is before the first day that is loaded, {FIRST_DAY}")
    return dg.RunRequest(run_key=run_key, partition_key=day.isoformat(), tags={NIGHT: night.isoformat()})
