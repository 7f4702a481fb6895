"""Google Sheets API v4 as one service account: the structure of a spreadsheet, its values, and changes of both.

Here: the calls, what the vendor's refusals mean, the quota. Not here: pauses and repetitions (``http``), the
sign-in (``google_sign_in``), tabs and publications (``resources.sheets``).

The requests are made by google-api-python-client with the discovery document that it ships, and signed in by
google-auth; neither opens a connection or repeats anything: both are given an object of ours in place of their HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

from resources.clients.addresses import checked_url
from resources.clients.errors import (
    BadConfiguration,
    Forbidden,
    NeedsAuth,
    NotFound,
    RateLimited,
    Refused,
    SourceError,
    TransientError,
)
from resources.clients.google_sign_in import SignIn
from resources.clients.http import HttpClient, Limits
from resources.clients.quota import Quota

LIMITS = Limits(
    # a copy of 50,000 rows may take longer than a page of chats; the vendor itself gives up at about 180 s
    read_seconds=180.0,
    deadline_seconds=400.0,
    # the vendor names no pause, and a full quota stays full for up to a minute: the pauses reach over it
    first_pause_seconds=2.0,
    longest_pause_seconds=32.0,
    requests_per_second=1000.0,
)
_ENDPOINT = "https://placeholder.invalid"
"""Stands in what the library makes where the base URL of the connection will be."""
_STRUCTURE = (
    "spreadsheetId,sheets(properties,conditionalFormats,charts(chartId,spec,position),"
    "protectedRanges(protectedRangeId,range,description),developerMetadata(metadataId,metadataKey,metadataValue)),"
    "namedRanges"
)
_LAID_OVER = ("conditionalFormats", "charts", "protectedRanges", "developerMetadata")
_quotas: dict[tuple[str, str, int, float], dict[str, Quota]] = {}
"""The vendor counts by user, so all clients of this process that speak as one user share their turns."""


@dataclass(frozen=True)
class Sheet:
    """One tab as it stands: its id, which links and formulas use, the size of its grid, and what is laid over it."""

    sheet_id: int
    title: str
    rows: int
    columns: int
    hidden: bool
    frozen_rows: int = 0
    rules: tuple[Mapping[str, Any], ...] = ()
    """Conditional formats in their order, as the API tells them; where one stands is its only name."""
    charts: tuple[Mapping[str, Any], ...] = ()
    """Charts over the grid: ``chartId``, ``spec``, ``position``."""
    protected: tuple[Mapping[str, Any], ...] = ()
    """Protected ranges: ``protectedRangeId``, ``range``, ``description``."""
    metadata: tuple[Mapping[str, Any], ...] = ()
    """Developer metadata of the tab, which people do not see: ``metadataId``, ``metadataKey``, ``metadataValue``."""


@dataclass(frozen=True)
class NamedRange:
    """A named part of a tab, half open, counted from 0; ``None`` where it reaches to the end of the grid."""

    range_id: str
    name: str
    sheet_id: int
    top: int
    bottom: int | None
    left: int
    right: int | None


@dataclass(frozen=True)
class Book:
    """The structure of a spreadsheet: tabs in their order, and named ranges."""

    sheets: tuple[Sheet, ...]
    ranges: tuple[NamedRange, ...]


class SheetsClient:
    """One spreadsheet service; raises the errors of ``resources.clients.errors``. Not for use by two threads at once.

    Args:
        service_account: the parsed key file; its ``token_uri`` is where the sign-in goes.
        requests_per_minute: reads and, apart from them, writes; the vendor's quota of one user is 60 and 60.
        http: clock, sleep and random of ``HttpClient``, for tests.
    """

    def __init__(
        self,
        connection_id: str,
        base_url: str,
        service_account: Mapping[str, Any],
        *,
        limits: Limits | None = None,
        requests_per_minute: int = 60,
        quota_seconds: float = 60.0,
        **http: Any,
    ) -> None:
        self.connection_id = connection_id
        self.calls = 0
        """Requests that were sent to the Sheets API, repeated ones included; the sign-in is not among them."""
        limits = limits or LIMITS
        self._base_url = checked_url(connection_id, base_url)
        self._sign_in = SignIn(connection_id, service_account, limits, **http)
        user = (self._base_url, str(service_account.get("client_email")), requests_per_minute, quota_seconds)
        clock = {"clock": http["clock"]} if "clock" in http else {}
        fresh = {method: Quota(requests_per_minute, quota_seconds, **clock) for method in ("GET", "POST")}
        self._renewed = False
        self._http = HttpClient(
            connection_id,
            base_url,
            headers={},
            limits=limits,
            judge=self._judge,
            authorize=self._authorize,
            quotas=fresh if clock else _quotas.setdefault(user, fresh),
            **http,
        )

    def __enter__(self) -> SheetsClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._http.close()
        self._sign_in.close()

    # the calls -------------------------------------------------------------------------------------------------

    def title(self, spreadsheet_id: str) -> str:
        """The spreadsheet's own title: the harmless question of a health check."""
        request = self._spreadsheets.get(spreadsheetId=spreadsheet_id, fields="spreadsheetId,properties.title")
        return str(self._done(request, "the title of the spreadsheet").get("properties", {}).get("title", ""))

    def book(self, spreadsheet_id: str) -> Book:
        """The structure of the spreadsheet."""
        request = self._spreadsheets.get(spreadsheetId=spreadsheet_id, fields=_STRUCTURE)
        return _book(self._done(request, "the structure of the spreadsheet", complaint=_complaint))

    def change(self, spreadsheet_id: str, requests: Sequence[Mapping[str, Any]], what: str) -> Book:
        """Make all these changes or none, and return the structure as it is then. Never repeated by itself.

        Raises:
            UnknownOutcome: it may have been done: ``book`` tells.
        """
        request = self._spreadsheets.batchUpdate(
            spreadsheetId=spreadsheet_id,
            body={"requests": list(requests), "includeSpreadsheetInResponse": True},
            fields=f"updatedSpreadsheet({_STRUCTURE})",
        )
        answer = self._done(
            request, what, repeatable=False, complaint=lambda found: _complaint(found.get("updatedSpreadsheet"))
        )
        return _book(answer["updatedSpreadsheet"])

    def write(self, spreadsheet_id: str, body: bytes, what: str) -> list[list[list[Any]]]:
        """Write ranges of values and return what the cells hold then, range by range, ragged as ``read`` gives it.

        ``body`` is a ready ``BatchUpdateValuesRequest`` that asks for the values in the answer: its bytes are what the
        caller packed by. The ranges name their place, so writing twice is the same as writing once.
        """
        request = self._values.batchUpdate(spreadsheetId=spreadsheet_id, body=_Ready(body))
        answer = self._done(request, what, complaint=_write_complaint)
        return [one.get("updatedData", {}).get("values", []) for one in answer.get("responses", [])]

    def read(self, spreadsheet_id: str, ranges: Sequence[str]) -> list[list[list[Any]]]:
        """The values of ranges, unformatted. Rows and cells that are empty at the end are missing: rows are ragged."""
        request = self._values.batchGet(
            spreadsheetId=spreadsheet_id, ranges=list(ranges), valueRenderOption="UNFORMATTED_VALUE"
        )
        answer = self._done(request, "values of the spreadsheet")
        return [one.get("values", []) for one in answer.get("valueRanges", [])]

    def marked_cells(self, spreadsheet_id: str, ranges: Sequence[str]) -> dict[int, tuple[int, int]]:
        """How many formulas and how many errors stand in the ranges, by the id of the tab; one range per tab.

        No value is asked for: cells without a formula and without an error come back empty.
        """
        request = self._spreadsheets.get(
            spreadsheetId=spreadsheet_id,
            ranges=list(ranges),
            includeGridData=True,
            fields="sheets(properties.sheetId,"
            "data.rowData.values(userEnteredValue.formulaValue,effectiveValue.errorValue.type))",
        )
        answer = self._done(request, "formulas and errors of the spreadsheet")
        return {int(sheet.get("properties", {}).get("sheetId", 0)): _marks(sheet) for sheet in answer.get("sheets", [])}

    # how a call is made ----------------------------------------------------------------------------------------

    @property
    def _spreadsheets(self) -> Any:
        return _library()[0]

    @property
    def _values(self) -> Any:
        return _library()[1]

    def _done(
        self,
        request: Any,
        what: str,
        *,
        repeatable: bool = True,
        complaint: Callable[[dict[str, Any]], str | None] = lambda _: None,
    ) -> dict[str, Any]:
        transport = _Transport(self._http, what, repeatable, complaint)
        answer: dict[str, Any] = request.execute(http=transport, num_retries=0)
        self._renewed = False
        return answer

    def _authorize(self) -> dict[str, str]:
        token = self._sign_in.token()
        self.calls += 1
        return {"Authorization": f"Bearer {token}"}

    def _judge(self, status: int, body: Any, page: str) -> SourceError | None:
        error = body.get("error") if isinstance(body, dict) else None
        code, said = (error.get("status"), error.get("message")) if isinstance(error, dict) else (None, None)
        where = f"Google answered {status} ({code or 'no reason'}) at {page}"
        if status == 401 and not self._renewed:
            # a token may expire between two calls: once it is fetched anew, then the key itself is to blame
            self._renewed = True
            self._sign_in.forget()
            return TransientError(self.connection_id, where, status=status)
        if status == 401:
            return NeedsAuth(self.connection_id, where)
        if status == 403 and code == "RESOURCE_EXHAUSTED":
            return RateLimited(self.connection_id, where, status=status)
        if status == 403 and _is_switched_off(error):
            remedy = "Enable the Google Sheets API in the Google Cloud project of the service account, then try again"
            return BadConfiguration(self.connection_id, f"{where}: this API is not enabled", remedy)
        if status == 403:
            remedy = "Share the spreadsheet with the service account (client_email of the key file) as an editor"
            return Forbidden(self.connection_id, where, remedy)
        if status == 404:
            remedy = "Check the id of the spreadsheet: the part of its link after /d/"
            return NotFound(self.connection_id, where, remedy)
        if status == 400:
            # about values the vendor quotes values: texts of customers; about structure it names requests and tabs
            told = f": {str(said)[:200]}" if said and not page.startswith("values") else ""
            return Refused(self.connection_id, f"{where}{told}")
        return None


