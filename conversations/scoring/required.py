"""What the policy asks the spreadsheet of requirements and the files below ``prompts/`` for.

Here: one entry for each rubric, text of instructions and list of operators. Not here: reading any of them
(``resources.requirements``), what they may say (``rubric``, ``instructions``, ``conversations.operators``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

from conversations.policy_scoring import Departments, Scoring

Kind: TypeAlias = Literal["criteria", "instructions", "operators"]


class Required(NamedTuple):
    """One thing to read."""

    kind: Kind
    name: str
    """The rubric; the tab of instructions; ``operators``."""
    tab: str | None
    """The tab that it stands in; ``None``: the rubric's file."""

    @property
    def place(self) -> str:
        """Where it stands, as people are told."""
        return self.tab if self.tab is not None else f"prompts/{self.name}/rubric.yaml"


def required(
    departments: Departments, scoring: Scoring, *, has_sheet: bool, operators_tab: str | None
) -> list[Required]:
    """Everything that is judged by, each once. Without a spreadsheet tabs are not asked for: the files hold."""
    found: dict[Required, None] = {}
    for rubric, criteria_tab, instructions_tab in _judged_by(departments, scoring):
        found[Required("criteria", rubric, criteria_tab if has_sheet else None)] = None
        if instructions_tab is not None and has_sheet:
            found[Required("instructions", instructions_tab, instructions_tab)] = None
    if operators_tab and has_sheet:
        found[Required("operators", "operators", operators_tab)] = None
    return list(found)


def contradiction(departments: Departments, scoring: Scoring) -> str | None:
    """Why nobody could say which criteria a rubric has; ``None``: everybody can.

    A rubric stands in one place, and a tab holds one thing.
    """
    places: dict[str, str | None] = {}
    holds: dict[str, tuple[str, str]] = {}
    for rubric, criteria_tab, instructions_tab in _judged_by(departments, scoring):
        if places.setdefault(rubric, criteria_tab) != criteria_tab:
            return f"the rubric {rubric!r} is named with two values of criteria_tab"
        for tab, what in ((criteria_tab, ("criteria", rubric)), (instructions_tab, ("instructions", ""))):
            if tab is not None and holds.setdefault(tab, what) != what:
                return f"the tab {tab!r} is named for two things"
    return None


def names_of(departments: Departments) -> Mapping[str, str]:
    """Key to name of each department."""
    return {key: department.name for key, department in departments.items()}


def _judged_by(departments: Departments, scoring: Scoring) -> Iterator[tuple[str, str | None, str | None]]:
    for department in departments.values():
        yield department.rubric, department.criteria_tab, department.instructions_tab
    if scoring.chats.enabled:
        yield scoring.chats.rubric, scoring.chats.criteria_tab, scoring.chats.instructions_tab
