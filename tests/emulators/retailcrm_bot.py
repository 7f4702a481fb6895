"""RetailCRM MessageGateway Bot API v1: the lists of channels, people, chats, dialogs and messages.

Here: how the gateway spells rows, filters and pages them. Not here: HTTP, faults, limits (``server``).

What the vendor does not document and how it is read here:

- ``since`` and ``until`` filter messages by ``time``, chats by ``last_activity``, dialogs by ``created_at``, everything
  else by ``created_at``; both ends are included unless ``until_inclusive`` is off;
- ``since_id`` and ``until_id`` are exclusive unless ``inclusive_ids`` is on; ``limit`` is 100, at most 1000;
- chats, dialogs, messages come newest first (descending ids), directories ascending; ``order`` turns the former round;
- with ``since_id`` alone the page is still the newest one in the gateway's order, unless ``since_id_ascending`` is on:
  then rows are counted from ``since_id`` upwards and the page holds the oldest of them, still in the usual order.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, TypeAlias
from urllib.parse import quote

from tests.emulators.shop.model import DAY, Bot, Channel, Chat, Customer, Dialog, Message, Shop, User, micros, moment_of

Row: TypeAlias = dict[str, Any]
MOSCOW = timezone(timedelta(hours=3))
COMMON = {"since", "until", "since_id", "until_id", "limit"}
_MASS = {"0": False, "1": True, "": False, "false": False, "true": True}


class BotApiError(Exception):
    """An answer that is no list."""

    def __init__(self, status: int, *errors: str) -> None:
        super().__init__(status, errors)
        self.status = status
        self.errors = list(errors)


@dataclass
class BotOptions:
    """Switches for what the vendor leaves open."""

    order: str = "desc"
    inclusive_ids: bool = False
    until_inclusive: bool = True
    since_id_ascending: bool = False
    max_limit: int = 1000


def zoned(at: int) -> str:
    """UTC with as many fraction digits as there are, none for whole seconds."""
    moment = moment_of(at)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{moment.microsecond:06d}".rstrip("0") + "Z" if moment.microsecond else f"{text}Z"


def message_time(message: Message) -> str:
    """The moment of a message: with the office's offset for most, with ``Z`` for some, as in the vendor's fixtures."""
    if message.id % 5 == 0:
        return zoned(message.time)
    return moment_of(message.time).astimezone(MOSCOW).isoformat(timespec="seconds")


class BotApi:
    """Answers the calls of the Bot API about one shop."""

    def __init__(self, shop: Shop, options: BotOptions | None = None) -> None:
        self.shop = shop
        self.options = options or BotOptions()
        self._bots = {bot.id: bot for bot in shop.bots}
        self._users = {user.id: user for user in shop.users}
        self._cache: dict[tuple[Any, ...], tuple[list[int], list[Any]]] = {}
        self._version = -1

    # ---- rows -------------------------------------------------------------------------------------------------

    def channel(self, row: Channel) -> Row:
        return {
            "id": row.id, "type": row.type, "name": row.name, "is_active": row.active,
            "settings": {"status": {"delivered": "send"}, "text": {"creating": "both", "max_chars_count": 4096}},
            "created_at": zoned(row.created), "updated_at": zoned(row.created),
        }  # fmt: skip

    def user(self, row: User) -> Row:
        return {
            "id": row.id, "external_id": str(row.crm_id), "first_name": row.first_name, "last_name": row.last_name,
            "username": None, "is_active": row.active, "is_online": False, "avatar": "", "role": "manager",
            "created_at": zoned(row.created), "updated_at": zoned(row.created),
        }  # fmt: skip

    def bot(self, row: Bot) -> Row:
        return {
            "id": row.id, "name": row.name, "is_active": True, "is_self": False, "is_system": False,
            "roles": list(row.roles), "created_at": zoned(row.created), "updated_at": zoned(row.created),
        }  # fmt: skip

    def customer(self, row: Customer) -> Row:
        return {
            "id": row.id, "external_id": row.phone.lstrip("+") if row.phone else f"ig{row.id}", "channel_id": row.channel.id,
            "first_name": row.first_name, "last_name": row.last_name, "username": row.nick, "phone": row.phone or "",
            "language": row.language, "country": "", "is_blocked": False, "utm": None,
            "created_at": zoned(row.created), "updated_at": zoned(row.created),
        }  # fmt: skip

    def chat(self, row: Chat, clock: int) -> Row:
        last = row.last_message(clock)
        activity = last.time if last else row.created
        asked = next((m for m in reversed(row.messages) if m.is_visible(clock) and m.sender == "customer"), None)
        deadline = zoned(asked.time + DAY) if asked and row.channel.type == "whatsapp" else None
        return {
            "id": row.id, "avatar": "", "name": row.customer.name or row.customer.nick or "",
            "channel": {"id": row.channel.id, "type": row.channel.type, "name": row.channel.name,
                        "is_active": row.channel.active, "settings": {}},
            "customer": {"id": row.customer.id, "external_id": self.customer(row.customer)["external_id"],
                         "type": "customer", "name": row.customer.name, "phone": row.customer.phone or ""},
            "members": None, "author_id": row.customer.id,
            "last_message": self.message(last, clock, is_short=True) if last else None,
            "last_activity": zoned(activity), "reply_deadline": deadline,
            "created_at": zoned(row.created), "updated_at": zoned(max(activity, row.created)),
        }  # fmt: skip

    def dialog(self, row: Dialog, clock: int) -> Row:
        seen = [m for m in row.messages if m.is_visible(clock)]
        closed = row.closed if row.closed is not None and row.closed <= clock else None
        assigned = [assign for assign in row.assigns if assign[0] <= clock]
        responsible = None
        if assigned and assigned[-1][1] is not None:
            at, kind, person = assigned[-1]
            responsible = {
                "type": kind,
                "id": person,
                "external_id": self._external_id(kind, person),
                "assigned_at": zoned(at),
            }
        return {
            "id": row.id, "chat_id": row.chat.id, "begin_message_id": seen[0].id if seen else None,
            "ending_message_id": seen[-1].id if closed is not None and seen else None,
            "created_at": zoned(row.created), "updated_at": zoned(max([row.created, *(a[0] for a in assigned), closed or 0])),
            "closed_at": zoned(closed) if closed is not None else None,
            "is_assigned": responsible is not None, "responsible": responsible,
            # the quirk of the vendor's fixtures: active and closed at once; openness is closed_at being null
            "is_active": closed is None or row.id % 3 == 0, "utm": None,
        }  # fmt: skip

    def message(self, row: Message, clock: int, is_short: bool = False) -> Row:
        failed = row.failed is not None and row.failed <= clock
        body: Row = {
            "id": row.id, "time": message_time(row), "type": row.type, "scope": row.scope, "chat_id": row.chat.id,
            "is_read": row.sender != "customer" or row.time + DAY < clock,
            "is_edit": any(at <= clock for at, _ in row.edits),
            "status": "failed" if failed else "received" if row.id % 4 == 0 or row.sender is None else "seen",
            "dialog": {"id": row.dialog.id}, "channel_id": row.chat.channel.id,
            "created_at": zoned(row.created), "updated_at": zoned(row.updated(clock)),
        }  # fmt: skip
        if failed:
            body["error"] = {"code": row.error, "message": "Message is not delivered"}
        if row.type == "system":
            body["action"] = row.action
            if row.action == "dialog_assign":
                body["responsible"] = None
                if row.responsible:
                    kind, person = row.responsible
                    body["responsible"] = {"type": kind, "id": person, "external_id": self._external_id(kind, person)}
            if row.actor_id is not None:
                user = self._users[row.actor_id]
                body["user"] = {"id": user.id, "external_id": str(user.crm_id), "name": user.name, "type": "user"}
            return body
        body["from"] = self._sender(row)
        if row.type in ("order", "product"):
            body[row.type] = row.extra
            if row.content:
                body["note"] = row.content
        elif row.items:
            body["items"] = [dict(item) for item in row.items]
            body["note"] = row.text(clock) or ""
        else:
            body["content"] = row.text(clock)
        if not is_short:
            body["quote"] = None
            if row.quoted is not None:
                asked = row.quoted
                body["quote"] = {"id": asked.id, "type": asked.type, "from": self._sender(asked),
                                 "time": message_time(asked), "content": asked.text(clock)}  # fmt: skip
        return body

    def _sender(self, row: Message) -> Row | None:
        if row.sender == "customer":
            customer = row.chat.customer
            return {"id": customer.id, "type": "customer", "name": customer.name or customer.nick, "available": False}
        if row.sender == "user":
            user = self._users[row.sender_id or 0]
            return {
                "id": user.id,
                "external_id": str(user.crm_id),
                "type": "user",
                "name": user.name,
                "available": True,
            }
        if row.sender == "bot":
            return {"id": row.sender_id, "type": "bot", "name": self._bots[row.sender_id or 0].name, "available": True}
        return None

    def _external_id(self, kind: str | None, person: int | None) -> str | None:
        return str(self._users[person].crm_id) if kind == "user" and person is not None else None

    # ---- lists ------------------------------------------------------------------------------------------------

    def get(self, path: str, params: list[tuple[str, str]]) -> Any:
        """Answer ``GET /api/bot/v1/<path>``.

        Raises:
            BotApiError: the vendor's answer is an error.
        """
        with self.shop.lock:
            file = re.fullmatch(r"files/([0-9a-f-]{36})", path)
            if file:
                return self._file(file[1])
            if path not in _LISTS:
                raise BotApiError(404, f"route {path} not found")
            return self._list(path, _single(params))

    def _file(self, uuid: str) -> Row:
        for message in self.shop.messages:
            for item in message.items:
                if item["id"] == uuid and message.is_visible(self.shop.clock):
                    url = f"https://files.example.invalid/{quote(uuid)}"
                    return {"id": uuid, "type": item["kind"], "size": item["size"], "Url": url}
        raise BotApiError(404, f"file {uuid} not found")

    def _list(self, path: str, params: dict[str, list[str]]) -> list[Row]:
        names, filters, rows_of, time_of = _LISTS[path]
        unknown = sorted(set(params) - COMMON - names)
        if unknown:
            raise BotApiError(400, *(f"unknown parameter {name}" for name in unknown))
        clock, options = self.shop.clock, self.options
        limit = _number(params, "limit", 100)
        if limit is None or not 1 <= limit <= options.max_limit:
            raise BotApiError(400, f"limit: must be between 1 and {options.max_limit}")
        since_id, until_id = _number(params, "since_id"), _number(params, "until_id")
        ids, rows = self._window(path, rows_of, time_of, _instant(params, "since"), _instant(params, "until"))
        low, high = 0, len(ids)
        if since_id is not None:
            low = (bisect_left if options.inclusive_ids else bisect_right)(ids, since_id)
        if until_id is not None:
            high = (bisect_right if options.inclusive_ids else bisect_left)(ids, until_id)
        is_descending = options.order == "desc" and path in ("chats", "dialogs", "messages")
        from_below = not is_descending or (options.since_id_ascending and since_id is not None and until_id is None)
        test = filters(params)
        positions = range(low, high) if from_below else range(high - 1, low - 1, -1)
        found: list[Any] = []
        for position in positions:
            row = rows[position]
            if test(row) and _is_visible(row, clock):
                found.append(row)
                if len(found) == limit:
                    break
        if is_descending == from_below:
            found.reverse()
        return [self.render(path, row, clock) for row in found]

    def _window(self, path: str, rows_of: Callable[[Shop], list[Any]], time_of: Callable[[Any, int], int],
                since: int | None, until: int | None) -> tuple[list[int], list[Any]]:  # fmt: skip
        """Rows of a list between two times, ascending by id; remembered, since pages ask for one window again."""
        shop = self.shop
        if self._version != shop.version:
            self._cache, self._version = {}, shop.version
        key = (path, since, until)
        if key not in self._cache:
            if len(self._cache) > 64:
                self._cache.clear()
            rows = rows_of(shop)
            if since is not None or until is not None:
                low = since if since is not None else -(2**62)
                high = until if until is not None else 2**62
                if not self.options.until_inclusive:
                    high -= 1
                rows = [row for row in rows if low <= time_of(row, shop.clock) <= high]
            self._cache[key] = ([row_id(row) for row in rows], rows)
        return self._cache[key]

    def render(self, path: str, row: Any, clock: int) -> Row:
        """A row of a list as the gateway sends it."""
        if path == "messages":
            return self.message(row, clock)
        if path == "chats":
            return self.chat(row, clock)
        if path == "dialogs":
            return self.dialog(row, clock)
        if path == "members":
            chat, user, joined = row
            return {"id": row_id(row), "chat_id": chat.id, "user_id": user, "is_author": False, "state": "active",
                    "created_at": zoned(joined), "updated_at": zoned(joined)}  # fmt: skip
        return {"channels": self.channel, "users": self.user, "bots": self.bot, "customers": self.customer}[path](row)


def row_id(row: Any) -> int:
    """The id of a row; members have one made of the chat's and the user's."""
    return row[0].id * 1000 + row[1] if isinstance(row, tuple) else row.id


def _is_visible(row: Any, clock: int) -> bool:
    if isinstance(row, Message):
        return row.is_visible(clock)
    return (row[2] if isinstance(row, tuple) else row.created) <= clock


def _members(shop: Shop) -> list[tuple[Chat, int, int]]:
    found: dict[tuple[int, int], tuple[Chat, int, int]] = {}
    for dialog in shop.dialogs:
        for at, kind, person in dialog.assigns:
            if kind == "user" and person is not None:
                found.setdefault((dialog.chat.id, person), (dialog.chat, person, at))
    return [found[key] for key in sorted(found)]


def _single(params: list[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in params:
        grouped.setdefault(re.sub(r"\[\d*\]$", "", name), []).append(value)
    return grouped


def _number(params: dict[str, list[str]], name: str, default: int | None = None) -> int | None:
    if name not in params:
        return default
    text = params[name][-1]
    if not re.fullmatch(r"\d{1,18}", text):
        raise BotApiError(400, f"{name}: must be a number")
    return int(text)


def _instant(params: dict[str, list[str]], name: str) -> int | None:
    if name not in params:
        return None
    text = params[name][-1]
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", text):
        raise BotApiError(400, f"{name}: must be like 2026-03-01T00:00:00.000000Z")
    try:
        return micros(datetime.fromisoformat(text))
    except ValueError:
        raise BotApiError(400, f"{name}: no such moment") from None


Test: TypeAlias = Callable[[Any], bool]


def _equal(params: dict[str, list[str]], checks: dict[str, Callable[[Any], Any]]) -> list[Test]:
    tests: list[Test] = []
    for name, value_of in checks.items():
        if name in params:
            wanted = set(params[name])
            tests.append(lambda row, value_of=value_of, wanted=wanted: str(value_of(row)) in wanted)
    return tests


def _flag(params: dict[str, list[str]], name: str, value_of: Callable[[Any], bool]) -> list[Test]:
    if name not in params:
        return []
    if params[name][-1].lower() not in _MASS:
        raise BotApiError(400, f"{name}: must be 0 or 1")
    wanted = _MASS[params[name][-1].lower()]
    return [lambda row: value_of(row) is wanted]


def _mass(params: dict[str, list[str]], is_mass: Callable[[Any], bool]) -> list[Test]:
    value = params.get("include_mass_communication", ["0"])[-1].lower()
    if value not in _MASS:
        raise BotApiError(400, "include_mass_communication: must be 0 or 1")
    return [] if _MASS[value] else [lambda row: not is_mass(row)]


def _all(tests: Iterable[Test]) -> Test:
    chosen = list(tests)
    return lambda row: all(test(row) for test in chosen)


def _responsible(kind: str) -> Callable[[Dialog], Any]:
    return lambda row: row.assigns[-1][2] if row.assigns and row.assigns[-1][1] == kind else None


def _sender_id(kind: str) -> Callable[[Message], Any]:
    return lambda row: row.sender_id if row.sender == kind else None


_ID: dict[str, Callable[[Any], Any]] = {"id": row_id}
_CHANNEL = {"channel_id": lambda row: row.channel.id, "channel_type": lambda row: row.channel.type}
_LISTS: dict[str, tuple[set[str], Callable[..., Test], Callable[[Shop], list[Any]], Callable[[Any, int], int]]] = {
    "channels": ({"id", "types", "active"},
                 lambda p: _all([*_equal(p, {**_ID, "types": lambda r: r.type}), *_flag(p, "active", lambda r: r.active)]),
                 lambda shop: shop.channels, lambda row, clock: row.created),
    "users": ({"id", "external_id", "online", "active"},
              lambda p: _all([*_equal(p, {**_ID, "external_id": lambda r: r.crm_id}), *_flag(p, "active", lambda r: r.active),
                              *_flag(p, "online", lambda r: False)]),
              lambda shop: shop.users, lambda row, clock: row.created),
    "bots": ({"id", "active", "self", "role"},
             lambda p: _all([*_equal(p, _ID), *_flag(p, "active", lambda r: True), *_flag(p, "self", lambda r: False)]),
             lambda shop: shop.bots, lambda row, clock: row.created),
    "customers": ({"id", "channel_id", "channel_type", "external_id"},
                  lambda p: _all(_equal(p, {**_ID, **_CHANNEL, "external_id": lambda r: (r.phone or f"ig{r.id}").lstrip("+")})),
                  lambda shop: shop.customers, lambda row, clock: row.created),
    "chats": ({"id", "channel_id", "channel_type", "customer_id", "customer_external_id", "include_mass_communication"},
              lambda p: _all(_equal(p, {**_ID, **_CHANNEL, "customer_id": lambda r: r.customer.id,
                                        "customer_external_id": lambda r: (r.customer.phone or f"ig{r.customer.id}").lstrip("+")})),
              lambda shop: shop.chats,
              lambda row, clock: last.time if (last := row.last_message(clock)) else row.created),
    "members": ({"chat_id", "user_id", "state"},
                lambda p: _all(_equal(p, {"chat_id": lambda r: r[0].id, "user_id": lambda r: r[1], "state": lambda r: "active"})),
                _members, lambda row, clock: row[2]),
    "dialogs": ({"id", "chat_id", "user_id", "bot_id", "assign", "active", "include_mass_communication"},
                lambda p: _all([*_equal(p, {**_ID, "chat_id": lambda r: r.chat.id, "user_id": _responsible("user"),
                                            "bot_id": _responsible("bot")}),
                                *_flag(p, "assign", lambda r: bool(r.assigns) and r.assigns[-1][1] is not None),
                                *_flag(p, "active", lambda r: r.closed is None), *_mass(p, lambda r: r.is_mass)]),
                lambda shop: shop.dialogs, lambda row, clock: row.created),
    "messages": ({"id", "chat_id", "dialog_id", "user_id", "customer_id", "bot_id", "channel_id", "channel_type", "scope",
                  "type", "include_mass_communication"},
                 lambda p: _all([*_equal(p, {**_ID, "chat_id": lambda r: r.chat.id, "dialog_id": lambda r: r.dialog.id,
                                             "user_id": _sender_id("user"), "customer_id": _sender_id("customer"),
                                             "bot_id": _sender_id("bot"), "channel_id": lambda r: r.chat.channel.id,
                                             "channel_type": lambda r: r.chat.channel.type, "scope": lambda r: r.scope,
                                             "type": lambda r: r.type}), *_mass(p, lambda r: r.is_mass)]),
                 lambda shop: shop.messages, lambda row, clock: row.time),
}  # fmt: skip
