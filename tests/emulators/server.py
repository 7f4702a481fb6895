"""The HTTP side that all vendors share: calls in, faults and limits, answers out, and the control endpoints.

Here: sockets and what can go wrong on them. Not here: any vendor's rows; a vendor is an object with ``answer`` (see
``Vendor``). Control endpoints, for tests and chaos runs in other processes (JSON in and out, never a fault or limit):

    GET    /_emulator/health                 {"ok": true}
    GET    /_emulator/faults                 rules switched on, and the kinds there are
    POST   /_emulator/faults                 {"kind": "status", "status": 429, "share": 0.3, "retry_after": 1}
    DELETE /_emulator/faults[?id=N]          switch off all (or one)
    GET    /_emulator/ledger[?last=N]        summary and calls
    GET    /_emulator/ledger?stream=messages[&start=..&end=..][&gone=1]   the true rows by id
    DELETE /_emulator/ledger                 forget the calls

Everything else below ``/_emulator/`` is the vendor's own: see its ``control``.
"""

from __future__ import annotations

import json
import selectors
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import ceil
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from tests.emulators.faults import KINDS, Faults, Rule
from tests.emulators.ledger import Call, Ledger
from tests.emulators.limits import Bucket

HTML = "<!DOCTYPE html>\n<html><head><title>Вход</title></head><body><h1>Аккаунт не найден</h1></body></html>\n"
CONTROL = "/_emulator/"


