"""Google Sheets API v4 for one service account, over spreadsheets in memory.

    with SheetsEmulator() as sheets:
        sheets.base_url, sheets.spreadsheet_id, sheets.service_account_file
        sheets.faults.add("lost", path=":batchUpdate", after=2, times=1)   # the third is done, its answer is lost
        sheets.edit("'Заметки'!A1", [["=manager_summary!B2"]])             # what a person does in the window
        sheets.values("manager_summary!A1:C")                              # what a person sees

Here: who may call, the quota, routes, atomicity, state over a restart. Not here: spreadsheets (``sheets_grid`` and the
modules about values, requests, formulas), the token endpoint's checks (``google_auth``), sockets (``server``).
Control endpoints: ``sheets_control``.
"""

from __future__ import annotations

import hashlib
import pickle
import shutil
import tempfile
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.emulators import sheets_batch, sheets_control, sheets_values
from tests.emulators.faults import Faults, Rule
from tests.emulators.google_auth import GoogleAuth, TokenRefused
from tests.emulators.ledger import Ledger
from tests.emulators.limits import Bucket
from tests.emulators.server import Answer, Server
from tests.emulators.sheets_grid import Cell, Sheet, Spreadsheet
from tests.emulators.sheets_methods import ACTS, ERRORS, READS, route
from tests.emulators.sheets_reading import create, whole
from tests.emulators.sheets_schema import Refused, mask, method, parsed, picked, query

SPREADSHEET_ID = "1Otklik-Demo-Spreadsheet-0000000000000000000"
RECOMMENDED = 2 * 1024 * 1024
LARGEST = 10 * 1024 * 1024


