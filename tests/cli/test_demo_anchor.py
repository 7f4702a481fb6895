"""The demo's weeks: the last closed ones at first, the same ones for ever after."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from orchestration.cli import demo


@pytest.mark.parametrize(
    ("now", "monday"),
    [
        (datetime(2026, 11, 21, 4, 0, tzinfo=UTC), date(2026, 11, 16)),
        # Sunday 23:59 and Monday 00:00 in Moscow
        (datetime(2026, 11, 22, 20, 59, tzinfo=UTC), date(2026, 11, 16)),
        (datetime(2026, 11, 22, 21, 0, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2027, 1, 1, 12, 0, tzinfo=UTC), date(2026, 12, 28)),
    ],
)
def test_the_last_closed_week_ends_with_this_monday(now: datetime, monday: date) -> None:
    assert demo.new_anchor(now, "Europe/Moscow").monday == monday


def test_five_closed_weeks_are_shown() -> None:
    anchor = demo.Anchor(date(2027, 1, 11), "Europe/Moscow")

    assert anchor.weeks == ["2026-W50", "2026-W51", "2026-W52", "2026-W53", "2027-W01"]
    assert (anchor.first_day, anchor.last_day) == (date(2026, 12, 7), date(2027, 1, 10))
    assert anchor.at(8).isoformat() == "2027-01-11T08:00:00+03:00"


def test_a_home_remembers(tmp_path: Path) -> None:
    anchor = demo.Anchor(date(2026, 11, 16), "Asia/Almaty", is_loaded=True)
    assert demo.anchor(tmp_path) is None
    demo.remember(tmp_path, anchor)

    assert demo.anchor(tmp_path) == anchor
