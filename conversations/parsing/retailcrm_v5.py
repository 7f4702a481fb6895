"""RetailCRM API v5 payloads: users, customers, orders.

Here: what their fields mean, and the vendor's polymorphic ones: ``payments`` is an object keyed by payment id in lists
and an array elsewhere, ``customFields`` an object or ``[]``. Not here: MessageGateway (``retailcrm``), which uses this
module. Times have no zone and mean the account's own (``time_zone``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from conversations.parsing.fields import Odd, boolean, identifier, optional_text, text
from conversations.records import Customer, Manager, Order, Record
from conversations.source import RawRecord

_WITHOUT_MINOR_UNIT = frozenset({"CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND"})


class V5Parser:
    """``mg_user_ids`` maps a CRM user id to the MessageGateway id of the same person."""

    def __init__(self, time_zone: str, mg_user_ids: Mapping[str, str]) -> None:
        self._zone = ZoneInfo(time_zone)
        self._mg_user_ids = mg_user_ids

    def user(self, row: RawRecord) -> Iterator[Record]:
        """A CRM user is a manager; ``mgUserId`` is the certain join to the one who writes in chats."""
        payload, connection = row.payload, row.connection_id
        number = identifier(payload, "id")
        mg_user_id = payload.get("mgUserId")
        own = f"crm{number}" if mg_user_id in (None, "") else identifier(payload, "mgUserId")
        name = " ".join(filter(None, (optional_text(payload, "firstName"), optional_text(payload, "lastName"))))
        yield Manager(f"{connection}:{own}", connection, name or number, _team(payload), boolean(payload, "active"))

    def customer(self, row: RawRecord) -> Iterator[Record]:
        """A customer card of the CRM."""
        payload, connection = row.payload, row.connection_id
        name = " ".join(filter(None, (optional_text(payload, "firstName"), optional_text(payload, "lastName"))))
        yield Customer(
            f"{connection}:crm{identifier(payload, 'id')}",
            connection,
            name or None,
            _phone(payload),
            self._instant(payload, "createdAt"),
        )

    def order(self, row: RawRecord) -> Iterator[Record]:
        """An order; amounts in minor units, exactly."""
        payload, connection = row.payload, row.connection_id
        created_at = self._instant(payload, "createdAt")
        if created_at is None:
            raise Odd("bad_time")
        currency = optional_text(payload, "currency")
        customer = payload.get("customer")
        yield Order(
            order_id=f"{connection}:{identifier(payload, 'id')}",
            connection_id=connection,
            number=identifier(payload, "number"),
            status=text(payload, "status"),
            customer_id=f"{connection}:crm{identifier(customer, 'id')}" if isinstance(customer, dict) else None,
            manager_id=self._manager_id(connection, payload),
            total_minor=_minor(payload.get("totalSumm"), currency),
            currency=currency,
            created_at=created_at,
            paid_at=self._paid_at(payload),
        )

    def _manager_id(self, connection: str, payload: Mapping[str, Any]) -> str | None:
        if payload.get("managerId") is None:
            return None
        number = identifier(payload, "managerId")
        return f"{connection}:{self._mg_user_ids.get(number, f'crm{number}')}"

    def _paid_at(self, payload: Mapping[str, Any]) -> datetime | None:
        """When it was paid in full: the vendor's own field, else the last payment if together they cover the total."""
        if payload.get("fullPaidAt"):
            return self._instant(payload, "fullPaidAt")
        paid = [payment for payment in _payments(payload) if payment.get("status") == "paid" and payment.get("paidAt")]
        total = _amount(payload.get("totalSumm"))
        if not paid or total is None or sum((_amount(payment.get("amount")) or Decimal(0)) for payment in paid) < total:
            return None
        return max((at for payment in paid if (at := self._instant(payment, "paidAt"))), default=None)

    def _instant(self, payload: Mapping[str, Any], field: str) -> datetime | None:
        value = payload.get(field)
        if not value:
            return None
        try:
            found = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise Odd("bad_time") from None
        # a time without zone is the account's; where the clock showed it twice, the first reading holds
        return (found if found.tzinfo else found.replace(tzinfo=self._zone)).astimezone(UTC)


def _team(payload: Mapping[str, Any]) -> str | None:
    groups = payload.get("groups")
    first = groups[0] if isinstance(groups, list) and groups and isinstance(groups[0], dict) else {}
    return optional_text(first, "code") or optional_text(first, "name")


def _phone(payload: Mapping[str, Any]) -> str | None:
    phones = payload.get("phones")
    listed = phones if isinstance(phones, list) else []
    numbers = (optional_text(phone, "number") for phone in listed if isinstance(phone, dict))
    return next((number for number in numbers if number), None)


def _payments(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    payments = payload.get("payments")
    found = payments.values() if isinstance(payments, dict) else payments if isinstance(payments, list) else ()
    return [payment for payment in found if isinstance(payment, dict)]


def _amount(value: Any) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        # through text: a float of the decoded JSON is then the number that the vendor wrote
        return Decimal(str(value))
    except InvalidOperation:
        raise Odd("bad_amount") from None


def _minor(value: Any, currency: str | None) -> int | None:
    amount = _amount(value)
    if amount is None:
        return None
    if not amount.is_finite():
        raise Odd("bad_amount")
    minor = amount * (1 if currency in _WITHOUT_MINOR_UNIT else 100)
    if minor != minor.to_integral_value():
        raise Odd("bad_amount")
    return int(minor)