class SheetsEmulator:
    """Serves from construction of the context until its end.

    Args:
        quota: reads and, apart from them, writes a minute and user; ``None``: no limit.
        minute: seconds of the quota's minute, for tests that cannot wait.
        large: what happens to a body of more than 2 MiB: ``slow`` (a second per MiB above), ``refuse``, ``allow``.
            More than 10 MiB is always refused.
        token_lifetime: seconds an access token is good for.
        title, tabs: the spreadsheet that is there from the start and shared with the service account.
        state: a folder that keeps the key file and the spreadsheets over a restart; without one they are gone.
        public_host: the name by which callers reach this machine, where it is not ``host``.
        keep_moments: keep what the visible tabs show after every change (``moments``).
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        quota: int | None = 60,
        minute: float = 60.0,
        large: str = "slow",
        token_lifetime: float = 3600.0,
        title: str = "Отклик: демо",
        tabs: tuple[str, ...] = ("Лист1",),
        state: Path | None = None,
        public_host: str | None = None,
        keep_moments: bool = False,
        seed: int = 1,
    ) -> None:
        self.quota, self.minute, self.large = quota, minute, large
        self.faults = Faults(seed)
        self.ledger = Ledger(self._no_truth, self._no_truth)
        self.bucket = Bucket(None, 1)
        self.stopping = threading.Event()
        self.lock = threading.RLock()
        self.books: dict[str, Spreadsheet] = {}
        self.moments: list[dict[str, list[tuple[Cell, ...]]]] = []
        self._keep_moments = keep_moments
        self._recent: dict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._state = state
        self._folder = state if state is not None else Path(tempfile.mkdtemp(prefix="sheets-emulator-"))
        self._folder.mkdir(parents=True, exist_ok=True)
        self._server = Server(self, host, port)
        self.host, self.port = host, self._server.server_address[1]
        self.base_url = f"http://{public_host or host}:{self.port}"
        self.auth = GoogleAuth(self._folder, f"{self.base_url}/token", lifetime=token_lifetime)
        self.service_account_file = self.auth.file
        self.spreadsheet_id = SPREADSHEET_ID
        self._load()
        if self.spreadsheet_id not in self.books:
            self.add_spreadsheet(self.spreadsheet_id, title, tabs)
        self._saver = threading.Thread(target=self._save_when_changed, name="sheets-saver", daemon=True)
        self._changed = threading.Event()

    @property
    def service_account_info(self) -> dict[str, str]:
        """The content of the key file."""
        return self.auth.info()

    def page_url(self, spreadsheet_id: str = SPREADSHEET_ID) -> str:
        """Where a person looks at a spreadsheet."""
        return f"{self.base_url}/_emulator/sheets/{spreadsheet_id}"

    def __enter__(self) -> SheetsEmulator:
        self._server.start()
        if self._state is not None:
            self._saver.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._changed.set()
        self._server.stop()
        if self._state is None:
            shutil.rmtree(self._folder, ignore_errors=True)
        else:
            self._saver.join(5)
            self._save()

    # ---- what a person does in the window: no call, no quota ---------------------------------------------------

    def add_spreadsheet(
        self, spreadsheet_id: str, title: str, tabs: tuple[str, ...], role: str | None = "writer"
    ) -> None:
        """One more document, shared with the service account as ``role`` (``None``: not at all)."""
        sheets = [Sheet(number, tab) for number, tab in enumerate(tabs)]
        roles = {self.auth.email: role} if role else {}
        self.books[spreadsheet_id] = Spreadsheet(spreadsheet_id, title, sheets=sheets, roles=roles)

    def share(self, role: str | None, spreadsheet_id: str = SPREADSHEET_ID) -> None:
        """Let the service account write (``writer``), only read (``reader``) or neither (``None``)."""
        with self.lock:
            self.books[spreadsheet_id].roles = {self.auth.email: role} if role else {}

    def edit(self, text: str, values: list[list[Any]], spreadsheet_id: str = SPREADSHEET_ID) -> None:
        """Type values into a range."""
        self.change(
            spreadsheet_id, lambda book: sheets_values.write(book, {"range": text, "values": values}, "USER_ENTERED")
        )

    def requests(self, requests: list[dict[str, Any]], spreadsheet_id: str = SPREADSHEET_ID) -> list[dict[str, Any]]:
        """Anything that ``batchUpdate`` can, as a person."""
        return self.change(spreadsheet_id, lambda book: sheets_batch.batch_update(book, {"requests": requests}))

    def values(
        self, text: str, render: str = "UNFORMATTED_VALUE", spreadsheet_id: str = SPREADSHEET_ID
    ) -> list[list[Any]]:
        """What a range holds."""
        with self.lock:
            found = sheets_values.read(self.books[spreadsheet_id], text, {"valueRenderOption": render})
        rows: list[list[Any]] = found.get("values", [])
        return rows

    def sheets(self, spreadsheet_id: str = SPREADSHEET_ID) -> dict[str, dict[str, Any]]:
        """The properties of every tab by title, hidden ones too."""
        with self.lock:
            book = self.books[spreadsheet_id]
            return {sheet.title: sheet.properties(index) for index, sheet in enumerate(book.sheets)}

    def formulas(self, spreadsheet_id: str = SPREADSHEET_ID) -> dict[str, list[str]]:
        """Every formula by tab: a text from a chat must never be among them."""
        with self.lock:
            return sheets_control.formulas(self.books[spreadsheet_id])

    def visible(self, spreadsheet_id: str = SPREADSHEET_ID) -> dict[str, list[tuple[Cell, ...]]]:
        """The rows of every visible tab, as they are stored."""
        with self.lock:
            return {sheet.title: list(sheet.rows) for sheet in self.books[spreadsheet_id].sheets if not sheet.hidden}

    def change(self, spreadsheet_id: str, act: Callable[[Spreadsheet], Any], actor: str | None = None) -> Any:
        """Change a spreadsheet as a whole or not at all, as a person unless ``actor`` is told."""
        with self.lock:
            working = self.books[spreadsheet_id].copy()
            working.actor = actor
            result = act(working)
            working.revision += 1
            self.books[spreadsheet_id] = working
            if self._keep_moments:
                self.moments.append(self.visible(spreadsheet_id))
        self._changed.set()
        return result

    # ---- what the server asks ---------------------------------------------------------------------------------

    def key(self, path: str, headers: Any) -> str:
        return "sheets:" + hashlib.sha256((headers.get("Authorization") or "").encode()).hexdigest()[:12]

    def shown(self, path: str) -> str:
        return unquote(path)

    def error(self, path: str, status: int, message: str) -> Any:
        code, text = ERRORS.get(status, ("INTERNAL", "Internal error encountered."))
        return Refused(status, text, code).body

    def refusal(self, path: str, rule: Rule) -> Answer:
        return Answer(rule.status, self.error(path, rule.status, ""))

    def control(self, verb: str, path: str, params: dict[str, str], payload: dict[str, Any]) -> Any:
        return sheets_control.control(self, verb, path, params, payload)

    def answer(
        self,
        verb: str,
        path: str,
        params: list[tuple[str, str]],
        headers: Any,
        fired: dict[str, Rule],
        body: bytes = b"",
    ) -> Answer:
        if verb == "POST" and path == "/token":
            try:
                return Answer(200, self.auth.grant(body, headers.get("Content-Type") or ""))
            except TokenRefused as refused:
                return Answer(refused.status, refused.body)
        if verb == "POST" and headers.get("X-HTTP-Method-Override") == "GET":
            # how Google's clients send a GET whose address would be too long
            verb, params, body = "GET", [*params, *parse_qsl(body.decode(), keep_blank_values=True)], b""
        try:
            return Answer(200, self._called(verb, path, params, headers, body))
        except Refused as refused:
            return Answer(refused.status, refused.body)

    def _called(self, verb: str, path: str, params: list[tuple[str, str]], headers: Any, body: bytes) -> Any:
        name, parts = route(verb, path)
        if len(body) > LARGEST or (len(body) > RECOMMENDED and self.large == "refuse"):
            limit = LARGEST if len(body) > LARGEST else RECOMMENDED
            raise Refused(400, f"Request payload size exceeds the limit: {limit} bytes.")
        if len(body) > RECOMMENDED and self.large == "slow":
            self.stopping.wait((len(body) - RECOMMENDED) / 2**20)
        options = query(f"spreadsheets.{name}", params)
        writes = name not in READS
        email = self._caller(headers, writes)
        self._take_quota(email, writes)
        spec = method(f"spreadsheets.{name}")
        if body and "request" in spec and "json" not in (headers.get("Content-Type") or ""):
            raise Refused(400, 'Invalid JSON payload received. Unknown name "": Root element must be a message.')
        given = parsed(body, spec["request"]["$ref"]) if "request" in spec else {}
        wanted = options.get("fields")
        try:
            chosen = mask(wanted, spec["response"]["$ref"]) if wanted else {}
        except ValueError as error:
            raise Refused(400, f"Request contains an invalid argument. Invalid field selection {error}") from None
        with self.lock:
            result = self._done(name, parts, given, options, email)
        return picked(result, chosen)

    def _caller(self, headers: Any, writes: bool) -> str:
        authorization = headers.get("Authorization")
        if not authorization:
            raise Refused(403, "Method doesn't allow unregistered callers.", "PERMISSION_DENIED")
        token = self.auth.token(authorization)
        if token is None:
            raise Refused(401, "Request had invalid authentication credentials.", "UNAUTHENTICATED")
        allowed = {scope for scope in token.scopes if not (writes and scope.endswith("readonly"))}
        if not allowed:
            details = [
                {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}
            ]
            raise Refused(403, "Request had insufficient authentication scopes.", "PERMISSION_DENIED", details)
        return token.email

    def _take_quota(self, email: str, writes: bool) -> None:
        if self.quota is None:
            return
        kind = "Write" if writes else "Read"
        now = time.monotonic()
        with self.lock:
            recent = self._recent[email, kind]
            # a call that was let through is counted when it arrives; the caller counts when he sends
            while recent and recent[0] <= now - self.minute * 0.99:
                recent.popleft()
            if len(recent) < self.quota:
                recent.append(now)
                return
        details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED"}]
        message = (
            f"Quota exceeded for quota metric '{kind} requests' and limit '{kind} requests per minute per user' of "
            "service 'sheets.googleapis.com' for consumer 'project_number:100000000000'."
        )
        raise Refused(429, message, "RESOURCE_EXHAUSTED", details)

    def _done(self, name: str, parts: list[str], given: dict[str, Any], options: dict[str, Any], email: str) -> Any:
        if name == "create":
            book = create(given, email)
            self.books[book.id] = book
            return whole(book, {}, self.base_url)
        book_id = parts[0]
        found = self.books.get(book_id)
        if found is None:
            raise Refused(404, "Requested entity was not found.", "NOT_FOUND")
        role = found.roles.get(email)
        if role is None or (role == "reader" and name not in READS):
            raise Refused(403, "The caller does not have permission", "PERMISSION_DENIED")
        act = ACTS.get(name)
        if act is None:
            raise Refused(501, f"this emulator does not know spreadsheets.{name}", "UNIMPLEMENTED")
        run = lambda book: act(book, parts[1:], given, options)  # noqa: E731
        result = run(found) if name in READS else self.change(book_id, run, email)
        if name == "batchUpdate":
            answer = {"spreadsheetId": book_id, "replies": result}
            if given.get("includeSpreadsheetInResponse"):
                shown = {
                    "ranges": given.get("responseRanges", []),
                    "includeGridData": given.get("responseIncludeGridData"),
                }
                answer["updatedSpreadsheet"] = whole(self.books[book_id], shown, self.base_url)
            return answer
        return result if name != "get" else {**result, "spreadsheetUrl": f"{self.base_url}/_emulator/sheets/{book_id}"}

    @staticmethod
    def _no_truth(stream: str, start: datetime | None, end: datetime | None) -> dict[str, dict[str, Any]]:
        raise KeyError("a spreadsheet has no streams")

    # ---- state over a restart ---------------------------------------------------------------------------------

    def _load(self) -> None:
        path = self._folder / "spreadsheets.pickle"
        if self._state is not None and path.exists():
            self.books = pickle.loads(path.read_bytes())

    def _save(self) -> None:
        with self.lock:
            data = pickle.dumps(self.books)
        part = self._folder / "spreadsheets.part"
        part.write_bytes(data)
        part.replace(self._folder / "spreadsheets.pickle")

    def _save_when_changed(self) -> None:
        # at most twice a second: a publication is many changes
        while not self.stopping.wait(0.5):
            if self._changed.wait(0.5) and not self.stopping.is_set():
                self._changed.clear()
                self._save()
