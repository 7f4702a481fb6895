"""How a check is written down: a statement that counts, and the most or least that may be found.

Here: the shapes. Not here: any check (``raw``, ``core``, ``evaluated``), how they are judged (``judge``).
"""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg


@dataclass(frozen=True)
class Rule:
    """One check: a number of the statement and its bounds, both included."""

    name: str
    """What is true when it passes; also the column of the statement."""
    description: str
    at_most: float | None = 0
    at_least: float | None = None


@dataclass(frozen=True)
class Counted:
    """The checks of one table and the one statement that they are judged by.

    The statement answers with a column per rule and, unless ``is_dated`` is false, with ``day`` first. Days without an
    answer count as untouched. Parameters: ``first``, ``last`` (days), ``start``, ``end`` (instants), ``zone``.
    """

    table: tuple[str, str]
    statement: str
    rules: tuple[Rule, ...]
    is_dated: bool = True

    @property
    def key(self) -> dg.AssetKey:
        """The asset."""
        return dg.AssetKey(list(self.table))

    def column(self, rule: Rule) -> str:
        """The name of the rule's column in the frame of its layer."""
        return f"{'.'.join(self.table)}.{rule.name}"
