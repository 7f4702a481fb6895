"""When the talks of a night are scored: after its load, in the morning without one, never by a load of the past; and
when its days are published: after the scores, in the morning without them.

The real sensors and schedules over an instance of Dagster with runs that began and ended at times of the test.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster import DagsterRunStatus as Status
from dagster._core.definitions.run_status_sensor_definition import RunStatusSensorCursor

from orchestration.definitions import defs
from orchestration.scoring_nights import BY_THE_CLOCK, NIGHT, is_asked_for

MOSCOW = ZoneInfo("Europe/Moscow")
MONDAY = datetime(2026, 11, 16, tzinfo=MOSCOW)
SCHEDULED = {"dagster/schedule_name": BY_THE_CLOCK}
DAYS = ("2026-11-13", "2026-11-15")
"""Sunday, which Monday's publication needs, and the two days before it."""


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    # a schedule looks at an instance that can be opened once more
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as found:
        yield found


@pytest.fixture
def instance(stored: dg.DagsterInstance) -> dg.DagsterInstance:
    stored.wipe()
    return stored


def at(clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return MONDAY.replace(hour=hour, minute=minute)


def ran(
    instance: dg.DagsterInstance, job: str, tags: dict[str, str], begin: str | None, end: str | None, status: Status
) -> dg.DagsterRun:
    """A run that began and ended at these times of Monday."""
    run = instance.add_run(dg.DagsterRun(job, status=Status.NOT_STARTED, tags=tags))
    told = [(Status.STARTED, begin), (status, end)]
    kinds = {Status.STARTED: "PIPELINE_START", Status.SUCCESS: "PIPELINE_SUCCESS", Status.FAILURE: "PIPELINE_FAILURE"}
    for state, clock in told:
        if clock is not None and state in kinds:
            event = dg.DagsterEvent(kinds[state], job, message="")
            instance._run_storage.handle_run_event(run.run_id, event, at(clock).astimezone(UTC))
    found = instance.get_run_by_id(run.run_id)
    assert found is not None and found.status == (status if end else Status.STARTED if begin else Status.NOT_STARTED)
    return found


def load(
    instance: dg.DagsterInstance, end: str, tags: dict[str, str] | None = None, status: Status = Status.SUCCESS
) -> dg.DagsterRun:
    """The load of Sunday."""
    given = SCHEDULED if tags is None else tags
    return ran(instance, "load_daily", {"dagster/partition": DAYS[1], **given}, "03:10", end, status)


def scored(
    instance: dg.DagsterInstance, begin: str | None, status: Status = Status.SUCCESS, end: str = "23:59"
) -> dg.DagsterRun:
    """A run over the night's days; ``begin`` None: it waits for its turn."""
    return ran(instance, "score_days", {NIGHT: "2026-11-16"}, begin, end if begin else None, status)


def published(instance: dg.DagsterInstance, begin: str | None, status: Status = Status.SUCCESS) -> dg.DagsterRun:
    """A publication of the night's days; ``begin`` None: it waits for its turn."""
    tags = {NIGHT: "2026-11-16", "dagster/partition": DAYS[1]}
    return ran(instance, "publish_days", tags, begin, "23:59" if begin else None, status)


def after(
    instance: dg.DagsterInstance, run: dg.DagsterRun, name: str = "score_after_load"
) -> dg.RunRequest | dg.SkipReason:
    """What the sensor says of the end of a run."""
    context = dg.build_run_status_sensor_context(name, dg.DagsterEvent("PIPELINE_SUCCESS", run.job_name), instance, run)
    sensor = defs.get_repository_def().get_sensor_def(name)
    return sensor(context)  # type: ignore[operator, no-any-return]


def morning(instance: dg.DagsterInstance, clock: str = "06:10", job: str = "score_days") -> list[dg.RunRequest]:
    """What the schedule asks for at its time."""
    repository = defs.get_repository_def()
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=at(clock), repository_def=repository
    )
    return [*(repository.get_schedule_def(f"{job}_schedule").evaluate_tick(context).run_requests or ())]


