"""The only two partitions of time: business days and ISO weeks in the team's zone.

Here: their definitions, needed where assets are declared. Not here: which day or week is due (``orchestration``).
The zone comes from the business policy and is read without judging the rest of it: a location must load in a second,
and a policy with a mistake in it must stop the run that needs it, not the page that shows the mistake.
"""

from __future__ import annotations

from datetime import date, timedelta

import dagster as dg
import yaml

from resources.settings import Settings

DEFAULT_TIME_ZONE = "Europe/Moscow"


def team_time_zone(settings: Settings) -> str:
    """The zone of the organisation in the policy file, or the contract's default where there is no such file."""
    try:
        text = settings.policy_path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return DEFAULT_TIME_ZONE
    policy = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    organisation = policy.get("organisation") if isinstance(policy, dict) else None
    return (organisation or {}).get("time_zone") or DEFAULT_TIME_ZONE


def first_monday(day: date) -> date:
    """The first Monday that is not before a day.

    >>> first_monday(date(2024, 1, 2)).isoformat()
    '2024-01-08'
    """
    return day + timedelta(days=-day.weekday() % 7)


_settings = Settings()
TIME_ZONE = team_time_zone(_settings)
FIRST_DAY = _settings.otklik_first_day

DAILY = dg.DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), timezone=TIME_ZONE)
"""One partition per business day, ``2026-11-21``."""

WEEKLY = dg.WeeklyPartitionsDefinition(start_date=first_monday(FIRST_DAY).isoformat(), day_offset=1, timezone=TIME_ZONE)
"""One partition per ISO week, named by its Monday."""
