"""Which of the three numbers of a date is the day: proved from a whole file, or declared, never guessed.

Here: the evidence of one file and the decision. Not here: what a date means once the order is known (``.years``).

Proof, in this order: a year that shows itself; dates that exist in one order only; time that runs backwards in all
orders but one. Without proof a person says it; one who says the contrary of the proof is told so.
"""

from __future__ import annotations

from datetime import date
from typing import get_args

from conversations.imports.survey import DateOrder, NotThisFormat, OtherOrder, Undecided
from conversations.imports.whatsapp.years import day_of, year_position

ORDERS: tuple[DateOrder, ...] = get_args(DateOrder)

BACKWARD_DAYS = 7
"""Messages stand in the order of arrival: one that was stuck for a few days is older than its neighbour. Day and month
taken for each other leap by a month and more."""

_STRAY_SHARE, _STRAY_TIMES = 0.01, 10
"""At most 1 % of the dates may contradict an order that all others confirm, if ten times as many contradict the next
best: copied lines that look like stamps."""


class Evidence:
    """Looks at dates one by one; memory does not grow."""

    def __init__(self) -> None:
        self.seen = 0
        self._wrong = dict.fromkeys(ORDERS, 0)
        self._backward = dict.fromkeys(ORDERS, 0)
        self._before: dict[DateOrder, date] = {}
        self._numbers: tuple[str, str, str] | None = None
        self._differs = False
        self._years = {0: 0, 2: 0, None: 0}
        self._spaced = 0
        self._changes = 0
        self._last_number_changes = 0

    def look(self, numbers: tuple[str, str, str], era: str, *, is_said: bool) -> dict[DateOrder, date]:
        """Take one date; ``is_said``: somebody wrote the message (the messenger's own lines stand out of order)."""
        self.seen += 1
        position = year_position(numbers, era)
        self._years[position] += 1
        self._spaced += position is None and era.startswith(".")
        if self._numbers is not None and numbers != self._numbers:
            self._changes += 1
            self._last_number_changes += numbers[:2] == self._numbers[:2]
        self._numbers = numbers
        days = {order: day for order in ORDERS if (day := day_of(numbers, era, order)) is not None}
        self._differs |= days.get("dmy") != days.get("mdy")
        is_date = "dmy" in days or "mdy" in days
        for order in ORDERS:
            day = days.get(order)
            if day is None:
                self._wrong[order] += is_date or order == "ymd"
            elif is_said:
                before = self._before.get(order)
                self._backward[order] += before is not None and (before - day).days > BACKWARD_DAYS
                self._before[order] = day
        return days

    def decide(self, declared: DateOrder | None) -> tuple[DateOrder, str]:
        """The order and what it rests on: ``year``, ``range``, ``time``, ``same``, ``declared``.

        Raises:
            Undecided: several orders are possible and nobody declared one.
            NotThisFormat: no order fits.
            OtherOrder: the declared one contradicts the proof.
        """
        possible = self._possible(declared)
        if not possible:
            raise NotThisFormat("the dates of the file contradict each other: no order of day, month and year fits all")
        proved, proof = self._proved(possible)
        if proved is None:
            if declared is None:
                raise Undecided("date_order")
            proved, proof = declared, "declared"
            if declared not in possible:
                raise OtherOrder(f"the file has dates that do not exist in the order {declared}")
        if declared not in (None, proved) and proof != "same":
            raise OtherOrder(f"the dates of the file are in the order {proved}, not {declared} as was declared")
        return proved, proof

    def _possible(self, declared: DateOrder | None) -> list[DateOrder]:
        most = max(self._years, key=lambda position: self._years[position])
        if most == 0:
            return ["ymd"]
        either: list[DateOrder] = ["dmy", "mdy"]
        possible = [one for one in either if self._fits(one, either[either.index(one) - 1])]
        # two digits in front mean a year in few places: where the numbers are spaced (Korea), where they run like that,
        # where a person says so, or where nothing else fits
        if most is None and not self._wrong["ymd"]:
            runs_last = self._changes > 1 and self._last_number_changes * 2 > self._changes
            spaced = self._spaced * 2 > self.seen
            if not possible or declared == "ymd" or spaced or runs_last:
                possible.append("ymd")
        return possible

    def _fits(self, order: DateOrder, other: DateOrder) -> bool:
        wrong = self._wrong[order]
        return not wrong or (wrong <= self.seen * _STRAY_SHARE and wrong * _STRAY_TIMES <= self._wrong[other])

    def _proved(self, possible: list[DateOrder]) -> tuple[DateOrder | None, str]:
        if len(possible) == 1:
            return possible[0], "year" if possible == ["ymd"] and self._years[0] else "range"
        if not self._differs and "ymd" not in possible:
            return "dmy", "same"
        forward = [order for order in possible if not self._backward[order]]
        return (forward[0], "time") if len(forward) == 1 else (None, "")
