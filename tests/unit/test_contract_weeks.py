"""Section 7 of the metric contract: which week an instant belongs to, with the contract's own rows."""

from __future__ import annotations

from datetime import datetime

import pytest

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
