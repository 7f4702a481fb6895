"""What a tab of ours is made of, and how a value becomes a cell of a spreadsheet.

Here: the shape of a tab, the limits of a cell and of a spreadsheet, the rules that turn values into cells. Not here:
requests (``packing``, ``layout``, ``publish``) and what is in the tabs (the caller).

Rules, each for a limit or a trap of Google Sheets (contract, section 11):

- a text is written as it is, never parsed: ``=1+1``, ``+7701...`` and ``1-2`` stay the text they are;
- ``None`` and NaN are an empty cell, written as ``""``: a null would leave in the cell what stood there;
- a text over 50,000 characters is cut at 49,000 and says so; characters are counted as UTF-16 counts them;
- a whole number of more than 15 digits is written as text: a spreadsheet would round it, and a rounded id is wrong;
- dates and moments are serial numbers since 1899-12-30; a moment carries no zone, the caller gives the local time;
- a spreadsheet holds 10 million cells, empty ones included. A publication needs its tabs twice for a moment, so all its
  tabs together have at most 5 million. More is refused before anything is asked; which rows stay the caller decides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from numbers import Integral, Real

from conversations.messages.cells import CUT
from resources.sheets.look import Look, problems

Cell = str | int | float | bool | Decimal | date | datetime | None
Written = str | int | float | bool
"""A cell as it goes over the wire."""

LONGEST_TEXT = 50_000
CUT_AT = 49_000
MOST_CELLS = 10_000_000
MOST_COLUMNS = 18_278
LONGEST_TITLE = 100
_EXACT = 10**15
_EPOCH = date(1899, 12, 30)
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What no JSON in UTF-8 can carry or no spreadsheet keeps; shown as the replacement character."""


class InvalidTab(ValueError):
    """A tab that cannot be a sheet; says which tab, row and column, never what stands in the cell."""


class Kind(StrEnum):
    """What a column holds; decides how numbers are shown, never whether a text is one."""

    TEXT = "text"
    """Every value becomes a text: ids, phones, names."""
    INTEGER = "integer"
    DECIMAL = "decimal"
    PERCENT = "percent"
    """A share: 0.25 is shown as 25 %."""
    DATE = "date"
    DATETIME = "datetime"


@dataclass(frozen=True)
class Column:
    """One column: its heading, what it holds, and its width in pixels when the tab is made (``None``: by its kind)."""

    name: str
    kind: Kind = Kind.TEXT
    width: int | None = None