@dataclass
class Answer:
    """What is sent back. ``rows`` is the list inside ``body`` that row faults work on."""

    status: int
    body: Any
    rows: list[Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    """Any other type: ``body`` is sent as the text or the bytes that it is."""


class Vendor(Protocol):
    """One vendor's account as the server sees it."""

    faults: Faults
    ledger: Ledger
    bucket: Bucket
    stopping: threading.Event

    def shown(self, path: str) -> str:
        """The path as the ledger may keep it: without a token."""

    def key(self, path: str, headers: Any) -> str:
        """Whom a call belongs to, for limits and waiting times: API and a digest of the token, never the token."""

    def answer(
        self,
        method: str,
        path: str,
        params: list[tuple[str, str]],
        headers: Any,
        fired: dict[str, Rule],
        body: bytes = b"",
    ) -> Answer:
        """The honest answer, bent by the row faults among ``fired``."""

    def error(self, path: str, status: int, message: str) -> Any:
        """An error body as this vendor spells it."""

    def refusal(self, path: str, rule: Rule) -> Answer:
        """The answer of a ``status`` fault, before the waiting time is written into its headers."""

    def control(self, method: str, path: str, params: dict[str, str], payload: dict[str, Any]) -> Any:
        """What this vendor has under ``/_emulator/`` of its own; an ``Answer`` is sent as it is.

        Raises:
            KeyError: nothing under this path.
        """


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "emulator"
    wbufsize = -1
    disable_nagle_algorithm = True
    vendor: Vendor

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """The ledger is the log."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        url = urlsplit(self.path)
        params = parse_qsl(url.query, keep_blank_values=True)
        if url.path.startswith(CONTROL):
            self._control(url.path[len(CONTROL) :], dict(params), body)
            return
        vendor = self.vendor
        key = vendor.key(url.path, self.headers)
        # one address for everything: then only the body says what is asked for
        named = getattr(vendor, "named", None)
        spoken = named(url.path, body) if named is not None else url.path
        call = vendor.ledger.begin(key, self.command, vendor.shown(spoken), params, len(body))
        fired = vendor.faults.firing(spoken)
        call.fault = ",".join(fired) or None
        if self._broken(call, key, fired, url.path):
            return
        if not vendor.bucket.take(key):
            self._send(call, Answer(503, "Rate limit exceeded\n", content_type="text/plain"))
            return
        if "late" in fired:
            vendor.stopping.wait(_seconds(fired["late"], 1.0))
        if "overtaken" in fired:
            self._cut(call)
            vendor.stopping.wait(_seconds(fired["overtaken"], 1.0))
        answer = vendor.answer(self.command, url.path, params, self.headers, fired, body)
        call.rows = len(answer.rows) if answer.rows is not None else None
        if "slow" in fired:
            until = time.monotonic() + _seconds(fired["slow"], 1.0)
            while (left := until - time.monotonic()) > 0 and vendor.faults.holds(fired["slow"]):
                if vendor.stopping.wait(min(left, 0.05)):
                    break
        if "overtaken" in fired:
            return
        if "lost" in fired:
            self._cut(call)
            return
        self._send(call, answer, fired=fired)

    def _broken(self, call: Call, key: str, fired: dict[str, Rule], path: str) -> bool:
        """Play the faults that need no honest answer."""
        vendor = self.vendor
        if "reset" in fired:
            self._cut(call)
        elif "hang" in fired:
            vendor.stopping.wait(_seconds(fired["hang"], 60.0))
            self._cut(call)
        elif "expire_token" in fired:
            self._send(call, Answer(401, vendor.error(path, 401, "expired")))
        elif "forbid" in fired:
            self._send(call, Answer(403, vendor.error(path, 403, "forbidden")))
        elif "status" in fired:
            self._refuse(call, key, path, fired["status"])
        elif "html" in fired or "wrong_host" in fired:
            self._send(call, Answer(200 if "html" in fired else 404, HTML, content_type="text/html"))
        else:
            return False
        return True

    def _refuse(self, call: Call, key: str, path: str, rule: Rule) -> None:
        """429, 503 and their like, with the waiting time told in one of the ways vendors have."""
        headers: dict[str, str] = {}
        until: float | None = None
        if rule.retry_after is not None and rule.form != "none":
            now = time.time()
            if rule.form == "date":
                until = ceil(now + rule.retry_after)
                headers["Retry-After"] = formatdate(until, usegmt=True)
            elif rule.form == "vendor":
                until = now + rule.retry_after
                headers["X-RateLimit-Remaining"] = "0"
                headers["X-RateLimit-Reset"] = f"{ceil(until)}"
                headers["X-RateLimit-Retry"] = f"{rule.retry_after:g}"
            else:
                seconds = ceil(rule.retry_after)
                headers["Retry-After"] = f"{seconds}"
                until = now + seconds
        if until is not None:
            self.vendor.ledger.tell(key, until)
        answer = self.vendor.refusal(path, rule)
        answer.headers = {**answer.headers, **headers}
        self._send(call, answer)

    def _send(
        self,
        call: Call | None,
        answer: Answer,
        *,
        fired: dict[str, Rule] | None = None,
    ) -> None:
        fired = fired or {}
        if answer.content_type != "application/json":
            data = answer.body if isinstance(answer.body, bytes) else str(answer.body).encode()
        else:
            body = answer.body
            if "wrong_shape" in fired and answer.status == 200:
                body = {"data": body} if isinstance(body, list) else [body]
            data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        if "truncated" in fired:
            data = data[: max(1, len(data) * 2 // 3)]
        if call is not None:
            call.status = answer.status
        try:
            self.send_response(answer.status)
            self.send_header("Content-Type", f"{answer.content_type}; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if "reset_midway" in fired:
                self.wfile.write(data[: len(data) // 2])
                self.wfile.flush()
                self._cut(call)
                return
            self.wfile.write(data)
            self.wfile.flush()
        except OSError:
            # the caller went away: his timeout, or he was killed; that is his business
            self.close_connection = True

    def _cut(self, call: Call | None) -> None:
        """End the connection with RST."""
        if call is not None:
            call.status = 0
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # the connection ends when everything that holds it is closed
        self.rfile.close()
        self.connection.close()
        # the base class flushes and closes this afterwards; the socket below is gone
        self.wfile = _Nowhere()  # type: ignore[assignment]

    def _control(self, path: str, params: dict[str, str], body: bytes) -> None:
        try:
            payload = json.loads(body) if body else {}
            found = self._controlled(path, params, payload)
            answer = found if isinstance(found, Answer) else Answer(200, found)
        except (ValueError, KeyError, StopIteration, TypeError) as error:
            answer = Answer(400, {"error": f"{type(error).__name__}: {error}"})
        self._send(None, answer)

    def _controlled(self, path: str, params: dict[str, str], payload: dict[str, Any]) -> Any:
        vendor = self.vendor
        if path == "health":
            return {"ok": True}
        if path == "faults":
            if self.command == "POST":
                return {"id": vendor.faults.add(**payload).id}
            if self.command == "DELETE":
                vendor.faults.remove(int(params["id"])) if "id" in params else vendor.faults.clear()
            return {"active": vendor.faults.active(), "kinds": KINDS}
        if path == "ledger":
            if self.command == "DELETE":
                vendor.ledger.clear()
            if "stream" in params:
                start, end = (datetime.fromisoformat(params[n]) if n in params else None for n in ("start", "end"))
                which = vendor.ledger.gone if "gone" in params else vendor.ledger.rows
                return which(params["stream"], start, end)
            return {**vendor.ledger.summary(), "list": vendor.ledger.listing(int(params.get("last", "0")))}
        return vendor.control(self.command, path, params, payload)


class _Nowhere:
    """A file whose writes are lost."""

    closed = False

    def write(self, data: bytes) -> int:
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...


class Server(ThreadingHTTPServer):
    """Listens at once (the constructor binds), serves after ``start``."""

    daemon_threads = True
    # a storm of connections is what some tests are about
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, vendor: Vendor, host: str, port: int) -> None:
        handler = type("VendorHandler", (Handler,), {"vendor": vendor})
        super().__init__((host, port), handler)
        self._thread = threading.Thread(target=self._serve_until_stopped, name="emulator", daemon=True)
        self._stop, self._stopped = socket.socketpair()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.close()
        self._thread.join(5)
        self._stopped.close()
        self.server_close()

    def _serve_until_stopped(self) -> None:
        # the base class looks every so often whether it is to end: a test would wait for that, and tests are many
        with selectors.DefaultSelector() as waiting:
            waiting.register(self, selectors.EVENT_READ)
            waiting.register(self._stopped, selectors.EVENT_READ)
            while not any(ready.fileobj is self._stopped for ready, _ in waiting.select()):
                self._handle_request_noblock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that vanished in the middle of his request is no news; anything else is a bug of ours."""
        import sys

        if not isinstance(sys.exc_info()[1], OSError | ValueError):
            super().handle_error(request, client_address)


def _seconds(rule: Rule, default: float) -> float:
    return default if rule.seconds is None else rule.seconds
