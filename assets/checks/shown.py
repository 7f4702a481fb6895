"""What the checks of the tabs look at, and what such a check is.

Not here: the checks themselves (``exports``, ``exports_weekly``).
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from assets.checks.rules import Counted, Rule
from assets.exports.frames import README
from assets.exports.made import Sheet
from assets.exports.snapshot import Snapshot
from assets.exports.status import Known
from conversations.policy_exports import Texts


@dataclass(frozen=True)
class Shown:
    """What is about to be shown."""

    snapshot: Snapshot
    sheets: Mapping[str, Sheet]
    known: Mapping[str, Sequence[Known]]
    texts: Texts


@dataclass(frozen=True)
class TabRule:
    """One check of a tab: how many rows contradict it, none at best."""

    tab: str
    rule: Rule
    count: Callable[[Shown], int]

    @property
    def key(self) -> dg.AssetKey:
        """The asset."""
        return asset_of(self.tab)

    @property
    def counted(self) -> Counted:
        """The rule as the judge knows rules; the count comes from a frame and not from a statement."""
        return Counted(tuple(self.key.path), "", (self.rule,), is_dated=False)  # type: ignore[arg-type]


def asset_of(tab: str) -> dg.AssetKey:
    """The asset of a tab; names of assets have no Russian letters and no spaces."""
    return dg.AssetKey(["exports", f"google_sheets__{'read_me' if tab == README else tab}"])