@dataclass(frozen=True)
class Tab:
    """One tab: a heading row and its rows below. A row shorter than the columns ends with empty cells."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    look: Look | None = None
    """``None``: plain, as a tab without a look always was; what an earlier look made then goes away."""
    name: str | None = None
    """What the tab is called in the spreadsheet, if not by its title; the title stays what it is known by. Of a tab
    with a look: what it was called last is remembered with its colours."""

    @property
    def called(self) -> str:
        """The name of a new tab, and of one that still has the name that we gave it last."""
        return self.name or self.title

    @property
    def above(self) -> int:
        """Rows of ours above the heading."""
        return self.look.above if self.look else 0


def check_size(tabs: Sequence[Tab]) -> None:
    """Refuse tabs that do not fit together into one spreadsheet.

    Raises:
        InvalidTab: too many cells, or one title twice.
    """
    if len({tab.called.casefold() for tab in tabs}) < len(tabs):
        raise InvalidTab("two tabs have the same title")
    cells = sum((len(tab.rows) + 1 + tab.above) * len(tab.columns) for tab in tabs)
    if 2 * cells > MOST_CELLS:
        raise InvalidTab(
            f"the tabs have {cells:,} cells, and a publication needs them twice: a spreadsheet holds {MOST_CELLS:,}"
        )


def checked(tab: Tab) -> None:
    """Refuse a tab that no spreadsheet can hold.

    Raises:
        InvalidTab: title, number of columns, a heading that is empty or there twice, or a look that does not fit.
    """
    names = [column.name for column in tab.columns]
    if any(
        not name.strip() or len(name) > LONGEST_TITLE or _UNSTORABLE.search(name) for name in (tab.title, tab.called)
    ):
        raise InvalidTab(f"a tab needs a title of at most {LONGEST_TITLE} characters")
    if not 1 <= len(names) <= MOST_COLUMNS:
        raise InvalidTab(f"{tab.title}: a tab has 1 to {MOST_COLUMNS} columns, not {len(names)}")
    if len(set(names)) < len(names) or not all(name.strip() for name in names):
        raise InvalidTab(f"{tab.title}: every column needs a heading of its own")
    if tab.look is not None:
        texts = {column.name for column in tab.columns if column.kind is Kind.TEXT}
        for wrong in problems(tab.look, names, set(names) - texts, texts):
            raise InvalidTab(f"{tab.title}: {wrong}")


def row_of(tab: Tab, number: int) -> list[Written]:
    """The cells of row ``number`` (0 is the first below the heading), as many as there are columns.

    Raises:
        InvalidTab: more cells than columns, or a value that is no cell.
    """
    row = tab.rows[number]
    if len(row) > len(tab.columns):
        raise InvalidTab(f"{tab.title}: row {number + 1} has {len(row)} cells for {len(tab.columns)} columns")
    cells: list[Written] = []
    for column, value in zip(tab.columns, row, strict=False):
        try:
            cells.append(written(value, column.kind))
        except ValueError as wrong:
            raise InvalidTab(f"{tab.title}: row {number + 1}, column {column.name}: {wrong}") from None
    cells.extend([""] * (len(tab.columns) - len(cells)))
    return cells


def written(value: Cell, kind: Kind) -> Written:
    """The cell for one value.

    Raises:
        ValueError: infinity, a moment with a zone, or a type that is no cell.

    >>> written("=1+1", Kind.TEXT), written(None, Kind.INTEGER), written(3000000000817031942, Kind.INTEGER)
    ('=1+1', '', '3000000000817031942')
    >>> written(date(2026, 3, 9), Kind.DATE), written(datetime(2026, 3, 9, 18), Kind.DATETIME)
    (46090, 46090.75)
    """
    if type(value) is str:
        return text_of(value)
    if value is None or _is_missing(value):
        return ""
    if isinstance(value, str):
        return text_of(str(value))
    if isinstance(value, date):
        moment = serial(value)
        return value.isoformat() if kind is Kind.TEXT else moment
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return str(bool(value)) if kind is Kind.TEXT else bool(value)
    if isinstance(value, Integral):
        whole = int(value)
        return str(whole) if kind is Kind.TEXT or abs(whole) >= _EXACT else whole
    if isinstance(value, Real | Decimal):
        broken = float(value)
        if math.isinf(broken):
            raise ValueError("infinity is no cell")
        if kind is Kind.TEXT:
            return str(value)
        # a spreadsheet keeps 15 digits; -0.0 and 7.0 come back as 0 and 7
        broken = float(f"{broken:.15g}")
        return int(broken) if broken.is_integer() and abs(broken) < _EXACT else broken
    raise ValueError(f"a value of type {type(value).__name__} is no cell")


def text_of(text: str) -> str:
    """The text as a cell keeps it.

    >>> len(text_of("я" * 60_000)) - len(CUT)
    49000
    """
    if len(text) > LONGEST_TEXT // 2:
        units = text.encode("utf-16-le", "surrogatepass")
        if len(units) > 2 * LONGEST_TEXT:
            text = units[: 2 * CUT_AT].decode("utf-16-le", "ignore") + CUT
    return _UNSTORABLE.sub("\ufffd", text)


def serial(moment: date) -> int | float:
    """Days since 1899-12-30, as the spreadsheet counts; the time of day is the fraction.

    Raises:
        ValueError: a moment with a zone: a spreadsheet has none to keep.
    """
    if not isinstance(moment, datetime):
        return (moment - _EPOCH).days
    if moment.tzinfo is not None:
        raise ValueError("a moment in a sheet is local time without a zone")
    days = moment - datetime(_EPOCH.year, _EPOCH.month, _EPOCH.day)
    # six digits, rounded up, are less than a tenth of a second too much: the minute that is shown is the right one
    return round(days.days + math.ceil(days.seconds * 1_000_000 / 86_400) / 1_000_000, 6) if days.seconds else days.days


def _is_missing(value: object) -> bool:
    # NaN and pandas' NaT are the values that are not equal to themselves
    return bool(value != value)