def day_of(request: object) -> str | None:
    """The day that a request for a publication is about."""
    assert isinstance(request, dg.RunRequest) and request.tags[NIGHT] == "2026-11-16"
    return request.partition_key


def days_of(request: object) -> tuple[str, str]:
    assert isinstance(request, dg.RunRequest)
    assert request.tags[NIGHT] == "2026-11-16"
    first, last = (request.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end"))
    return first, last


@pytest.mark.parametrize("end", ["03:20", "05:55", "07:40"])
def test_the_end_of_the_load_starts_it_however_late(instance: dg.DagsterInstance, end: str) -> None:
    assert days_of(after(instance, load(instance, end))) == DAYS


def test_a_night_has_one_run(instance: dg.DagsterInstance) -> None:
    loaded = load(instance, "03:20")
    request = after(instance, loaded)
    # the same end told twice is one run: Dagster knows it by its key
    assert isinstance(request, dg.RunRequest) and request.run_key == loaded.run_id
    scored(instance, None)
    assert morning(instance) == []
    assert isinstance(after(instance, load(instance, "03:25")), dg.SkipReason), "one waits for its turn"


def test_without_the_end_of_a_load_the_morning_starts_it(instance: dg.DagsterInstance) -> None:
    load(instance, "03:30", status=Status.FAILURE)
    assert [days_of(one) for one in morning(instance)] == [DAYS]


@pytest.mark.parametrize("status", [Status.FAILURE, Status.CANCELED])
def test_a_run_that_failed_is_as_if_nobody_had_asked(instance: dg.DagsterInstance, status: Status) -> None:
    instance.add_run(dg.DagsterRun("score_days", status=status, tags={NIGHT: "2026-11-16"}))
    assert [days_of(one) for one in morning(instance)] == [DAYS]


def test_a_load_that_ends_after_the_morning_starts_it_once_more(instance: dg.DagsterInstance) -> None:
    """Sunday is not left out because its load was slow; what the morning bought is not bought again."""
    scored(instance, "06:10")
    assert days_of(after(instance, load(instance, "07:40"))) == DAYS
    scored(instance, "07:41")
    assert isinstance(after(instance, load(instance, "07:40")), dg.SkipReason)


def test_who_reads_days_anew_buys_nothing(instance: dg.DagsterInstance) -> None:
    assert isinstance(after(instance, load(instance, "12:00", tags={})), dg.SkipReason)
    assert isinstance(after(instance, load(instance, "12:00", tags={"dagster/backfill": "b"})), dg.SkipReason)
    days = {"dagster/asset_partition_range_start": DAYS[0], "dagster/asset_partition_range_end": DAYS[1]}
    by_hand = ran(instance, "load_daily", days, "12:00", "12:30", Status.SUCCESS)
    assert isinstance(after(instance, by_hand), dg.SkipReason)


def test_another_night_is_another_run(instance: dg.DagsterInstance) -> None:
    scored(instance, "03:20")
    assert is_asked_for(instance, "score_days", MONDAY.date())
    assert not is_asked_for(instance, "score_days", MONDAY.date().replace(day=17))
    assert not is_asked_for(instance, "publish_days", MONDAY.date())


def test_it_is_switched_on_and_follows_the_load() -> None:
    sensor = defs.get_repository_def().get_sensor_def("score_after_load")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert [target.job_name for target in sensor.targets] == ["score_days"]


def test_the_days_are_published_once_their_talks_are_scored(instance: dg.DagsterInstance) -> None:
    scores = scored(instance, "05:00", end="06:59")
    request = after(instance, scores, "publish_after_scores")
    assert day_of(request) == DAYS[1] and isinstance(request, dg.RunRequest)
    assert request.run_key == scores.run_id, "the same end told twice is one run"
    # the day is one that the job can be run for
    job = defs.get_repository_def().get_job("publish_days")
    assert job.partitions_def is not None and job.partitions_def.has_partition_key(DAYS[1])
    published(instance, None)
    assert morning(instance, "07:10", "publish_days") == []
    assert isinstance(after(instance, scores, "publish_after_scores"), dg.SkipReason), "one waits for its turn"


@pytest.mark.parametrize("status", [Status.FAILURE, Status.CANCELED])
def test_without_scores_the_morning_publishes_the_days(instance: dg.DagsterInstance, status: Status) -> None:
    instance.add_run(dg.DagsterRun("score_days", status=status, tags={NIGHT: "2026-11-16"}))
    assert [day_of(one) for one in morning(instance, "07:10", "publish_days")] == [DAYS[1]]
    # a publication that failed is as if nobody had asked
    instance.add_run(dg.DagsterRun("publish_days", status=status, tags={NIGHT: "2026-11-16"}))
    assert [day_of(one) for one in morning(instance, "07:10", "publish_days")] == [DAYS[1]]


def test_scores_that_end_after_the_morning_publish_the_days_once_more(instance: dg.DagsterInstance) -> None:
    scores = scored(instance, "05:00", end="07:30")
    published(instance, "07:10")
    assert day_of(after(instance, scores, "publish_after_scores")) == DAYS[1]
    published(instance, "07:31")
    assert isinstance(after(instance, scores, "publish_after_scores"), dg.SkipReason)


def test_scores_that_a_person_asked_for_publish_nothing(instance: dg.DagsterInstance) -> None:
    days = {"dagster/asset_partition_range_start": DAYS[0], "dagster/asset_partition_range_end": DAYS[1]}
    by_hand = ran(instance, "score_days", days, "12:00", "12:30", Status.SUCCESS)
    assert isinstance(after(instance, by_hand, "publish_after_scores"), dg.SkipReason)


def test_the_publication_is_switched_on_and_follows_the_scores() -> None:
    sensor = defs.get_repository_def().get_sensor_def("publish_after_scores")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert [target.job_name for target in sensor.targets] == ["publish_days"]


def test_a_night_goes_from_its_load_to_its_days(instance: dg.DagsterInstance) -> None:
    """What one asks for carries what the other looks for."""
    scores = after(instance, load(instance, "03:40"))
    assert isinstance(scores, dg.RunRequest)
    run = ran(instance, "score_days", dict(scores.tags), "03:41", "03:50", Status.SUCCESS)
    request = after(instance, run, "publish_after_scores")
    assert day_of(request) == DAYS[1] and isinstance(request, dg.RunRequest)
    ran(instance, "publish_days", dict(request.tags), "03:51", "03:55", Status.SUCCESS)
    assert morning(instance) == morning(instance, "07:10", "publish_days") == []


def test_the_daemon_makes_a_run_of_the_day_of_it(instance: dg.DagsterInstance) -> None:
    """The sensor as the daemon evaluates it: it finds the run by itself, and the day is a partition of the job."""
    run = instance.add_run(dg.DagsterRun("score_days", status=Status.NOT_STARTED, tags={NIGHT: "2024-03-01"}))
    for kind in ("PIPELINE_START", "PIPELINE_SUCCESS"):
        instance.report_dagster_event(dg.DagsterEvent(kind, "score_days", message=""), run.run_id)
    repository = defs.get_repository_def()
    context = dg.build_sensor_context(
        instance=instance,
        repository_def=repository,
        cursor=RunStatusSensorCursor(record_id=0).to_json(),
        sensor_name="publish_after_scores",
    )
    (request,) = repository.get_sensor_def("publish_after_scores").evaluate_tick(context).run_requests or ()
    assert (request.run_key, request.tags["dagster/partition"]) == (run.run_id, "2024-02-29")
