"""Requests of ``batchUpdate`` about the spreadsheet itself and what is laid over its cells.

Here: title and locale, developer metadata, protected ranges, filters, merges. They are kept and given back;
only developer metadata has an effect. Not here: tabs (``sheets_batch``), named ranges (``sheets_names``).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tests.emulators.sheets_cells import fields
from tests.emulators.sheets_grid import Spreadsheet, from_grid_range
from tests.emulators.sheets_schema import Refused, merged

Given = dict[str, Any]


def update_spreadsheet_properties(book: Spreadsheet, given: Given, where: str) -> None:
    wanted, properties = fields(given, "SpreadsheetProperties", where), given.get("properties", {})
    for name, attribute in (("title", "title"), ("locale", "locale"), ("timeZone", "time_zone")):
        if name in wanted or "*" in wanted:
            if not properties.get(name):
                raise Refused(400, f"{where}{name} cannot be empty")
            setattr(book, attribute, properties[name])


def metadata_sheet(one: Given) -> int | None:
    location = one.get("location", {})
    found: int | None = location.get("sheetId", location.get("dimensionRange", {}).get("sheetId"))
    return found


def create_developer_metadata(book: Spreadsheet, given: Given, where: str) -> Given:
    one = dict(given.get("developerMetadata", {}))
    if not one.get("metadataKey"):
        raise Refused(400, f"{where}metadataKey is required")
    if one.get("visibility") not in ("DOCUMENT", "PROJECT"):
        raise Refused(400, f"{where}visibility is required")
    location = one.get("location", {})
    if not location:
        raise Refused(400, f"{where}location is required")
    sheet_id = metadata_sheet(one)
    if sheet_id is not None:
        book.sheet(sheet_id, where)
    number = one.get("metadataId") or random.randrange(1, 2**31)
    if number in book.metadata:
        raise Refused(400, f"{where}Metadata ID {number} is already in use.")
    kind = "SPREADSHEET" if location.get("spreadsheet") else "SHEET" if "sheetId" in location else "ROW"
    if kind == "ROW" and location.get("dimensionRange", {}).get("dimension") == "COLUMNS":
        kind = "COLUMN"
    book.metadata[number] = {**one, "metadataId": number, "location": {**location, "locationType": kind}}
    return {"createDeveloperMetadata": {"developerMetadata": book.metadata[number]}}


def matching(book: Spreadsheet, filters: list[Given]) -> list[Given]:
    """The developer metadata that one of the filters finds."""
    found = {}
    for one in filters:
        lookup = one.get("developerMetadataLookup")
        if lookup is None:
            raise Refused(400, "this emulator looks developer metadata up by developerMetadataLookup only")
        names = ("metadataId", "metadataKey", "metadataValue", "visibility")
        for number, entry in book.metadata.items():
            if all(entry.get(name) == lookup[name] for name in names if name in lookup):
                found[number] = entry
    return list(found.values())


def delete_developer_metadata(book: Spreadsheet, given: Given, where: str) -> Given:
    found = matching(book, [given.get("dataFilter", {})])
    for entry in found:
        del book.metadata[entry["metadataId"]]
    return {"deleteDeveloperMetadata": {"deletedDeveloperMetadata": found}}


def update_developer_metadata(book: Spreadsheet, given: Given, where: str) -> Given:
    wanted = fields(given, "DeveloperMetadata", where)
    found = matching(book, given.get("dataFilters", []))
    for entry in found:
        new = merged(entry, given.get("developerMetadata", {}), wanted)
        book.metadata[entry["metadataId"]] = {**new, "metadataId": entry["metadataId"]}
    updated = [book.metadata[entry["metadataId"]] for entry in found]
    return {"updateDeveloperMetadata": {"developerMetadata": updated}}


def laid_over(name: str, field: str) -> Callable[[Spreadsheet, Given, str], Given]:
    """A handler that keeps what is laid over a range of a tab, as given and with an id."""
    number = {"protectedRange": "protectedRangeId", "bandedRange": "bandedRangeId"}[field]

    def handler(book: Spreadsheet, given: Given, where: str) -> Given:
        thing = {number: random.randrange(1, 2**31), **given.get(field, {}), "_by": book.actor}
        sheet = from_grid_range(book, thing.get("range", {}), where).sheet
        sheet.parts[name] = [*sheet.parts.get(name, []), thing]
        shown = {key: value for key, value in thing.items() if key != "_by"}
        return {f"add{field[0].upper()}{field[1:]}".replace("BandedRange", "Banding"): {field: shown}}

    return handler


def merge_cells(book: Spreadsheet, given: Given, where: str) -> None:
    sheet = from_grid_range(book, given.get("range", {}), where).sheet
    sheet.parts["merges"] = [*sheet.parts.get("merges", []), given["range"]]


def add_conditional_format_rule(book: Spreadsheet, given: Given, where: str) -> None:
    rule = given.get("rule", {})
    areas = [from_grid_range(book, one, where) for one in rule.get("ranges", [])]
    if not areas or any(one.sheet is not areas[0].sheet for one in areas):
        raise Refused(400, f"{where}The ranges of a rule must be on one sheet.")
    if ("booleanRule" in rule) == ("gradientRule" in rule):
        raise Refused(400, f"{where}Exactly one kind of rule is required.")
    rules = list(areas[0].sheet.parts.get("conditionalFormats", []))
    rules.insert(given.get("index", 0), rule)
    areas[0].sheet.parts["conditionalFormats"] = rules


def set_basic_filter(book: Spreadsheet, given: Given, where: str) -> None:
    chosen = given.get("filter", {})
    from_grid_range(book, chosen.get("range", {}), where).sheet.parts["basicFilter"] = chosen


def clear_basic_filter(book: Spreadsheet, given: Given, where: str) -> None:
    book.sheet(given.get("sheetId", 0), where).parts.pop("basicFilter", None)
