"""One RetailCRM account: API v5 and the MessageGateway Bot API on one port, over one invented shop.

    with RetailCRMEmulator(Shop.tiny()) as emulator:
        emulator.base_url, emulator.mg_base_url, emulator.api_key, emulator.bot_token
        emulator.faults.add("status", status=429, share=0.3, retry_after=1)
        emulator.ledger.rows("messages", start, end)

Here: routing, tokens, row faults, the truth for the ledger. Not here: rows (``retailcrm_bot_rows``, ``retailcrm_v5``),
sockets (``server``).
"""

from __future__ import annotations

import hashlib
import json
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.emulators.faults import Faults, Rule
from tests.emulators.ledger import Ledger
from tests.emulators.limits import Bucket
from tests.emulators.retailcrm_bot import BotApi, BotApiError, BotOptions
from tests.emulators.retailcrm_v5 import SCOPES, V5Api, V5Error, list_key, order_created
from tests.emulators.server import HTML, Answer, Server
from tests.emulators.shop.model import SECOND, Message, Shop, micros, moment_of

API_KEY = "demo-api-key"
BOT_TOKEN = "demo-bot-token"
BOT = "/api/bot/v1/"
V5 = "/api/v5/"
EXTRA = {"x_emulator": {"note": "a field that nobody documented", "level": 7}}
_MARK = {"channels", "users", "bots", "customers", "chats", "dialogs", "messages", "members"}


