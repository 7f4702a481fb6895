"""``otklik run`` and ``otklik backfill``: the chain over a range of days, and the publication of a week.

Here: reading the arguments, the preflight, progress. Not here: the chain (``orchestration.runner``).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from conversations.messages import Doctor, Errors, Load
from conversations.window import monday_of
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError
from orchestration.partitions import last_closed_day

if TYPE_CHECKING:
    from orchestration.runner import RunSummary
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse


def run(week: str) -> None:
    """Everything for one closed week: its days, then its publication and that of its days, then its table."""
    from orchestration.cli import week as week_table
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse

    settings = Settings()
    monday = read_week(week, settings)
    preflight(settings)
    with Warehouse.open(settings) as warehouse:
        prepare(warehouse, settings)
        sunday = monday + timedelta(days=6)
        summaries = [load_days(monday, sunday), publish(week, week), publish_days(monday, sunday)]
        screen.say(Load.published(week))
        screen.say(passed(summaries))
        week_table.show(week_table.reading(warehouse), week)


def backfill(first: str, last: str, select: list[str] | None) -> None:
    """The days ``first`` to ``last``, both included, as one run per step of the chain."""
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse

    settings = Settings()
    begin, end = read_day(first, settings), read_day(last, settings)
    if begin > end:
        raise CliError(Errors.ORDER.format(first, last), EXIT_USAGE)
    # judging a day moves the as-of instant to its end, and that never goes back
    if end > (closed := last_closed_day(settings.now(), time_zone(settings))):
        raise CliError(Errors.DAY_OPEN.format(end, closed), EXIT_USAGE)
    preflight(settings)
    with Warehouse.open(settings) as warehouse:
        prepare(warehouse, settings)
        started = time.monotonic()
        summary = load_days(begin, end, select)
    screen.say(Load.loaded(begin, end, time.monotonic() - started))
    screen.say(passed([summary]))


def prepare(warehouse: Warehouse, settings: Settings) -> None:
    """Bring the tables up to date and tell Dagster where it lives, before anything of it is imported."""
    import os

    from orchestration.cli import serve
    from resources.settings import PROJECT_ROOT

    warehouse.ensure_migrated()
    storage = warehouse.dagster_storage_url()
    os.environ.update(serve.environment_for_dagster(settings.otklik_home, PROJECT_ROOT, storage, {}))


def preflight(settings: Settings) -> None:
    """Refuse to start where the settings say so; print the table only then.

    Raises:
        CliError: OTKLIK_PREFLIGHT refuses.
    """
    from orchestration.cli import doctor

    if settings.otklik_preflight == "off":
        return
    findings = list(doctor.checks(settings, starting=True))
    if doctor.refuses(findings, settings.otklik_preflight):
        doctor.show(findings)
        raise CliError(Doctor.REFUSED)


def load_days(first: date, last: date, select: list[str] | None = None, title: str | None = None) -> RunSummary:
    """Run the chain over the days with a progress bar.

    Raises:
        CliError: ``select`` names nothing.
        RunFailed: a step or a blocking check failed.
    """
    with screen.steps() as steps, steps.step(title or Load.loading(first, last)) as step:
        # a bar stands before the seconds in which Dagster is imported
        from orchestration.runner import run_days

        try:
            return run_days(first, last, select, progress=step.to)
        except ValueError as error:
            raise CliError(str(error), EXIT_USAGE) from error


def publish(first: str, last: str) -> RunSummary:
    """Publish a range of closed weeks.

    Raises:
        RunFailed: a test failed; the last good version stays.
    """
    with screen.steps() as steps, steps.step(Load.publishing(first, last)) as step:
        from orchestration.runner import publish_weeks

        return publish_weeks(first, last, progress=step.to)


def publish_days(first: date, last: date) -> RunSummary:
    """Publish the marts of a range of closed days.

    Raises:
        RunFailed: a test failed; the last good version stays.
    """
    with screen.steps() as steps, steps.step(Load.publishing_days(first, last)) as step:
        from orchestration.runner import publish_days as run

        return run(first, last, progress=step.to)


def passed(summaries: Sequence[RunSummary]) -> str:
    """How many checks the runs passed; a run with a failed one raised."""
    return Load.checks(sum(summary.checks_passed for summary in summaries))


def time_zone(settings: Settings) -> str:
    """The organisation's zone."""
    from conversations.policy import Policy

    return Policy.load(settings.policy_path).organisation.time_zone


def read_week(text: str, settings: Settings) -> date:
    """The Monday of the key of a closed week.

    Raises:
        CliError: not a week, begun before the first day, or not over yet.
    """
    try:
        monday = monday_of(text)
    except ValueError:
        raise CliError(Errors.WEEK.format(text), EXIT_USAGE) from None
    _not_before_first(text, monday, settings)
    if monday > last_closed_day(settings.now(), time_zone(settings)) - timedelta(days=6):
        raise CliError(Errors.WEEK_OPEN.format(text), EXIT_USAGE)
    return monday


def read_day(text: str, settings: Settings) -> date:
    """A day that can be loaded.

    Raises:
        CliError: not a date, or before the first day.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise CliError(Errors.DATE.format(text), EXIT_USAGE) from None
    _not_before_first(text, day, settings)
    return day


def _not_before_first(text: str, day: date, settings: Settings) -> None:
    # Dagster has no partition there and would say so in its own words
    if day < settings.otklik_first_day:
        raise CliError(Errors.FIRST_DAY.format(text, settings.otklik_first_day), EXIT_USAGE)