def _is_switched_off(error: Any) -> bool:
    """Whether the project of the key has never enabled the API: no sharing of the spreadsheet would help."""
    details = error.get("details") if isinstance(error, dict) else None
    return isinstance(details, list) and any(
        isinstance(one, dict) and one.get("reason") == "SERVICE_DISABLED" for one in details
    )


class _Ready(bytes):
    """A body that is written out already."""


class _Transport:
    """What google-api-python-client takes for httplib2: one request, made by our client."""

    def __init__(self, http: HttpClient, what: str, repeatable: bool, complaint: Callable[[Any], str | None]) -> None:
        self._http, self._what, self._repeatable, self._complaint = http, what, repeatable, complaint

    def request(
        self, uri: str, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[Any, Any]:
        path, _, query = uri.removeprefix(_ENDPOINT).partition("?")
        params = parse_qsl(query, keep_blank_values=True)
        if method == "GET":
            found = self._http.get(path, params, expect=dict, page=self._what, complaint=self._complaint)
        else:
            found = self._http.post(
                path, body or b"", params=params, page=self._what, complaint=self._complaint,
                repeatable=self._repeatable,
            )  # fmt: skip
        # the answer is parsed already; the model below hands it on as it is
        return SimpleNamespace(status=200, reason="OK"), found


class _Nowhere:
    """Stands where the library wants its HTTP at construction; every request brings its own."""


@cache
def _library() -> tuple[Any, Any]:
    """The library's makers of requests, for spreadsheets and for values; they know no account and no host of ours.

    Making them costs a fifth of a second, so it is done once in a process.
    """
    from googleapiclient.discovery import build
    from googleapiclient.model import JsonModel

    class Model(JsonModel):
        def serialize(self, body_value: Any) -> bytes:
            # the library would write every Cyrillic letter as six bytes
            if isinstance(body_value, _Ready):
                return body_value
            return json.dumps(body_value, ensure_ascii=False, separators=(",", ":")).encode()

        def deserialize(self, content: Any) -> Any:
            return content

    spreadsheets = build(
        "sheets",
        "v4",
        http=_Nowhere(),
        model=Model(),
        static_discovery=True,
        cache_discovery=False,
        client_options={"api_endpoint": f"{_ENDPOINT}/"},
    ).spreadsheets()
    return spreadsheets, spreadsheets.values()


def _book(found: Mapping[str, Any]) -> Book:
    sheets = []
    for one in found["sheets"]:
        properties = one["properties"]
        # a chart on a tab of its own has no grid
        grid = properties.get("gridProperties", {})
        sheets.append(
            Sheet(
                int(properties.get("sheetId", 0)),
                str(properties["title"]),
                int(grid.get("rowCount", 0)),
                int(grid.get("columnCount", 0)),
                bool(properties.get("hidden", False)),
                int(grid.get("frozenRowCount", 0)),
                *(tuple(map(dict, one.get(name, ()))) for name in _LAID_OVER),
            )
        )
    ranges = []
    for one in found.get("namedRanges", []):
        # a name whose cells were deleted has no range; a bound of 0 is left out
        if "range" in one:
            part = one["range"]
            ranges.append(
                NamedRange(
                    one["namedRangeId"], one["name"], part.get("sheetId", 0), part.get("startRowIndex", 0),
                    part.get("endRowIndex"), part.get("startColumnIndex", 0), part.get("endColumnIndex"),
                )
            )  # fmt: skip
    return Book(tuple(sheets), tuple(ranges))


def _marks(sheet: Mapping[str, Any]) -> tuple[int, int]:
    cells = [
        cell for block in sheet.get("data", []) for row in block.get("rowData", []) for cell in row.get("values", [])
    ]
    formulas = sum("formulaValue" in cell.get("userEnteredValue", {}) for cell in cells)
    return formulas, sum("errorValue" in cell.get("effectiveValue", {}) for cell in cells)


def _complaint(found: Any) -> str | None:
    try:
        _book(found)
    except (KeyError, TypeError, ValueError, AttributeError):
        return "the structure of the spreadsheet is not told as documented"
    return None


def _write_complaint(found: dict[str, Any]) -> str | None:
    answers = found.get("responses", [])
    fine = isinstance(answers, list) and all(isinstance(one, dict) for one in answers)
    return None if fine else "the answer does not say what was written"
