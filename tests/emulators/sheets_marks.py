"""Requests of ``batchUpdate`` about the spreadsheet itself and what is laid over its cells.

Here: title and locale, developer metadata, protected ranges, filters, merges. They are kept and given back;
only protection has an effect. Not here: tabs (``sheets_batch``), named ranges (``sheets_names``), colours by value
(``sheets_rules``), charts (``sheets_charts``).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tests.emulators.sheets_cells import fields
from tests.emulators.sheets_grid import Sheet, Spreadsheet, from_grid_range
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
        if thing.get("warningOnly"):
            # who warns does not forbid: editors are left out
            thing.pop("editors", None)
        sheet = from_grid_range(book, thing.get("range", {}), where).sheet
        if any(one[number] == thing[number] for other in book.sheets for one in other.parts.get(name, [])):
            raise Refused(400, f"{where}A range with the id {thing[number]} already exists.")
        sheet.parts[name] = [*sheet.parts.get(name, []), thing]
        shown = {key: value for key, value in thing.items() if key != "_by"}
        return {f"add{field[0].upper()}{field[1:]}".replace("BandedRange", "Banding"): {field: shown}}

    return handler


def merge_cells(book: Spreadsheet, given: Given, where: str) -> None:
    sheet = from_grid_range(book, given.get("range", {}), where).sheet
    sheet.parts["merges"] = [*sheet.parts.get("merges", []), given["range"]]


def update_protected_range(book: Spreadsheet, given: Given, where: str) -> None:
    wanted = fields(given, "ProtectedRange", where)
    new = given.get("protectedRange", {})
    sheet, old = _protected(book, new.get("protectedRangeId", 0), where)
    thing = {**merged(old, new, wanted), "protectedRangeId": old["protectedRangeId"], "_by": old["_by"]}
    if from_grid_range(book, thing.get("range", {}), where).sheet is not sheet:
        raise Refused(400, f"{where}A protected range cannot be moved to another sheet.")
    sheet.parts["protectedRanges"] = [thing if one is old else one for one in sheet.parts["protectedRanges"]]


def delete_protected_range(book: Spreadsheet, given: Given, where: str) -> None:
    sheet, old = _protected(book, given.get("protectedRangeId", 0), where)
    sheet.parts["protectedRanges"] = [one for one in sheet.parts["protectedRanges"] if one is not old]


def _protected(book: Spreadsheet, number: int, where: str) -> tuple[Sheet, Given]:
    for sheet in book.sheets:
        for one in sheet.parts.get("protectedRanges", []):
            if one["protectedRangeId"] == number:
                return sheet, one
    raise Refused(400, f"{where}No protected range with id: {number}")


def set_basic_filter(book: Spreadsheet, given: Given, where: str) -> None:
    chosen = given.get("filter", {})
    from_grid_range(book, chosen.get("range", {}), where).sheet.parts["basicFilter"] = chosen


def clear_basic_filter(book: Spreadsheet, given: Given, where: str) -> None:
    book.sheet(given.get("sheetId", 0), where).parts.pop("basicFilter", None)
