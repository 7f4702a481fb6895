"""What is left of the budget, kept in memory by the one who buys.

Here: caps, sums over the book, whether one more call fits. Not here: the book itself (``ledger``).

The sums are read once a day of a run and then counted along: only the holder of the scoring lock books calls, so
nobody else adds to them. Who is in doubt whether something was booked reads them anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from conversations.policy import Policy
from resources.llm.ledger import Cap, OverBudget

_SUMS = """
select department_id, run_id = %(run)s, paid_on = %(today)s,
    sum(coalesce(cost_microusd, reserved_microusd))::bigint,
    coalesce(sum(reserved_microusd) filter (where state = 'reserved'), 0)::bigint
from ops.llm_calls
where paid_on between %(began)s and %(today)s and (paid_on = %(today)s or run_id = %(run)s)
group by 1, 2, 3
"""
BUDGET_LOCK = "pg_advisory_xact_lock(hashtextextended('otklik:llm-budget', 0))"
"""Taken by whoever reads the sums and by whoever books a call: a booking of a session that has just lost its right is
either seen by the next one or refused."""


@dataclass(frozen=True)
class Caps:
    """Most that may be spent, in millionths of a US dollar."""

    run: int
    day: int
    by_department: Mapping[str | None, int]
    """A local day's cap of departments that have one; under ``None`` that of chats."""

    def of(self, cap: Cap, department_id: str | None) -> int | None:
        """The cap; ``None``: there is none."""
        return {"run": self.run, "day": self.day, "department": self.by_department.get(department_id)}[cap]


def caps_of(policy: Policy) -> Caps:
    """The caps of the policy."""
    scoring = policy.scoring
    by_department: dict[str | None, float | None] = {
        name: department.day_budget_usd for name, department in policy.departments.items()
    }
    by_department[None] = scoring.chats.day_budget_usd
    return Caps(
        _microusd(scoring.budget.run_usd),
        _microusd(scoring.budget.day_usd),
        {name: _microusd(cap) for name, cap in by_department.items() if cap is not None},
    )


def _microusd(usd: float) -> int:
    return round(usd * 1_000_000)


class NotYet(Exception):
    """It fits when what is in flight costs less than its worst."""

    def __init__(self, cap: Cap) -> None:
        super().__init__(cap)
        self.cap = cap


class Spent:
    """What is spent, calls in flight at their worst: by this run, on a day, on that day by department.

    Args:
        connection: a session outside of any transaction.
        began_on: the day on which the run began: what it spent on any day since then counts for the run as well.
    """

    def __init__(self, connection: psycopg.Connection[Any], run_id: str, day: date, began_on: date) -> None:
        self.day = day
        self._all: Counter[tuple[Cap, str | None]] = Counter()
        self._open: Counter[tuple[Cap, str | None]] = Counter()
        with connection.transaction():
            connection.execute(f"select {BUDGET_LOCK}")  # type: ignore[arg-type]
            rows = connection.execute(_SUMS, {"run": run_id, "today": day, "began": min(began_on, day)}).fetchall()
        for department_id, is_mine, is_today, cost, in_flight in rows:
            for place in _places(department_id, is_mine=is_mine, is_today=is_today):
                self._all[place] += cost
                self._open[place] += in_flight

    def refusal(self, caps: Caps, department_id: str | None, worst: int) -> OverBudget | NotYet | None:
        """Why one more call may not be made now."""
        later = None
        for place in _places(department_id):
            cap = caps.of(*place)
            if cap is None or self._all[place] + worst <= cap:
                continue
            if self._all[place] - self._open[place] + worst > cap:
                return OverBudget(place[0])
            later = NotYet(place[0])
        return later

    def reserve(self, department_id: str | None, worst: int) -> None:
        """Count one more call in flight."""
        for place in _places(department_id):
            self._all[place] += worst
            self._open[place] += worst

    def settle(self, department_id: str | None, worst: int, cost: int, paid_on: date) -> None:
        """Count a call that was in flight at what it came to."""
        for place in _places(department_id, is_today=paid_on == self.day):
            self._all[place] += cost - worst
            self._open[place] -= worst


def _places(department_id: str | None, *, is_mine: bool = True, is_today: bool = True) -> list[tuple[Cap, str | None]]:
    """Whose sums a call counts in."""
    mine: list[tuple[Cap, str | None]] = [("run", None)] if is_mine else []
    return mine + ([("day", None), ("department", department_id)] if is_today else [])
