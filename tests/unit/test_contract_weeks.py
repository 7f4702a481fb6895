"""Sections 6 and 7 of the metric contract with their own rows: the week of an instant, a median beside a share."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

import pytest

from conversations.cases import cases_of_wait
from conversations.delta import Week, delta
from conversations.metrics import metric
from conversations.timeline import SECOND
from conversations.window import Window, business_day, iso_week
from resources.warehouse.evaluated_rows import Days

ROWS = [
    ("2026-05-03T20:59:59+00:00", "2026-W18"),
    ("2026-05-03T21:30:00+00:00", "2026-W19"),
    ("2026-12-31T22:30:00+00:00", "2026-W53"),
]


@pytest.mark.parametrize(("instant", "week"), ROWS)
def test_instants_of_the_contract_in_their_weeks(instant: str, week: str) -> None:
    moment = datetime.fromisoformat(instant)
    assert iso_week(business_day(moment, "Europe/Moscow")) == week
    assert Days("Europe/Moscow").at(int(moment.timestamp()) * SECOND)[1] == week
    window = Window.of_week(week, "Europe/Moscow")
    assert window.start <= moment < window.end


def test_a_week_is_half_open() -> None:
    first, second = Window.of_week("2026-W53", "Europe/Moscow"), Window.of_week("2027-W01", "Europe/Moscow")
    assert first.end == second.start == datetime.fromisoformat("2027-01-04T00:00:00+03:00")


def test_a_median_hides_what_nobody_answered() -> None:
    """Section 6: the answered waits of one manager with T = 15 minutes, alone and with ten unanswered ones."""
    minutes = [2, 3, 4, 5, 6, 8, 12, 15, 40, 95]
    assert sum(minutes) / len(minutes) == 19.0
    answered = [("in_target" if wait <= 15 else "slow_reply", wait * 60) for wait in minutes]
    for unanswered, share in ((0, 0.8), (10, 0.4)):
        found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        waits = [*answered, *[("no_reply", None)] * unanswered]
        for number, (outcome, seconds) in enumerate(waits):
            for name, value in cases_of_wait("message", outcome, False, seconds, seconds):
                found[name][f"session {number}"].append(value)
        values = {
            name: delta(metric(name), "m", "2026-W19", "1", Week(found[name], 1, "rules"), None).value
            for name in ("in_target_share", "reply_p50_business_seconds")
        }
        assert values == {"in_target_share": share, "reply_p50_business_seconds": 7.0 * 60}
