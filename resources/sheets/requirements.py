"""Tabs of the spreadsheet in which people keep what talk is judged by, read as they stand.

Here: two requests, whatever the number of tabs. Not here: what a tab says (``conversations.scoring``), which account
reads (``resources.requirements``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from resources.clients.sheets import SheetsClient

Rows: TypeAlias = list[list[Any]]
MOST_CELLS = 200_000
"""Of a tab's grid; a checklist has hundreds. A new tab has 26,000 empty ones."""


def read_tabs(client: SheetsClient, spreadsheet_id: str, titles: Sequence[str]) -> dict[str, Rows | str]:
    """The values of each tab, unformatted and ragged; a code where it cannot be read: ``no_tab``, ``too_large``.

    Raises:
        SourceError: the spreadsheet cannot be read.
    """
    sheets = {sheet.title: sheet for sheet in client.book(spreadsheet_id).sheets}
    found: dict[str, Rows | str] = {}
    for title in titles:
        sheet = sheets.get(title)
        if sheet is None:
            found[title] = "no_tab"
        elif sheet.rows * sheet.columns > MOST_CELLS:
            found[title] = "too_large"
    readable = [title for title in dict.fromkeys(titles) if title not in found]
    if readable:
        values = client.read(spreadsheet_id, [_quoted(title) for title in readable])
        found.update(zip(readable, values, strict=True))
    return found


def _quoted(title: str) -> str:
    """The whole tab in A1 notation."""
    return "'{}'".format(title.replace("'", "''"))
