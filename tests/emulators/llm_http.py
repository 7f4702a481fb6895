"""HTTP/1.1 on one event loop, for an emulator that must hold hundreds of slow calls at once.

Here: requests in, answers out, connections that are cut. Not here: what is answered (``llm``). The other emulators use
a thread per connection (``server``); a judge that takes seconds for each of 64 callers needs none.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    is_gone: Callable[[], bool]
    """Whether the caller has left meanwhile."""


@dataclass
class Said:
    """What is sent back; ``cut``: nothing is sent and the connection is reset."""

    status: int = 200
    body: Any = None
    """Bytes are sent as they are, anything else as JSON."""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    cut: bool = False
    sent: Callable[[bool], None] = lambda _: None
    """Told afterwards whether the caller was still there."""


class Connection(asyncio.Protocol):
    """One caller, one request at a time."""

    def __init__(self, answer: Callable[[Asked], Awaitable[Said]], open_ones: set[Connection]) -> None:
        self._answer = answer
        self._open = open_ones
        self._buffer = bytearray()
        self._transport: asyncio.Transport
        self._task: asyncio.Task[None] | None = None
        self._gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone = True
        self._open.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._begin()

    def close(self) -> None:
        """Hang up; what is being worked on is dropped."""
        if self._task is not None:
            self._task.cancel()
        self._transport.abort()

    def _begin(self) -> None:
        if self._task is not None:
            return
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length") or 0)
        if len(rest) < length:
            return
        method, target, _ = [*first.split(" "), "", ""][:3]
        path, _, query = target.partition("?")
        body = bytes(rest[:length])
        self._buffer = bytearray(rest[length:])
        asked = Asked(method, path, query, headers, body, lambda: self._gone)
        self._task = asyncio.get_running_loop().create_task(self._serve(asked))

    async def _serve(self, asked: Asked) -> None:
        try:
            said = await self._answer(asked)
        except Exception:
            # a bug of ours: said aloud, or its caller waits for ever
            traceback.print_exc()
            said = Said(500, {"error": "the emulator is broken: see its output"})
        self._task = None
        said.sent(not self._gone)
        if self._gone:
            return
        if said.cut:
            # closing with a linger of zero sends RST instead of FIN
            self._transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            self._transport.abort()
            return
        body = said.body if isinstance(said.body, bytes) else json.dumps(said.body, ensure_ascii=False).encode()
        head = [
            f"HTTP/1.1 {said.status} {REASONS.get(said.status, 'Answer')}",
            f"Content-Type: {said.content_type}",
            f"Content-Length: {len(body)}",
            *(f"{name}: {value}" for name, value in said.headers.items()),
        ]
        if asked.headers.get("connection", "").lower() == "close":
            head.append("Connection: close")
        self._transport.write("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body)
        if asked.headers.get("connection", "").lower() == "close":
            self._transport.close()
            return
        self._begin()


class Loop:
    """An event loop in a thread of its own that serves one address."""

    def __init__(self, answer: Callable[[Asked], Awaitable[Said]], host: str, port: int) -> None:
        self._answer = answer
        self._open: set[Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="emulated-llm", daemon=True)
        self._thread.start()
        try:
            self.host, self.port = asyncio.run_coroutine_threadsafe(self._start(host, port), self._loop).result()
        except BaseException:
            self._end()
            raise

    async def _start(self, host: str, port: int) -> tuple[str, int]:
        self._server = await self._loop.create_server(
            lambda: Connection(self._answer, self._open), host, port, backlog=1024
        )
        return self._server.sockets[0].getsockname()[:2]

    def stop(self) -> None:
        """Hang up on everybody and end the thread."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._end()

    async def _stop(self) -> None:
        self._server.close()
        for connection in list(self._open):
            connection.close()
        await asyncio.sleep(0)

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
