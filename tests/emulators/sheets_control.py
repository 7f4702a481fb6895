"""What the emulated Sheets have under ``/_emulator/`` of their own, for people and for tests in other processes:

    GET  /_emulator/sheets                  the spreadsheets: id, title, tabs
    GET  /_emulator/sheets/<id>             a spreadsheet as a page; ``?gid=`` another tab, ``?rows=`` more of it,
                                            ``?as=json`` the visible tabs with their values
    POST /_emulator/edit                    {"range": "'Заметки'!A1", "values": [["=1+1"]]}, as typed by a person
    POST /_emulator/requests                {"requests": [...]}: batchUpdate as a person
    POST /_emulator/share                   {"role": "writer" | "reader" | null}
    POST /_emulator/expire                  every access token is worthless from now on
    GET  /_emulator/formulas                every formula by tab

Each takes ``spreadsheet`` (an id) beside these; without it the first document is meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.emulators import sheets_page
from tests.emulators.server import Answer
from tests.emulators.sheets_grid import Formula, Spreadsheet, quoted
from tests.emulators.sheets_schema import Refused

if TYPE_CHECKING:
    from tests.emulators.sheets import SheetsEmulator


def control(emulator: SheetsEmulator, verb: str, path: str, params: dict[str, str], payload: dict[str, Any]) -> Any:
    """See the module's text.

    Raises:
        KeyError: no such endpoint or spreadsheet.
        ValueError: refused, in the API's words.
    """
    book_id = payload.get("spreadsheet") or params.get("spreadsheet") or emulator.spreadsheet_id
    try:
        if path == "sheets":
            return [
                {"id": book.id, "title": book.title, "tabs": [sheet.title for sheet in book.sheets]}
                for book in emulator.books.values()
            ]
        if path.startswith("sheets/"):
            found = emulator.books[path.removeprefix("sheets/")]
            if params.get("as") != "json":
                with emulator.lock:
                    gid = int(params["gid"]) if "gid" in params else None
                    shown = sheets_page.page(found, gid, int(params.get("rows", sheets_page.SHOWN_ROWS)))
                return Answer(200, shown, content_type="text/html")
            titles = [sheet.title for sheet in found.sheets if not sheet.hidden]
            return {title: emulator.values(quoted(title), spreadsheet_id=found.id) for title in titles}
        if path == "formulas":
            return emulator.formulas(book_id)
        if verb != "POST":
            raise KeyError(f"no control endpoint {path!r}")
        if path == "edit":
            emulator.edit(payload["range"], payload["values"], book_id)
        elif path == "requests":
            return {"replies": emulator.requests(payload["requests"], book_id)}
        elif path == "share":
            emulator.share(payload["role"], book_id)
        elif path == "expire":
            emulator.auth.expire()
        else:
            raise KeyError(f"no control endpoint {path!r}")
    except Refused as refused:
        raise ValueError(refused.message) from None
    return {"ok": True}


def formulas(book: Spreadsheet) -> dict[str, list[str]]:
    """Every formula by tab, row by row."""
    found = {}
    for sheet in book.sheets:
        texts = [cell.text for row in sheet.rows for cell in row if isinstance(cell, Formula)]
        if texts:
            found[sheet.title] = texts
    return found
