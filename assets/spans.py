"""Which local days and weeks a run is about.

Here: partition keys of a run turned into days, weeks and windows. Not here: what is done with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import dagster as dg

from conversations.window import Window, iso_week

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
"""Tags of a run over several partitions: its first and its last."""
Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext


@dataclass(frozen=True)
class Span:
    """Local days, both ends included.

    >>> Span(date(2026, 5, 4), date(2026, 5, 6)).keys
    ['2026-05-04', '2026-05-05', '2026-05-06']
    """

    first: date
    last: date

    @property
    def days(self) -> list[date]:
        """Each day, in order."""
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    @property
    def keys(self) -> list[str]:
        """The partition key of each day."""
        return [day.isoformat() for day in self.days]

    def window(self, time_zone: str) -> Window:
        """The instants of exactly these days."""
        return Window.of_days(self.first, self.last, time_zone)

    def reading_window(self, time_zone: str, reread_days: int) -> Window:
        """The instants that a run over these days reads and judges again.

        A run over one day is the nightly one: it reads the last ``reread_days`` once more, so that late rows, edits and
        deletions of that time are found (promise D3). A run over a range is somebody's explicit wish for that range.

        >>> Span(date(2026, 5, 7), date(2026, 5, 7)).reading_window("UTC", 7).start.isoformat()
        '2026-05-01T00:00:00+00:00'
        >>> Span(date(2026, 5, 6), date(2026, 5, 7)).reading_window("UTC", 7).start.isoformat()
        '2026-05-06T00:00:00+00:00'
        """
        return self.reread(reread_days).window(time_zone)

    def reread(self, reread_days: int) -> Span:
        """The days of ``reading_window``."""
        if self.first != self.last:
            return self
        return Span(self.last - timedelta(days=max(reread_days, 1) - 1), self.last)


def days_of(context: Context) -> Span:
    """The days of a daily partitioned run."""
    return _span(context.partition_key_range)


def days_if_any(context: Context) -> Span | None:
    """The days of the run, or ``None`` for one that has no partition (a check started by hand)."""
    if context.has_partition_key or has_range(context.run.tags):
        return _span(context.partition_key_range)
    return None


def weeks_of(context: Context) -> tuple[str, str, list[date]]:
    """First week, last week and the Mondays of a weekly partitioned run."""
    mondays = [date.fromisoformat(key) for key in context.partition_keys]
    return iso_week(mondays[0]), iso_week(mondays[-1]), mondays


def has_range(tags: Mapping[str, str]) -> bool:
    """Whether a run carries the tags of a range of partitions."""
    return RANGE_START in tags


def _span(keys: dg.PartitionKeyRange) -> Span:
    return Span(date.fromisoformat(keys.start), date.fromisoformat(keys.end))
