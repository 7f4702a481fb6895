"""RetailCRM API v5: users, customers, orders and the orders' history, with the vendor's envelope and quirks.

Here: how the CRM spells rows, filters and pages them. Not here: HTTP, faults, limits (``server``). Open in the vendor's
documents and decided here: rows come newest first, a page past the end is an empty list, times are in ``time_zone``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from tests.emulators.shop.model import Customer, Order, Shop, User, micros, moment_of

Row: TypeAlias = dict[str, Any]
GROUPS = {"sales": (1, "Продажи"), "care": (2, "Забота"), "almaty": (3, "Алматы"), "admin": (4, "Администрация")}
LIMITS = (20, 50, 100)
SCOPES = ["customer_read", "order_read", "user_read"]


class V5Error(Exception):
    """An answer with ``success: false``."""

    def __init__(self, status: int, message: str, errors: Any = None) -> None:
        super().__init__(status, message)
        self.status = status
        self.body: Row = {"success": False, "errorMsg": message}
        if errors is not None:
            self.body["errors"] = errors


class V5Api:
    """Answers the calls of API v5 about one shop."""

    def __init__(self, shop: Shop, time_zone: str) -> None:
        self.shop = shop
        self.zone = ZoneInfo(time_zone)
        self._cache: dict[str, list[Row]] = {}
        self._version = -1

    def local(self, at: int) -> str:
        """A moment as the CRM writes it: the account's local time without a zone."""
        return moment_of(at).astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")

    def user(self, row: User) -> Row:
        number, name = GROUPS[row.group]
        return {
            "id": row.crm_id,
            "createdAt": self.local(row.created),
            "active": row.active,
            "online": False,
            "isAdmin": row.group == "admin",
            "isManager": row.is_manager,
            "email": f"user{row.crm_id}@shop.example",
            "firstName": row.first_name,
            "lastName": row.last_name,
            "status": "free",
            "mgUserId": row.id or None,
            "groups": [{"id": number, "name": name, "code": row.group}],
        }

    def customer(self, row: Customer) -> Row:
        orders = [order for order in row.orders if order.created <= self.shop.clock]
        fields: Any = {"jazyk": row.language} if row.language == "kk" else []
        return {
            "type": "customer",
            "id": row.crm_id,
            "externalId": f"c{row.crm_id}",
            "isContact": False,
            "createdAt": self.local(row.created),
            "firstName": row.first_name,
            "lastName": row.last_name,
            "email": "",
            "phones": [{"number": row.phone}] if row.phone else [],
            "managerId": None,
            "site": "teply-kray",
            "mgCustomerId": str(row.id),
            "ordersCount": len(orders),
            "totalSumm": sum(o.total for o in orders),
            "tags": [],
            "customFields": fields,
        }

    def order(self, row: Order) -> Row:
        clock = self.shop.clock
        seen = [change for change in row.history if change[0] <= clock]
        statuses = [change for change in seen if change[1] == "status"]
        payment = next((change for change in reversed(seen) if change[1] == "payment"), None)
        payments: Row = {}
        if payment:
            payments[str(row.id * 10)] = {
                "id": row.id * 10,
                "type": "kaspi" if row.currency == "KZT" else "bank-card",
                "status": "paid",
                "paidAt": self.local(payment[0]),
                "amount": row.total,
            }
        return {
            "id": row.id,
            "number": row.number,
            "status": statuses[-1][2] if statuses else "new",
            "createdAt": self.local(row.created),
            "statusUpdatedAt": self.local(statuses[-1][0] if statuses else row.created),
            "fullPaidAt": self.local(payment[0]) if payment else None,
            "managerId": row.user.crm_id,
            "customer": {"type": "customer", "id": row.customer.crm_id, "firstName": row.customer.first_name},
            "summ": row.total,
            "totalSumm": row.total,
            "prepaySum": row.total if payment else 0,
            "purchaseSumm": row.total * 6 // 10,
            "currency": row.currency,
            "items": row.items,
            "payments": payments,
            "customFields": [],
            "dialogId": row.dialog.id if row.dialog else None,
            "orderMethod": "messenger",
            "site": "teply-kray",
        }

    def history(self) -> list[Row]:
        """All changes of all orders up to now; ids follow their moments."""
        changes = sorted(
            ((at, order.id, field, value, order) for order in self.shop.orders for at, field, value in order.history),
            key=lambda change: change[:3],
        )
        rows, old = [], {}
        for number, (at, order_id, field, value, order) in enumerate(changes):
            if at <= self.shop.clock:
                rows.append(
                    {
                        "id": 500_001 + number,
                        "createdAt": self.local(at),
                        "created": field == "status" and value == "new",
                        "source": "user",
                        "user": {"id": order.user.crm_id},
                        "field": field,
                        "oldValue": old.get((order_id, field)),
                        "newValue": {"code": value} if field == "status" else value,
                        "order": {
                            "id": order_id,
                            "number": order.number,
                            "managerId": order.user.crm_id,
                            "site": "teply-kray",
                        },
                    }
                )
            old[order_id, field] = {"code": value} if field == "status" else value
        return rows

    def get(self, path: str, params: list[tuple[str, str]]) -> Row:
        """Answer ``GET /api/v5/<path>``.

        Raises:
            V5Error: the vendor's answer is an error.
        """
        with self.shop.lock:
            if path not in _CALLS:
                raise V5Error(404, "Not found")
            return self._page(path, params)

    def rows(self, path: str) -> list[Row]:
        """All rows of a list that exist now, newest first (history: oldest first); not to be changed."""
        if self._version != self.shop.version:
            self._cache, self._version = {}, self.shop.version
        if path not in self._cache:
            self._cache[path] = self._rows(path)
        return self._cache[path]

    def _rows(self, path: str) -> list[Row]:
        clock = self.shop.clock
        if path == "users":
            return [self.user(row) for row in self.shop.users if row.created <= clock]
        if path == "customers":
            return [self.customer(row) for row in reversed(self.shop.customers) if row.crm_id and row.created <= clock]
        if path == "orders":
            return [self.order(row) for row in reversed(self.shop.orders) if row.created <= clock]
        return self.history()

    def _page(self, path: str, params: list[tuple[str, str]]) -> Row:
        limit, page = 20, 1
        wanted: dict[str, list[str]] = {}
        for name, value in params:
            bracket = re.fullmatch(r"filter\[(\w+)\](\[\d*\])?", name)
            if bracket:
                wanted.setdefault(bracket[1], []).append(value)
            elif name == "limit":
                if value not in map(str, LIMITS):
                    raise V5Error(400, "Validation error", {"limit": "The value you selected is not a valid choice."})
                limit = int(value)
            elif name == "page":
                if not re.fullmatch(r"[1-9]\d{0,6}", value):
                    raise V5Error(400, "Validation error", {"page": "This value is not valid."})
                page = int(value)
            elif name != "apiKey":
                raise V5Error(400, "Validation error", [f"This form should not contain extra fields: {name}"])
        known = _CALLS[path]
        extra = sorted(set(wanted) - set(known))
        if extra:
            raise V5Error(400, "Validation error", {f"filter[{name}]": "This field is not expected." for name in extra})
        found = self.rows(path)
        for name, values in wanted.items():
            test = known[name](values)
            found = [row for row in found if test(row)]
        pages = -(-len(found) // limit)
        body: Row = {
            "success": True,
            "pagination": {
                "limit": limit,
                "totalCount": len(found),
                "currentPage": page,
                "totalPageCount": max(pages, 1),
            },
        }
        if path == "orders/history":
            body["generatedAt"] = self.local(self.shop.clock)
        body[list_key(path)] = found[(page - 1) * limit : page * limit]
        return body


def list_key(path: str) -> str:
    """The name of the list in the answer."""
    return path.rsplit("/", 1)[-1]


Filter: TypeAlias = Callable[[list[str]], Callable[[Row], bool]]


def _in(value_of: Callable[[Row], Any]) -> Filter:
    return lambda values: lambda row: str(value_of(row)) in values


def _flag(field: str) -> Filter:
    def build(values: list[str]) -> Callable[[Row], bool]:
        if values[-1] not in ("0", "1"):
            raise V5Error(400, "Validation error", {f"filter[{field}]": "This value is not valid."})
        return lambda row: row[field] is (values[-1] == "1")

    return build


def _from(field: str) -> Filter:
    def build(values: list[str]) -> Callable[[Row], bool]:
        # a date alone begins at midnight; the CRM's texts compare like their moments
        low = _moment_text(values[-1])
        return lambda row: bool(row[field]) and row[field] >= low

    return build


def _to(field: str) -> Filter:
    def build(values: list[str]) -> Callable[[Row], bool]:
        high = _moment_text(values[-1])
        # a date alone means the whole day
        high = f"{high} 23:59:59" if len(high) == 10 else high
        return lambda row: bool(row[field]) and row[field] <= high

    return build


def _moment_text(text: str) -> str:
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d"):
        try:
            datetime.strptime(text, form)
        except ValueError:
            continue
        return text
    raise V5Error(400, "Validation error", {"filter": "Date format is not valid."})


def _since(values: list[str]) -> Callable[[Row], bool]:
    if not values[-1].isdigit():
        raise V5Error(400, "Validation error", {"filter[sinceId]": "This value is not valid."})
    return lambda row: row["id"] > int(values[-1])


_CALLS: dict[str, dict[str, Filter]] = {
    "users": {
        "ids": _in(lambda row: row["id"]),
        "active": _flag("active"),
        "isManager": _flag("isManager"),
        "email": _in(lambda row: row["email"]),
        "groups": _in(lambda row: row["groups"][0]["code"]),
        "createdAtFrom": _from("createdAt"),
        "createdAtTo": _to("createdAt"),
    },
    "customers": {
        "ids": _in(lambda row: row["id"]),
        "name": _in(lambda row: f"{row['firstName']} {row['lastName']}"),
        "email": _in(lambda row: row["email"]),
        "mgCustomerId": _in(lambda row: row["mgCustomerId"]),
        "dateFrom": _from("createdAt"),
        "dateTo": _to("createdAt"),
    },
    "orders": {
        "ids": _in(lambda row: row["id"]),
        "numbers": _in(lambda row: row["number"]),
        "customerId": _in(lambda row: row["customer"]["id"]),
        "customer": _in(lambda row: row["customer"]["firstName"]),
        "managers": _in(lambda row: row["managerId"]),
        "extendedStatus": _in(lambda row: row["status"]),
        "createdAtFrom": _from("createdAt"),
        "createdAtTo": _to("createdAt"),
        "statusUpdatedAtFrom": _from("statusUpdatedAt"),
        "statusUpdatedAtTo": _to("statusUpdatedAt"),
    },
    "orders/history": {
        "sinceId": _since,
        "orderId": _in(lambda row: row["order"]["id"]),
        "startDate": _from("createdAt"),
        "endDate": _to("createdAt"),
    },
}


def order_created(order: Row, zone: ZoneInfo) -> int:
    """The moment of an order's ``createdAt``, for the ledger."""
    return micros(datetime.strptime(order["createdAt"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone))
