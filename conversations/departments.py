"""Whose call it is: the department of an operator on a day, by the directory of operators or by the agent group.

Here: the rule and the directory as it is looked up. Not here: how the directory gets in (``otklik operators``, a tab of
the requirements' spreadsheet), how a department is judged (``conversations.policy_scoring.Department``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import NamedTuple

from conversations.policy_scoring import Department


class OperatorStay(NamedTuple):
    """One row of ``reference.operators``: where an operator is from a local day on, until his next row."""

    connection_id: str
    operator: str
    """His id or his login at the vendor, as the directory says."""
    valid_from: date
    department_id: str | None
    """``None``: in no department any more."""
    office_id: str | None = None
    supervisor_id: str | None = None
    name: str = ""


class Directory:
    """The directory of operators, looked up by whichever of his two names the vendor gives him.

    Names are compared without regard to case and outer blanks: people type them into sheets.
    """

    def __init__(self, rows: Iterable[OperatorStay]) -> None:
        self._stays: dict[tuple[str, str], list[OperatorStay]] = defaultdict(list)
        for row in rows:
            self._stays[row.connection_id, _folded(row.operator)].append(row)
        self._connections = {connection_id for connection_id, _ in self._stays}

    def stay(
        self, connection_id: str, operator_id: str | None, operator_login: str | None, on: date
    ) -> OperatorStay | None:
        """The row in force on a local day; of rows under the id and under the login the later one, of two of one day
        that under the id.

        Args:
            operator_id: with or without the connection before it, as ``core.calls`` and the vendor write it.
        """
        vendors_id = None if operator_id is None else operator_id.removeprefix(f"{connection_id}:")
        stays = [
            stay
            for name in (operator_login, vendors_id)
            if name is not None
            for stay in self._stays.get((connection_id, _folded(name)), ())
        ]
        return in_force(stays, on)

    def knows(self, connection_id: str, operator_id: str | None, operator_login: str | None, on: date) -> bool:
        """Whether the operator has a row in force on that day.

        A directory without a row of the telephony account holds nobody back: nobody can be missing in a list that was
        never given.
        """
        if connection_id not in self._connections:
            return True
        return self.stay(connection_id, operator_id, operator_login, on) is not None


def in_force(stays: Sequence[OperatorStay], on: date) -> OperatorStay | None:
    """The stay of one operator that holds on a local day; of two that begin on one day the last of them."""
    begun = sorted((stay for stay in stays if stay.valid_from <= on), key=attrgetter("valid_from"))
    return begun[-1] if begun else None


def department_of(
    stays: Sequence[OperatorStay], agent_group: str | None, departments: Mapping[str, Department], on: date
) -> str | None:
    """The department of a call on its local day: the directory's row in force wins, also where it says that the
    operator is in none; without a row, the department whose agent group listed the call; else none.

    Args:
        stays: the rows of the call's operator, or the one in force.
    """
    stay = in_force(stays, on)
    if stay is not None:
        return stay.department_id
    if agent_group is None:
        return None
    return next((one for one, department in departments.items() if department.agent_group == agent_group), None)


def _folded(name: str) -> str:
    return name.strip().casefold()
