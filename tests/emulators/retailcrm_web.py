"""The CRM's own chats page as a server: batched GraphQL behind a browser session, over one invented shop.

    with RetailCRMWebEmulator(Shop.tiny()) as emulator:
        emulator.address, emulator.headers()
        emulator.expired = "html"
        emulator.har(), emulator.curl("messages")

Here: the session, batches, operations, relay paging, row faults, the truth for the ledger. Not here: nodes
(``retailcrm_web_rows``), what a browser saves of a visit (``retailcrm_web_captures``), sockets (``server``).

Every call goes to one path; for faults and in the ledger it is followed by the operations that it asks for:
``/api/graphql/v1/batch#messages``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.emulators.faults import Faults, Rule
from tests.emulators.ledger import Ledger
from tests.emulators.limits import Bucket
from tests.emulators.retailcrm_web_captures import QUERIES, Captures
from tests.emulators.retailcrm_web_rows import Node, WebRows, activity, visible
from tests.emulators.server import HTML, Answer, Server
from tests.emulators.shop.model import Message, Shop, micros, moment_of

PATH = "/api/graphql/v1/batch"
EXTRA = {"x_emulator": {"note": "a field that nobody documented", "level": 7}}
EXPIRED = ("401", "403", "html", "errors", "redirect")


@dataclass
class WebOptions:
    """Switches for what nobody documents."""

    order: str = "shuffled"
    """Of the rows inside a page: ``shuffled``, ``asc``, ``desc``."""
    chats: str = "desc"
    """By activity; ``asc`` is the reversed list."""
    is_bare: bool = False
    """Messages have only the fields that public integrations read."""
    largest_page: int = 100


class RetailCRMWebEmulator:
    """Serves from construction of the context until its end.

    Args:
        shop: what is served; ``Shop.tiny()`` unless given.
        rate, burst: the limit per session; ``rate=None``: no limit.
        cookie, client_token: of the one session that is open; made up unless given.
    """

    def __init__(
        self,
        shop: Shop | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        cookie: str | None = None,
        client_token: str | None = None,
        rate: float | None = None,
        burst: int = 20,
        options: WebOptions | None = None,
        seed: int = 1,
    ) -> None:
        self.shop = shop if shop is not None else Shop.tiny()
        self.cookie = cookie or f"crm_session={secrets.token_hex(16)}; locale=ru"
        self.client_token = client_token or secrets.token_hex(20)
        self.expired: str | None = None
        """How the page says that the session is over, one of ``EXPIRED``; ``None``: it is not."""
        self.options = options or WebOptions()
        self.rows = WebRows(self.shop, self.options.is_bare)
        self.faults = Faults(seed)
        self.ledger = Ledger(self._truth, self._truth)
        self.bucket = Bucket(rate, burst)
        self.stopping = threading.Event()
        self._served: dict[str, list[Node]] = {}
        self._served_lock = threading.Lock()
        self._server = Server(self, host, port)
        self.host, self.port = host, self._server.server_address[1]
        self.base_url = f"http://{host}:{self.port}"
        self.address = self.base_url + PATH

    def __enter__(self) -> RetailCRMWebEmulator:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.stop()

    # ---- what a person copies from the browser ------------------------------------------------------------------

    def headers(self) -> dict[str, str]:
        """The headers with which the page sends its requests."""
        return {
            "accept": "*/*",
            "content-type": "application/json",
            "origin": self.base_url,
            "referer": f"{self.base_url}/chats",
            "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0 Safari/537.36",
            "x-client-token": self.client_token,
            "cookie": self.cookie,
        }

    def operations(self, *names: str) -> dict[str, dict[str, Any]]:
        """Query and variables of the operations as the page sends them; all of them unless named."""
        chat_id = str(self.shop.chats[0].id) if self.shop.chats else "1"
        return {
            name: {"query": QUERIES[name], "variables": Captures.variables(name, chat_id)} for name in names or QUERIES
        }

    def curl(self, *names: str, form: str = "bash") -> str:
        """ "Copy as cURL" of the call with these operations: ``bash``, ``bash-ansi`` (``$'...'``), ``cmd``,
        ``powershell``."""
        return Captures(self.address, self.headers()).curl(self.operations(*(names or ("messages",))), form)

    def har(self) -> dict[str, Any]:
        """A visit of the page as the browser's "Save all as HAR with content" keeps it."""
        captures = Captures(self.address, self.headers())
        calls = [("ChannelsList", "chatsList"), ("messages",), ("messages",)]
        exchanges = []
        for place, names in enumerate(calls):
            chat = self.shop.chats[place % len(self.shop.chats)]
            body = captures.body(self.operations(*names), str(chat.id))
            exchanges.append((body, [self._operation(call, {}) for call in body]))
        return captures.har(exchanges)

    # ---- what the server asks -----------------------------------------------------------------------------------

    def named(self, path: str, body: bytes) -> str:
        """The path and what the call asks for: all calls have one address."""
        try:
            names = [str(call["operationName"]) for call in json.loads(body)]
        except (ValueError, TypeError, KeyError):
            return path
        return f"{path}#{'+'.join(names)}"

    def key(self, path: str, headers: Any) -> str:
        return f"web:{hashlib.sha256((headers.get('Cookie') or '').encode()).hexdigest()[:12]}"

    def shown(self, path: str) -> str:
        return path

    def error(self, path: str, status: int, message: str) -> Any:
        return {"message": "Unauthorized" if status == 401 else "Forbidden"}

    def refusal(self, path: str, rule: Rule) -> Answer:
        return Answer(rule.status, "Too many requests\n" if rule.status == 429 else "", content_type="text/plain")

    def answer(
        self,
        method: str,
        path: str,
        params: list[tuple[str, str]],
        headers: Any,
        fired: dict[str, Rule],
        body: bytes = b"",
    ) -> Answer:
        if path != PATH or method != "POST":
            return Answer(404, HTML, content_type="text/html")
        if headers.get("Cookie") != self.cookie or headers.get("X-Client-Token") != self.client_token:
            return self._signed_out("401")
        if self.expired:
            return self._signed_out(self.expired)
        if (headers.get("Content-Type") or "").split(";")[0] != "application/json":
            return Answer(415, {"message": "Unsupported Media Type"})
        try:
            calls = json.loads(body)
        except ValueError:
            return Answer(400, {"message": "Bad Request"})
        if not isinstance(calls, list) or not calls or not all(isinstance(call, dict) for call in calls):
            return Answer(400, {"message": "A batch is a list of operations"})
        if "errors" in fired:
            return Answer(200, [{"data": None, "errors": [_error("INTERNAL_SERVER_ERROR")]} for _ in calls])
        with self.shop.lock:
            answers = [self._operation(call, fired) for call in calls]
        rows = [edge["node"] for one in answers for part in (one.get("data") or {}).values() for edge in part["edges"]]
        return Answer(200, answers, rows=rows)

    def _signed_out(self, how: str) -> Answer:
        if how == "html":
            return Answer(200, HTML, content_type="text/html")
        if how == "redirect":
            return Answer(302, "", headers={"Location": f"{self.base_url}/login"}, content_type="text/html")
        if how == "errors":
            return Answer(200, [{"data": None, "errors": [_error("UNAUTHENTICATED")]}])
        return Answer(int(how), self.error("", int(how), ""))

    def _operation(self, call: Node, fired: dict[str, Rule]) -> Node:
        name, variables = call.get("operationName"), call.get("variables") or {}
        if not call.get("query") or name not in QUERIES:
            return {"errors": [_error("GRAPHQL_VALIDATION_FAILED")]}
        if "ignore_cursor" in fired:
            variables = {key: value for key, value in variables.items() if key not in ("after", "before")}
        clock = self.shop.clock
        if name == "ChannelsList":
            nodes = [self.rows.channel(row) for row in self.shop.channels if row.created <= clock]
            return {"data": {"channels": {"edges": self._edges(name, nodes, fired)}}}
        try:
            if name == "chatsList":
                return {"data": {"chats": self._chats(variables, clock, fired)}}
            return {"data": {"messages": self._messages(variables, clock, fired)}}
        except (KeyError, TypeError, ValueError):
            return {"errors": [_error("BAD_USER_INPUT")]}

    def _chats(self, variables: Node, clock: int, fired: dict[str, Rule]) -> Node:
        wanted = variables.get("filter") or {}
        first = self._size(variables["first"])
        if variables["sort"] != "BY_LAST_ACTIVITY":
            raise ValueError("sort")
        channels = {int(one) for one in wanted.get("channelIds") or ()}
        chats = [row for row in self.shop.chats if row.created <= clock]
        chats = [row for row in chats if not channels or row.channel.id in channels]
        places = sorted((activity(row, clock), row.id) for row in chats)
        if self.options.chats == "desc":
            places.reverse()
        if variables.get("after"):
            after = _place(variables["after"])
            is_later = (lambda one: one < after) if self.options.chats == "desc" else (lambda one: one > after)
            places = [one for one in places if is_later(one)]
        page, by_id = places[:first], {row.id: row for row in chats}
        nodes = [self.rows.chat(by_id[number], clock) for _, number in page]
        return {
            "edges": self._edges("chatsList", nodes, fired),
            "pageInfo": {"hasNextPage": len(places) > first, "endCursor": _cursor(page[-1]) if page else None},
        }

    def _messages(self, variables: Node, clock: int, fired: dict[str, Rule]) -> Node:
        wanted = variables["filter"]
        last, chat_id = self._size(variables["last"]), wanted["chatId"]
        chat = next(row for row in (*self.shop.chats, None) if row is None or str(row.id) == chat_id)
        if chat is None:
            raise ValueError("chatId")
        rows = visible(chat, clock, with_deleted=wanted.get("withDeleted") is True)
        if variables.get("before"):
            before = _place(variables["before"])
            rows = [row for row in rows if (row.time, row.id) < before]
        page = rows[-last:]
        nodes = [self.rows.message(row, clock) for row in page]
        found = {
            "edges": self._edges(f"messages of {chat_id}", nodes, fired),
            "pageInfo": {
                "hasPreviousPage": len(rows) > last,
                "startCursor": _cursor((page[0].time, page[0].id)) if page else None,
            },
        }
        if page:
            self._meddle(page[len(page) // 2], fired)
        return found

    def _size(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= self.options.largest_page:
            raise ValueError("size of a page")
        return value

    # ---- faults in rows -----------------------------------------------------------------------------------------

    def _edges(self, stream: str, nodes: list[Node], fired: dict[str, Rule]) -> list[Node]:
        rows, faults = list(nodes), self.faults
        if self.options.order == "desc":
            rows.reverse()
        elif self.options.order == "shuffled" or "shuffle" in fired:
            rows = faults.shuffled(rows)
        if "unknown_fields" in fired:
            rows = [{**row, **EXTRA} for row in rows]
        if "unknown_enum" in fired and rows:
            place = faults.pick(len(rows), 1)[0]
            row = rows[place]
            author = row.get("author")
            rows[place] = {**row, "author": {**author, "__typename": "robot"}} if author else {**row, "type": "robot"}
        with self._served_lock:
            before = self._served.get(stream)
            if "repeat_page" in fired and before is not None:
                rows = before
            elif rows:
                self._served[stream] = rows
        if "duplicate_rows" in fired and rows:
            for place in reversed(faults.pick(len(rows), 1 + len(rows) // 10)):
                rows = [*rows[: place + 1], *rows[place:]]
            rows = [*(before or [])[-1:], *rows]
        return [{"node": row} for row in rows]

    def _meddle(self, middle: Message, fired: dict[str, Rule]) -> None:
        """Change the shop behind the reader's back, inside the page that he is reading."""
        if "insert_between" in fired:
            self.shop.insert_message(middle.chat.id, moment_of(middle.time), "Ещё вопрос: упаковка подарочная есть?")
        if "edit_between" in fired and middle.content:
            self.shop.edit_message(middle.id, f"{middle.content} (исправлено)")
        if "delete_between" in fired:
            self.shop.delete_message(middle.id)

    # ---- control and truth --------------------------------------------------------------------------------------

    def control(self, method: str, path: str, params: dict[str, str], payload: dict[str, Any]) -> Any:
        """The page's own endpoints:

        GET    /_emulator/har                      a visit as a HAR
        GET    /_emulator/curl[?names=a,b&form=bash]   a call as cURL, as text
        POST   /_emulator/session                  {"expired": "html"}, {"expired": null}
        POST   /_emulator/clock                    {"now": "2026-03-09T08:00:00+03:00"}
        """
        if path == "har":
            return self.har()
        if path == "curl":
            names = [name for name in params.get("names", "").split(",") if name]
            return Answer(200, self.curl(*names, form=params.get("form", "bash")), content_type="text/plain")
        if path == "session" and method == "POST":
            if payload["expired"] not in (None, *EXPIRED):
                raise ValueError(f"expired is one of {', '.join(EXPIRED)}")
            self.expired = payload["expired"]
            return {"expired": self.expired}
        if path == "clock" and method == "POST":
            self.shop.set_clock(datetime.fromisoformat(payload["now"]))
            return {"now": moment_of(self.shop.clock).isoformat()}
        raise KeyError(f"no control endpoint {path!r}")

    def _truth(self, stream: str, start: datetime | None, end: datetime | None) -> dict[str, dict[str, Any]]:
        """The true nodes by id; a message also says whose chat it is in, as ``chatId``."""
        shop, clock = self.shop, self.shop.clock
        low, high = (micros(start) if start else -(2**62)), (micros(end) if end else 2**62)
        extra = EXTRA if self.faults.has("unknown_fields") else {}
        with shop.lock:
            if stream == "channels":
                return {str(row.id): {**self.rows.channel(row), **extra} for row in shop.channels}
            if stream == "chats":
                return {
                    str(row.id): {**self.rows.chat(row, clock), **extra} for row in shop.chats if row.created <= clock
                }
            if stream != "messages":
                raise KeyError(f"no stream {stream!r}")
            return {
                str(row.id): {**self.rows.message(row, clock), "chatId": str(chat.id), **extra}
                for chat in shop.chats
                for row in visible(chat, clock, with_deleted=True)
                if low <= row.time < high
            }


def _cursor(place: tuple[int, int]) -> str:
    return base64.urlsafe_b64encode(f"{place[0]}:{place[1]}".encode()).decode()


def _place(cursor: Any) -> tuple[int, int]:
    at, _, number = base64.urlsafe_b64decode(str(cursor)).decode().partition(":")
    return int(at), int(number)


def _error(code: str) -> Node:
    return {"message": "The operation was not executed", "path": [], "extensions": {"code": code}}