class RetailCRMEmulator:
    """Serves from construction of the context until its end.

    Args:
        shop: what is served; ``Shop.tiny()`` unless given.
        rate, burst: the limit per token and API; the documented 10 calls a second. ``rate=None``: no limit.
        bot: switches for what the vendor leaves open (order, inclusive bounds).
        v5_time_zone: the zone of the CRM's zoneless times.
        scopes: what the API key may do; a call outside is answered with 403.
        state: a file that keeps clock and mutations over a restart.
    """

    def __init__(
        self,
        shop: Shop | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str = API_KEY,
        bot_token: str = BOT_TOKEN,
        rate: float | None = 10.0,
        burst: int = 20,
        bot: BotOptions | None = None,
        v5_time_zone: str | None = None,
        scopes: tuple[str, ...] = tuple(SCOPES),
        seed: int = 1,
        state: Path | None = None,
    ) -> None:
        self.shop = shop if shop is not None else Shop.tiny()
        self.api_key, self.bot_token, self.scopes = api_key, bot_token, scopes
        self.bot = BotApi(self.shop, bot)
        self.v5 = V5Api(self.shop, v5_time_zone or self.shop.time_zone)
        self.faults = Faults(seed)
        self.ledger = Ledger(self._truth, self._gone)
        self.bucket = Bucket(rate, burst)
        self.stopping = threading.Event()
        self._served: dict[str, Any] = {}
        self._served_lock = threading.Lock()
        self._state = state
        self._journal: list[list[Any]] = []
        if state is not None and state.exists():
            for path, payload in json.loads(state.read_text("utf-8"))["journal"]:
                self._apply(path, payload)
        self._server = Server(self, host, port)
        self.host, self.port = host, self._server.server_address[1]
        self.base_url = f"http://{host}:{self.port}"
        self.mg_base_url = self.base_url

    def __enter__(self) -> RetailCRMEmulator:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.stop()

    # ---- what the server asks ---------------------------------------------------------------------------------

    def key(self, path: str, headers: Any) -> str:
        name, token = ("bot", headers.get("X-Bot-Token")) if path.startswith(BOT) else ("v5", headers.get("X-API-KEY"))
        return f"{name}:{hashlib.sha256((token or '').encode()).hexdigest()[:12]}"

    def error(self, path: str, status: int, message: str) -> Any:
        if path.startswith(BOT):
            return {"errors": ["Unauthorized" if status == 401 else "Forbidden"]}
        return {"success": False, "errorMsg": 'Wrong "apiKey" value.' if status == 401 else "Access denied."}

    def refusal(self, path: str, rule: Rule) -> Answer:
        # the limit answers with a plain text, whatever the API
        text = "Rate limit exceeded\n" if rule.status in (429, 503) else ""
        return Answer(rule.status, text, content_type="text/plain")

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
        if path.startswith(BOT):
            answer = self._bot(method, path.removeprefix(BOT), params, headers, fired)
        elif path in ("/api/credentials", "/api/api-versions", "/api/system-info") or path.startswith(V5):
            answer = self._v5(method, path, params, headers, fired)
        else:
            # a body that begins with "<": the host is no account of the CRM
            return Answer(404, HTML)
        if answer.rows is not None and fired:
            self._bend(path, params, answer, fired)
            self._meddle(path, answer, fired)
        return answer

    def _bot(
        self, method: str, path: str, params: list[tuple[str, str]], headers: Any, fired: dict[str, Rule]
    ) -> Answer:
        token = headers.get("X-Bot-Token")
        if not token:
            return Answer(401, {"errors": ["X-Bot-Token header is missing"]})
        if token != self.bot_token:
            return Answer(401, {"errors": ["Unauthorized"]})
        if method != "GET":
            return Answer(403, {"errors": ["this account is read-only"]})
        if "ignore_cursor" in fired:
            params = [(name, value) for name, value in params if name not in ("until_id", "since_id")]
        try:
            body = self.bot.get(path, params)
        except BotApiError as error:
            return Answer(error.status, {"errors": error.errors})
        return Answer(200, body, rows=body if isinstance(body, list) else None)

    def _v5(
        self, method: str, path: str, params: list[tuple[str, str]], headers: Any, fired: dict[str, Rule]
    ) -> Answer:
        token = headers.get("X-API-KEY") or dict(params).get("apiKey")
        if not token:
            return Answer(403, {"success": False, "errorMsg": '"apiKey" is missing.'})
        if token != self.api_key:
            return Answer(403, {"success": False, "errorMsg": 'Wrong "apiKey" value.'})
        if method != "GET":
            return Answer(403, {"success": False, "errorMsg": "Access denied."})
        if path == "/api/api-versions":
            return Answer(200, {"success": True, "versions": ["3.0", "4.0", "5.0"]})
        if path == "/api/system-info":
            return Answer(200, {"success": True, "systemVersion": "0.0.0-emulator", "publicUrl": self.base_url})
        if path == "/api/credentials":
            credentials = [f"/api/{scope}" for scope in self.scopes]
            return Answer(
                200,
                {
                    "success": True,
                    "credentials": credentials,
                    "scopes": list(self.scopes),
                    "siteAccess": "access_full",
                    "sitesAvailable": ["teply-kray"],
                },
            )
        name = path.removeprefix(V5)
        scope = {"users": "user_read", "customers": "customer_read"}.get(name, "order_read")
        if name in ("users", "customers", "orders", "orders/history") and scope not in self.scopes:
            return Answer(403, {"success": False, "errorMsg": "Access denied."})
        if "ignore_cursor" in fired:
            params = [(key, value) for key, value in params if key not in ("page", "filter[sinceId]")]
        try:
            body = self.v5.get(name, params)
        except V5Error as error:
            return Answer(error.status, error.body)
        return Answer(200, body, rows=body[list_key(name)])

    # ---- faults in rows ---------------------------------------------------------------------------------------

    def _bend(self, path: str, params: list[tuple[str, str]], answer: Answer, fired: dict[str, Rule]) -> None:
        rows = list(answer.rows or [])
        faults = self.faults
        if "unknown_fields" in fired:
            rows = [{**row, **EXTRA} for row in rows]
        if "unknown_enum" in fired and rows:
            position = faults.pick(len(rows), 1)[0]
            row = dict(rows[position])
            if isinstance(row.get("from"), dict):
                row["from"] = {**row["from"], "type": "robot"}
            else:
                row["status" if "status" in row else "type"] = "robot"
            rows[position] = row
        stream = f"{path}?{[p for p in params if p[0] not in ('until_id', 'since_id', 'page')]}"
        with self._served_lock:
            before = self._served.get(stream)
            if "repeat_page" in fired and before is not None:
                rows = before
            elif rows:
                self._served[stream] = rows
        if "duplicate_rows" in fired and rows:
            for position in reversed(faults.pick(len(rows), 1 + len(rows) // 10)):
                rows = [*rows[: position + 1], *rows[position:]]
            rows = [*(before or [])[-1:], *rows]
        if "shuffle" in fired:
            rows = faults.shuffled(rows)
        if isinstance(answer.body, list):
            answer.body = rows
        else:
            answer.body = {name: rows if value is answer.rows else value for name, value in answer.body.items()}
        answer.rows = rows

    def _meddle(self, path: str, answer: Answer, fired: dict[str, Rule]) -> None:
        """Change the shop behind the reader's back, inside the page that he has just read."""
        rows = answer.rows or []
        if path != f"{BOT}messages" or not rows:
            return
        middle = rows[len(rows) // 2]
        with self.shop.lock:
            if "insert_between" in fired:
                at = datetime.fromisoformat(middle["time"])
                self.shop.insert_message(middle["chat_id"], at, "Ещё вопрос: упаковка подарочная есть?")
            if "edit_between" in fired and (row := next((r for r in rows if r.get("content")), None)):
                self.shop.edit_message(row["id"], f"{row['content']} (исправлено)")
            if "delete_between" in fired:
                self.shop.delete_message(middle["id"])

    # ---- control and truth ------------------------------------------------------------------------------------

    def control(self, method: str, path: str, params: dict[str, str], payload: dict[str, Any]) -> Any:
        """The shop's own endpoints:

        GET    /_emulator/cases      how often the shop's generator meant each case to happen
        GET    /_emulator/clock, POST {"now": "2026-03-09T08:00:00+03:00"}
        POST   /_emulator/mutate     {"op": "insert", "chat_id": 1, "at": "...", "text": "..."}, or "edit", "delete",
                                     "fail" with "message_id"
        """
        if path == "cases":
            return dict(self.shop.cases)
        if path not in ("clock", "mutate"):
            raise KeyError(f"no control endpoint {path!r}")
        if method != "POST":
            return {"now": moment_of(self.shop.clock).isoformat()}
        result = self._apply(path, payload)
        if self._state is not None:
            part = self._state.with_suffix(".part")
            part.write_text(json.dumps({"journal": self._journal}, ensure_ascii=False), "utf-8")
            part.replace(self._state)
        return result

    def _apply(self, path: str, payload: dict[str, Any]) -> Any:
        shop = self.shop
        if path == "clock":
            shop.set_clock(datetime.fromisoformat(payload["now"]))
            result: Any = {"now": moment_of(shop.clock).isoformat()}
        elif payload.get("op") == "insert":
            at = datetime.fromisoformat(payload["at"])
            message = shop.insert_message(payload["chat_id"], at, payload["text"], payload.get("sender", "customer"))
            result = {"id": message.id}
        elif payload.get("op") in ("edit", "delete", "fail"):
            more = {"edit": ["text"], "fail": ["code"]}.get(payload["op"], [])
            getattr(shop, f"{payload['op']}_message")(
                payload["message_id"], *(payload[n] for n in more if n in payload)
            )
            result = {"id": payload["message_id"]}
        else:
            raise ValueError("op is one of insert, edit, delete, fail")
        self._journal.append([path, payload])
        return result

    def _truth(self, stream: str, start: datetime | None, end: datetime | None) -> dict[str, dict[str, Any]]:
        shop, clock = self.shop, self.shop.clock
        low = micros(start) if start else -(2**62)
        high = micros(end) if end else 2**62
        with shop.lock:
            if stream in ("crm_users", "crm_customers"):
                return {str(row["id"]): row for row in self.v5.rows(stream.removeprefix("crm_"))}
            if stream == "orders":
                rows = self.v5.rows("orders")
                return {str(row["id"]): row for row in rows if low <= order_created(row, self.v5.zone) < high}
            if stream not in _MARK:
                raise KeyError(f"no stream {stream!r}")
            if stream == "members":
                found: list[Any] = self.bot.get("members", [("limit", "1000")])
                return {str(row["id"]): row for row in found}
            extra = EXTRA if self.faults.has("unknown_fields") else {}
            truth: dict[str, dict[str, Any]] = {}
            for row in getattr(shop, stream):
                if getattr(row, "is_mass", False) or not _exists(row, clock):
                    continue
                at = row.time - row.time % SECOND if isinstance(row, Message) else row.created
                if stream in ("chats", "dialogs", "messages") and not low <= at < high:
                    continue
                truth[str(row.id)] = {**self.bot.rows.render(stream, row, clock), **extra}
            return truth

    def _gone(self, stream: str, start: datetime | None, end: datetime | None) -> dict[str, dict[str, Any]]:
        if stream != "messages":
            raise KeyError("only messages are deleted")
        shop, clock = self.shop, self.shop.clock
        low = micros(start) if start else -(2**62)
        high = micros(end) if end else 2**62
        with shop.lock:
            return {
                str(row.id): self.bot.rows.message(row, row.deleted - 1)
                for row in shop.messages
                if row.deleted is not None
                and row.created < row.deleted <= clock
                and low <= row.time < high
                and not row.is_mass
            }


def _exists(row: Any, clock: int) -> bool:
    return row.is_visible(clock) if isinstance(row, Message) else row.created <= clock
