"""Named ranges: made, changed, removed, and moved by what happens to the rows, columns and tabs that they name.

Here: names of a spreadsheet and their ranges, and how every kind of range moves. Not here: what a name means in a
formula or in A1 notation.
"""

from __future__ import annotations

import random
import re
from typing import Any

from tests.emulators.sheets_cells import fields
from tests.emulators.sheets_charts import shifted_charts
from tests.emulators.sheets_grid import Spreadsheet, from_grid_range
from tests.emulators.sheets_references import resize
from tests.emulators.sheets_rules import shifted_formulas
from tests.emulators.sheets_schema import Refused, merged

Given = dict[str, Any]


def _check(book: Spreadsheet, named: Given, where: str) -> None:
    from_grid_range(book, named.get("range", {}), where)
    name = named.get("name", "")
    # letters, digits, underscores; nothing that reads as a cell, a number or a truth value
    reserved = re.fullmatch(r"[A-Za-z]{1,3}[0-9]+|[rR][0-9]*([cC][0-9]*)?|[cC][0-9]*|true|false", name, re.IGNORECASE)
    if not re.fullmatch(r"[^\W\d]\w{0,249}", name) or reserved:
        raise Refused(400, f"{where}The name of the named range is invalid: {name!r}")
    others = (one for one in book.named.values() if one["namedRangeId"] != named["namedRangeId"])
    if any(one["name"].casefold() == name.casefold() for one in others):
        raise Refused(400, f"{where}A named range with the name {name!r} already exists.")


def _found(book: Spreadsheet, range_id: str, where: str) -> Given:
    for named in book.named.values():
        if named["namedRangeId"] == range_id:
            return named
    raise Refused(400, f"{where}No named range with id: {range_id}")


def add_named_range(book: Spreadsheet, given: Given, where: str) -> Given:
    named = {"namedRangeId": f"{random.randrange(2**40)}", **given.get("namedRange", {})}
    _check(book, named, where)
    if any(one["namedRangeId"] == named["namedRangeId"] for one in book.named.values()):
        raise Refused(400, f"{where}A named range with the id {named['namedRangeId']} already exists.")
    book.named[named["name"]] = named
    return {"addNamedRange": {"namedRange": named}}


def update_named_range(book: Spreadsheet, given: Given, where: str) -> None:
    wanted = fields(given, "NamedRange", where)
    new = given.get("namedRange", {})
    old = _found(book, new.get("namedRangeId", ""), where)
    named = {**merged(old, new, wanted), "namedRangeId": old["namedRangeId"]}
    _check(book, named, where)
    del book.named[old["name"]]
    book.named[named["name"]] = named


def delete_named_range(book: Spreadsheet, given: Given, where: str) -> None:
    del book.named[_found(book, given.get("namedRangeId", ""), where)["name"]]


def without_sheet(book: Spreadsheet, sheet_id: int) -> None:
    """A deleted tab takes its names with it."""
    book.named = {name: one for name, one in book.named.items() if one.get("range", {}).get("sheetId", 0) != sheet_id}


def shifted(book: Spreadsheet, sheet_id: int, is_rows: bool, start: int, end: int, by: int) -> None:
    """Rows or columns ``[start, end)`` came (``by`` > 0) or went: ranges grow, shrink, move; an empty one is gone.

    Names stay without a range; protections, merges, filters and rules of a tab go with their last cell.
    """

    def new(found: Given) -> Given | None:
        return _shifted(found, is_rows, start, end, by)

    for name, named in list(book.named.items()):
        found = named.get("range")
        if found is not None and found.get("sheetId", 0) == sheet_id:
            place = new(found)
            rest = {part: value for part, value in named.items() if part != "range"}
            book.named[name] = rest if place is None else {**rest, "range": place}
    parts = next(sheet for sheet in book.sheets if sheet.sheet_id == sheet_id).parts
    for name in ("protectedRanges", "bandedRanges"):
        kept = [(one, new(one["range"])) for one in parts.get(name, [])]
        parts[name] = [{**one, "range": place} for one, place in kept if place is not None]
    parts["merges"] = [place for one in parts.get("merges", []) if (place := new(one)) is not None]
    title = next(sheet.title for sheet in book.sheets if sheet.sheet_id == sheet_id)
    there = resize(title, title, is_rows, start, end, by)
    rules = [
        (one, [place for part in one["ranges"] if (place := new(part))])
        for one in shifted_formulas(parts.get("conditionalFormats", []), there)
    ]
    parts["conditionalFormats"] = [{**one, "ranges": places} for one, places in rules if places]
    shifted_charts(book, sheet_id, is_rows, new, lambda edge: _moved(edge, start, end, by, after=True))
    chosen = parts.get("basicFilter")
    place = new(chosen["range"]) if chosen and "range" in chosen else None
    if place is not None:
        parts["basicFilter"] = {**chosen, "range": place}


def _shifted(found: Given, is_rows: bool, start: int, end: int, by: int) -> Given | None:
    first, last = ("startRowIndex", "endRowIndex") if is_rows else ("startColumnIndex", "endColumnIndex")
    moved = dict(found)
    if first in found:
        moved[first] = _moved(found[first], start, end, by, after=True)
    if last in found:
        moved[last] = _moved(found[last], start, end, by, after=False)
        if moved[last] <= moved.get(first, 0):
            return None
    return moved


def _moved(edge: int, start: int, end: int, by: int, after: bool) -> int:
    if by < 0:
        return edge - max(0, min(edge, end) - start)
    # what is inserted at the first row pushes the range, at its end it does not widen it
    return edge + by if edge > start or (after and edge == start) else edge
