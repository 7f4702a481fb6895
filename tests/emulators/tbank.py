"""The telephony's quality management: sessions, groups, calls and transcripts over one invented shop.

    with TBankEmulator(Shop.tiny()) as emulator:
        emulator.base_url, emulator.login, emulator.password
        emulator.faults.add("status", status=429, share=0.3, retry_after=1)
        emulator.ledger.rows("calls", start, end)

Here: routing, sessions, row faults, the truth for the ledger. Not here: rows (``tbank_rows``), sockets (``server``).
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from tests.emulators.faults import Faults, Rule
from tests.emulators.ledger import Ledger
from tests.emulators.limits import Bucket
from tests.emulators.server import Answer, Server
from tests.emulators.shop.calls import OPERATORS, CallBook, PhoneCall
from tests.emulators.shop.model import DAY, MINUTE, SECOND, Shop, micros, moment_of
from tests.emulators.tbank_rows import BadQuestion, Rows, TBankOptions

LOGIN, PASSWORD = "demo-login", "demo-password"
LOGIN_PATH = "/v2/bff-core-app/auth/session-start"
GROUPS = "/v2/bff-core-app/organizational-structures/autocomplete-search"
CALLS = "/v2/bff-communication-search/callsessions"
TRANSCRIPT = "/v2/bff-core-app/transcription/segment"
EXTRA = {"x_emulator": {"note": "a field that nobody documented", "level": 7}}


class TBankEmulator:
    """Serves from construction of the context until its end.

    Args:
        shop: whose telephone it is; ``Shop.tiny()`` unless given.
        book: its calls; those of the shop unless given.
        login_path: where a session is started; the vendor has had several.
        rate, burst: the limit per session; ``rate=None``: no limit.
    """

    def __init__(
        self,
        shop: Shop | None = None,
        *,
        book: CallBook | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        login: str = LOGIN,
        password: str = PASSWORD,
        login_path: str = LOGIN_PATH,
        rate: float | None = 20.0,
        burst: int = 20,
        options: TBankOptions | None = None,
        seed: int = 1,
    ) -> None:
        self.shop = shop if shop is not None else Shop.tiny()
        self.options = options or TBankOptions()
        self.book = book or CallBook(self.shop)
        self.rows = Rows(self.book, self.options)
        self.login, self.password, self.login_path = login, password, login_path
        self.faults = Faults(seed)
        self.ledger = Ledger(self._truth, self._gone)
        self.bucket = Bucket(rate, burst)
        self.stopping = threading.Event()
        self.most_parallel = 0
        """Most transcript calls that were under way at once."""
        self._parallel = 0
        self._lock = threading.Lock()
        self._sessions: set[str] = set()
        self._numbers = count(1)
        self._before: list[dict[str, Any]] | None = None
        self._server = Server(self, host, port)
        self.host, self.port = host, self._server.server_address[1]
        self.base_url = f"http://{host}:{self.port}"

    def __enter__(self) -> TBankEmulator:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.stop()

    def expire(self) -> None:
        """End all sessions: their tokens are answered with 401 from now on."""
        with self._lock:
            self._sessions.clear()

    # ---- what the server asks ---------------------------------------------------------------------------------

    def key(self, path: str, headers: Any) -> str:
        # a new session of the same login is the same caller
        return "tbank"

    def error(self, path: str, status: int, message: str) -> Any:
        return {"error": message, "correlationId": "0d7e-emulator"}

    def refusal(self, path: str, rule: Rule) -> Answer:
        text = "Too Many Requests" if rule.status == 429 else "error"
        return Answer(rule.status, text, content_type="text/plain", headers={"x-correlation-id": "0d7e-emulator"})

    def shown(self, path: str) -> str:
        return path

    def answer(
        self,
        method: str,
        path: str,
        params: list[tuple[str, str]],
        headers: Any,
        fired: dict[str, Rule],
        body: bytes = b"",
    ) -> Answer:
        try:
            asked = json.loads(body) if body else None
        except ValueError:
            return Answer(400, "Bad Request", content_type="text/plain")
        if path == self.login_path:
            return self._session(method, asked)
        if path not in (GROUPS, CALLS, TRANSCRIPT):
            return Answer(404, self.error(path, 404, "not found"))
        token = str(headers.get("Authorization") or "").removeprefix("Bearer ")
        if token not in self._sessions:
            return Answer(401, "Unauthorized", content_type="text/plain")
        if path == GROUPS and method == "GET":
            found = self.rows.groups(dict(params).get("term", ""))
            return Answer(200, {self.options.envelope: found}, rows=found)
        if path == CALLS and method == "POST":
            return self._calls(asked, fired)
        if path == TRANSCRIPT and method == "POST":
            with self._one_more() as is_allowed:
                if not is_allowed:
                    return Answer(429, "Too Many Requests", content_type="text/plain")
                return self._transcript(asked, fired)
        return Answer(405, "Method Not Allowed", content_type="text/plain")

    def _session(self, method: str, asked: Any) -> Answer:
        wanted = {
            "login": self.login,
            "password": self.password,
            "authentificationType": "tqm",
            "authSystem": "tqm",
        }
        if method != "POST" or not isinstance(asked, dict) or set(asked) != set(wanted):
            return Answer(400, "Bad Request", content_type="text/plain")
        if asked != wanted:
            return Answer(401, self.error(self.login_path, 401, "wrong login or password"))
        with self._lock:
            number = next(self._numbers)
            token = hashlib.sha256(f"{self.login}:{self.password}:{number}".encode()).hexdigest()
            self._sessions.add(token)
        answer = {
            "userId": 7,
            "accessToken": token,
            "refreshToken": token[::-1],
            "userLogin": self.login,
            "accessTokenExpiredDate": "2100-01-01T00:00:00",
        }
        return Answer(200, answer)

    def _calls(self, asked: Any, fired: dict[str, Rule]) -> Answer:
        with self.shop.lock:
            try:
                found, page, size = self.rows.asked(asked, self.shop.clock)
            except BadQuestion:
                return Answer(400, "Bad Request", content_type="text/plain")
            if "ignore_cursor" in fired:
                page = 1
            part = found[(page - 1) * size : page * size]
            rows = [self.rows.item(call) for call in part]
            if "insert_between" in fired and part:
                self._insert(part[len(part) // 2])
        rows = self._bent(rows, page, fired)
        body: dict[str, Any] = {"items": rows}
        if page * size < len(found):
            body["nextPage"] = page + 1
        elif self.options.last_page == "null":
            body["nextPage"] = None
        return Answer(200, body, rows=rows)

    def _transcript(self, asked: Any, fired: dict[str, Rule]) -> Answer:
        segment_id = asked.get("segmentId") if isinstance(asked, dict) else None
        if not isinstance(segment_id, int):
            return Answer(400, "Bad Request", content_type="text/plain")
        self.stopping.wait(self.options.transcript_seconds)
        with self.shop.lock:
            call, clock = self.rows.call(segment_id), self.shop.clock
            if call is None or call.listed > clock:
                return Answer(404, self.error(TRANSCRIPT, 404, "no such segment"))
            body = self.rows.transcript(call, clock)
        return Answer(200, {**body, **EXTRA} if "unknown_fields" in fired else body)

    @contextmanager
    def _one_more(self) -> Iterator[bool]:
        with self._lock:
            self._parallel += 1
            self.most_parallel = max(self.most_parallel, self._parallel)
            is_allowed = self._parallel <= self.options.parallel
        try:
            yield is_allowed
        finally:
            with self._lock:
                self._parallel -= 1

    # ---- faults in rows ---------------------------------------------------------------------------------------

    def _bent(self, rows: list[dict[str, Any]], page: int, fired: dict[str, Rule]) -> list[dict[str, Any]]:
        if "unknown_fields" in fired:
            rows = [{**row, **EXTRA} for row in rows]
        if "unknown_enum" in fired and rows:
            (position,) = self.faults.pick(len(rows), 1)
            rows = [{**row, "callDirection": "robot"} if n == position else row for n, row in enumerate(rows)]
        with self._lock:
            before = self._before if page > 1 else None
            if "repeat_page" in fired and before is not None:
                rows = before
            self._before = rows
        if "duplicate_rows" in fired and rows:
            for position in reversed(self.faults.pick(len(rows), 1 + len(rows) // 10)):
                rows = [*rows[: position + 1], *rows[position:]]
            rows = [*(before or [])[-1:], *rows]
        return self.faults.shuffled(rows) if "shuffle" in fired else rows

    def _insert(self, beside: PhoneCall) -> None:
        """A call that comes in while its day is read: right beside another one of the page."""
        day = date.fromordinal(beside.segment_id // 10_000 + 700_000)
        calls = self.book.day(day)
        new = replace(beside, segment_id=max(c.segment_id for c in calls) + 1, start=beside.start + SECOND)
        new.listed = self.shop.clock
        calls.insert(calls.index(beside) + 1, new)

    # ---- control and truth ------------------------------------------------------------------------------------

    def control(self, method: str, path: str, params: dict[str, str], payload: dict[str, Any]) -> Any:
        """The telephony's own endpoints:

        GET    /_emulator/clock, POST {"now": "2026-03-09T08:00:00+03:00"}
        POST   /_emulator/expire               all sessions end
        GET    /_emulator/operators            who has an account, and whether a directory would list him
        GET    /_emulator/truth?day=2026-03-04 per call: its kind and which things a good talk has are in it
        """
        if path == "clock":
            if method == "POST":
                self.shop.set_clock(datetime.fromisoformat(payload["now"]))
            return {"now": moment_of(self.shop.clock).isoformat()}
        if path == "expire" and method == "POST":
            self.expire()
            return {"ok": True}
        if path == "operators":
            return [asdict(one) for one in OPERATORS]
        if path == "truth":
            day = date.fromisoformat(params["day"])
            return {
                str(call.segment_id): {
                    "kind": call.kind,
                    "team": call.operator.team if call.operator else None,
                    **call.talk.truth,
                }
                for call in self.book.day(day)
            }
        raise KeyError(f"no control endpoint {path!r}")

    def _truth(self, stream: str, start: datetime | None, end: datetime | None) -> dict[str, dict[str, Any]]:
        """``calls``, and ``transcripts`` of answered ones, by the clock. Without bounds: the weeks of the shop."""
        if stream not in ("calls", "transcripts"):
            raise KeyError(f"no stream {stream!r}")
        with self.shop.lock:
            clock = self.shop.clock
            low = micros(start) if start else clock - (self.shop.weeks * 7 + 1) * DAY
            high = micros(end) if end else clock + MINUTE
            first, last = (moment_of(at).astimezone(self.rows.zone).date() for at in (low, high))
            found = [c for c in self.rows.seen(first, last + timedelta(days=1), clock) if low <= c.start < high]
            extra = EXTRA if self.faults.has("unknown_fields") else {}
            if stream == "calls":
                return {str(call.segment_id): {**self.rows.item(call), **extra} for call in found}
            return {
                str(call.segment_id): {**self.rows.transcript(call, clock), **extra} for call in found if call.seconds
            }

    def _gone(self, stream: str, start: datetime | None, end: datetime | None) -> dict[str, dict[str, Any]]:
        raise KeyError("calls are never deleted")
