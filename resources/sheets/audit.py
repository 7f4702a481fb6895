"""What our tabs of a spreadsheet hold now, as facts without a word of what is written there.

Here: reading the structure, the headings, and counts of cells: filled, formulas, errors, contacts. Not here: what
should be there and what is wrong with it (``orchestration.cli.audit_sheet``). Three calls, whatever the number of tabs;
only our ranges are read, of people's own tabs nothing but their number is known. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conversations.redact import mask
from resources.clients.sheets import Book, NamedRange, Sheet, SheetsClient
from resources.sheets.layout import leftovers, shown_at
from resources.sheets.memory import Memory
from resources.sheets.packing import a1


@dataclass(frozen=True)
class TabFacts:
    """One tab of ours."""

    title: str
    """As we call it; people may have renamed the tab."""
    headings: tuple[str, ...]
    rows: int
    """Rows of our range below the heading that hold something."""
    columns: int
    """Columns of our range."""
    filled_cells: int
    """Below the heading."""
    formula_cells: int
    error_cells: int
    contact_cells: int
    """Texts with a phone, an e-mail or a card number that can be read as one."""
    frozen_rows: int
    is_hidden: bool
    is_protected: bool
    charts: int
    colour_rules: int


@dataclass(frozen=True)
class BookFacts:
    """A spreadsheet, as far as it is ours."""

    tabs: Mapping[str, TabFacts]
    """Our tabs that are there, by title."""
    taken_titles: tuple[str, ...]
    """Titles of ours that a tab has which does not hold our range: people's, and a publication would be refused."""
    other_tabs: int
    """Tabs of people."""
    staging_tabs: int
    """Hidden tabs of a publication that did not end."""
    cells: int
    """Of all grids."""


def facts(client: SheetsClient, spreadsheet_id: str, titles: Sequence[str]) -> BookFacts:
    """Look at the tabs of these titles.

    Raises:
        SourceError: the spreadsheet cannot be read.
    """
    book = client.book(spreadsheet_id)
    places = {title: place for title in titles if (place := shown_at(book, title)) is not None}
    ranges = [_a1(*place) for place in places.values()]
    values = client.read(spreadsheet_id, ranges) if ranges else []
    marks = client.marked_cells(spreadsheet_id, ranges) if ranges else {}
    ours = {sheet.sheet_id for sheet, _ in places.values()}
    staging = leftovers(book)
    known = {title.casefold() for title in titles if title not in places}
    others = [sheet for sheet in book.sheets if sheet.sheet_id not in ours and sheet not in staging]
    return BookFacts(
        tabs={
            title: _tab(title, book, place, found, marks.get(place[0].sheet_id, (0, 0)))
            for (title, place), found in zip(places.items(), values, strict=True)
        },
        taken_titles=tuple(sheet.title for sheet in others if sheet.title.casefold() in known),
        other_tabs=len(others),
        staging_tabs=len(staging),
        cells=sum(sheet.rows * sheet.columns for sheet in book.sheets),
    )


def _tab(
    title: str, book: Book, place: tuple[Sheet, NamedRange], values: Sequence[Sequence[Any]], marks: tuple[int, int]
) -> TabFacts:
    sheet, named = place
    above = Memory.of(sheet).above
    heading, rows = (values[above] if len(values) > above else []), values[above + 1 :]
    filled = [[cell for cell in row if cell not in ("", None)] for row in rows]
    return TabFacts(
        title=title,
        headings=tuple(str(cell) for cell in heading),
        rows=sum(bool(row) for row in filled),
        columns=(sheet.columns if named.right is None else named.right) - named.left,
        filled_cells=sum(map(len, filled)),
        formula_cells=marks[0],
        error_cells=marks[1],
        contact_cells=sum(isinstance(cell, str) and mask(cell) != cell for row in filled for cell in row),
        frozen_rows=sheet.frozen_rows,
        is_hidden=sheet.hidden,
        is_protected=bool(sheet.protected),
        charts=len(sheet.charts),
        colour_rules=len(sheet.rules),
    )


def _a1(sheet: Sheet, named: NamedRange) -> str:
    bottom = sheet.rows if named.bottom is None else named.bottom
    right = sheet.columns if named.right is None else named.right
    return a1(sheet.title, named.top, named.left, bottom - named.top, right - named.left)
