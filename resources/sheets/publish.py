"""One publication: every changed tab is shown whole and new, or all of them stay as they were (D9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resources.sheets.cells import Tab

if TYPE_CHECKING:
    from resources.clients.sheets import SheetsClient


@dataclass(frozen=True)
class TabResult:
    """What one tab holds now."""

    content_hash: str
    """Of headings, kinds and cells; keep it and give it as ``previous`` the next time."""
    rows: int
    """Below the heading."""
    changed: bool


@dataclass(frozen=True)
class Published:
    """What one publication did."""

    calls: int
    """Requests to the Sheets API, repeated ones included; the sign-in goes to another address and is not among them."""
    tabs: Mapping[str, TabResult]


def publish(
    client: SheetsClient, spreadsheet_id: str, tabs: Sequence[Tab], previous: Mapping[str, str]
) -> Published:
    """Show the tabs whose content is not what ``previous`` says (tab -> hash) in the spreadsheet, all at once.

    Raises:
        InvalidTab: a tab that cannot be a sheet, or too many cells; nothing was asked.
        SourceError: nothing that people see has changed, unless it is ``UnknownOutcome``.
    """
    raise RuntimeError("not connected yet")
