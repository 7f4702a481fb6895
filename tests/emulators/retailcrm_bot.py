"""RetailCRM MessageGateway Bot API v1: the lists of channels, people, chats, dialogs and messages.

Here: how the gateway filters and pages. Not here: rows (``retailcrm_bot_rows``), HTTP, faults, limits (``server``).

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
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import quote

from tests.emulators.retailcrm_bot_rows import BotRows, Row, row_id
from tests.emulators.shop.model import Chat, Dialog, Message, Shop, micros

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


class BotApi:
    """Answers the calls of the Bot API about one shop."""

    def __init__(self, shop: Shop, options: BotOptions | None = None) -> None:
        self.shop = shop
        self.options = options or BotOptions()
        self.rows = BotRows(shop)
        self._cache: dict[tuple[Any, ...], tuple[list[int], list[Any]]] = {}
        self._version = -1

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
        return [self.rows.render(path, row, clock) for row in found]

    def _window(
        self,
        path: str,
        rows_of: Callable[[Shop], list[Any]],
        time_of: Callable[[Any, int], int],
        since: int | None,
        until: int | None,
    ) -> tuple[list[int], list[Any]]:
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
    "channels": (
        {"id", "types", "active"},
        lambda p: _all([*_equal(p, {**_ID, "types": lambda r: r.type}), *_flag(p, "active", lambda r: r.active)]),
        lambda shop: shop.channels,
        lambda row, clock: row.created,
    ),
    "users": (
        {"id", "external_id", "online", "active"},
        lambda p: _all(
            [
                *_equal(p, {**_ID, "external_id": lambda r: r.crm_id}),
                *_flag(p, "active", lambda r: r.active),
                *_flag(p, "online", lambda r: False),
            ]
        ),
        lambda shop: shop.users,
        lambda row, clock: row.created,
    ),
    "bots": (
        {"id", "active", "self", "role"},
        lambda p: _all([*_equal(p, _ID), *_flag(p, "active", lambda r: True), *_flag(p, "self", lambda r: False)]),
        lambda shop: shop.bots,
        lambda row, clock: row.created,
    ),
    "customers": (
        {"id", "channel_id", "channel_type", "external_id"},
        lambda p: _all(_equal(p, {**_ID, **_CHANNEL, "external_id": lambda r: (r.phone or f"ig{r.id}").lstrip("+")})),
        lambda shop: shop.customers,
        lambda row, clock: row.created,
    ),
    "chats": (
        {"id", "channel_id", "channel_type", "customer_id", "customer_external_id", "include_mass_communication"},
        lambda p: _all(
            _equal(
                p,
                {
                    **_ID,
                    **_CHANNEL,
                    "customer_id": lambda r: r.customer.id,
                    "customer_external_id": lambda r: (r.customer.phone or f"ig{r.customer.id}").lstrip("+"),
                },
            )
        ),
        lambda shop: shop.chats,
        lambda row, clock: last.time if (last := row.last_message(clock)) else row.created,
    ),
    "members": (
        {"chat_id", "user_id", "state"},
        lambda p: _all(
            _equal(p, {"chat_id": lambda r: r[0].id, "user_id": lambda r: r[1], "state": lambda r: "active"})
        ),
        _members,
        lambda row, clock: row[2],
    ),
    "dialogs": (
        {"id", "chat_id", "user_id", "bot_id", "assign", "active", "include_mass_communication"},
        lambda p: _all(
            [
                *_equal(
                    p,
                    {
                        **_ID,
                        "chat_id": lambda r: r.chat.id,
                        "user_id": _responsible("user"),
                        "bot_id": _responsible("bot"),
                    },
                ),
                *_flag(p, "assign", lambda r: bool(r.assigns) and r.assigns[-1][1] is not None),
                *_flag(p, "active", lambda r: r.closed is None),
                *_mass(p, lambda r: r.is_mass),
            ]
        ),
        lambda shop: shop.dialogs,
        lambda row, clock: row.created,
    ),
    "messages": (
        {
            "id",
            "chat_id",
            "dialog_id",
            "user_id",
            "customer_id",
            "bot_id",
            "channel_id",
            "channel_type",
            "scope",
            "type",
            "include_mass_communication",
        },
        lambda p: _all(
            [
                *_equal(
                    p,
                    {
                        **_ID,
                        "chat_id": lambda r: r.chat.id,
                        "dialog_id": lambda r: r.dialog.id,
                        "user_id": _sender_id("user"),
                        "customer_id": _sender_id("customer"),
                        "bot_id": _sender_id("bot"),
                        "channel_id": lambda r: r.chat.channel.id,
                        "channel_type": lambda r: r.chat.channel.type,
                        "scope": lambda r: r.scope,
                        "type": lambda r: r.type,
                    },
                ),
                *_mass(p, lambda r: r.is_mass),
            ]
        ),
        lambda shop: shop.messages,
        lambda row, clock: row.time,
    ),
}
