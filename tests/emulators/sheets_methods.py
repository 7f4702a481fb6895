"""The methods of the Sheets API: which address is which method, and what each does with a spreadsheet.

Here: routes, the list of methods, the words of errors by status. Not here: who may call (``sheets``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from tests.emulators import sheets_batch, sheets_values
from tests.emulators.sheets_grid import Spreadsheet
from tests.emulators.sheets_marks import matching
from tests.emulators.sheets_reading import whole
from tests.emulators.sheets_schema import Refused

ROOT = "/v4/spreadsheets"
READS = {"get", "values.get", "values.batchGet", "developerMetadata.get", "developerMetadata.search"}

ERRORS = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    403: ("PERMISSION_DENIED", "The caller does not have permission"),
    404: ("NOT_FOUND", "Requested entity was not found."),
    409: ("ABORTED", "The operation was aborted."),
    429: ("RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Write requests'."),
    500: ("INTERNAL", "Internal error encountered."),
    502: ("UNAVAILABLE", "Bad gateway."),
    503: ("UNAVAILABLE", "The service is currently unavailable."),
    504: ("DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
}

Act = Callable[[Spreadsheet, list[str], dict[str, Any], dict[str, Any]], Any]


def _batch_get(book: Spreadsheet, parts: list[str], given: dict[str, Any], options: dict[str, Any]) -> Any:
    ranges = [sheets_values.read(book, text, options) for text in options.get("ranges", [])]
    return {"spreadsheetId": book.id, **({"valueRanges": ranges} if ranges else {})}


def _batch_clear(book: Spreadsheet, parts: list[str], given: dict[str, Any], options: dict[str, Any]) -> Any:
    return {
        "spreadsheetId": book.id,
        "clearedRanges": [sheets_values.clear(book, one) for one in given.get("ranges", [])],
    }


def _metadata(book: Spreadsheet, parts: list[str], given: dict[str, Any], options: dict[str, Any]) -> Any:
    found = book.metadata.get(int(parts[0])) if parts[0].isdigit() else None
    if found is None:
        raise Refused(404, "Requested entity was not found.", "NOT_FOUND")
    return found


def _metadata_search(book: Spreadsheet, parts: list[str], given: dict[str, Any], options: dict[str, Any]) -> Any:
    found = matching(book, given.get("dataFilters", []))
    return {"matchedDeveloperMetadata": [{"developerMetadata": one} for one in found]} if found else {}


ACTS: dict[str, Act] = {
    "get": lambda book, parts, given, options: whole(book, options, ""),
    "batchUpdate": lambda book, parts, given, options: sheets_batch.batch_update(book, given),
    "values.get": lambda book, parts, given, options: sheets_values.read(book, parts[0], options),
    "values.update": lambda book, parts, given, options: sheets_values.update(book, parts[0], given, options),
    "values.append": lambda book, parts, given, options: sheets_values.append(book, parts[0], given, options),
    "values.clear": lambda book, parts, given, options: {
        "spreadsheetId": book.id,
        "clearedRange": sheets_values.clear(book, parts[0]),
    },
    "values.batchGet": _batch_get,
    "values.batchUpdate": lambda book, parts, given, options: sheets_values.batch_update(book, given),
    "values.batchClear": _batch_clear,
    "developerMetadata.get": _metadata,
    "developerMetadata.search": _metadata_search,
}


def route(verb: str, path: str) -> tuple[str, list[str]]:
    """Method and the parts of the path: spreadsheet, then range or metadata id."""
    if not path.startswith(ROOT):
        raise Refused(404, "Requested entity was not found.", "NOT_FOUND")
    rest = path[len(ROOT) :].strip("/")
    if not rest:
        return _known("create" if verb == "POST" else ""), []
    first, slash, inner = rest.partition("/")
    if not slash:
        book, _, action = first.partition(":")
        return _known({("GET", ""): "get", ("POST", "batchUpdate"): "batchUpdate"}.get((verb, action), "")), [
            unquote(book)
        ]
    kind, _, last = inner.partition("/")
    if kind == "developerMetadata:search" and verb == "POST":
        return "developerMetadata.search", [unquote(first)]
    if kind == "developerMetadata" and verb == "GET":
        return "developerMetadata.get", [unquote(first), unquote(last)]
    if kind.startswith("values:"):
        action = kind.removeprefix("values:")
        reading = action == "batchGet"
        good = action in ("batchGet", "batchUpdate", "batchClear") and verb == ("GET" if reading else "POST")
        return _known(f"values.{action}" if good else ""), [unquote(first)]
    if kind != "values" or not last:
        return _known(""), []
    for action in ("append", "clear"):
        if verb == "POST" and last.endswith(f":{action}"):
            return f"values.{action}", [unquote(first), unquote(last.removesuffix(f":{action}"))]
    return _known({"GET": "values.get", "PUT": "values.update"}.get(verb, "")), [unquote(first), unquote(last)]


def _known(name: str) -> str:
    if not name:
        raise Refused(404, "Requested entity was not found.", "NOT_FOUND")
    return name
