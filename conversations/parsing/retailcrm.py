"""RetailCRM's payloads: MessageGateway Bot API v1 and API v5 (users, customers, orders).

Here: what each field of a row means in our words, with every quirk of this vendor. Not here: reading them
(``resources.sources.retailcrm``). One row in, records or one reason code out; whatever is outside the documented
vocabulary is quarantined by reason and never guessed.

Choices that the vendor leaves open:

- A manager is known by his MessageGateway id; a CRM user with ``mgUserId`` is the same person and brings name and team.
  People of the CRM alone (``crm28``) and its customer cards (``crm4924``) keep ids of their own: a card is a person, a
  MessageGateway customer is one account of his on one channel, and joining them is the identity map's work.
- No field is a sequence of the channel, so ``source_seq`` stays empty: history that an account loads later gets high
  ids and old times, and belongs where its times say.
- The lists have no deletion mark. A message that a complete re-read missed keeps its effect on waits, loses its text
  and is flagged; ``deleted_at`` stays empty, because nobody says when.
- A dialog is open while ``closed_at`` is null; ``is_active`` is true for closed ones too in the vendor's own fixtures.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from conversations.parsing import retailcrm_v5 as v5
from conversations.parsing.fields import Odd, boolean, flag_of, identifier, instant, mapping, optional_text, text
from conversations.parsing.flags import GONE_AT_SOURCE, UNKNOWN_DELIVERY_STATUS
from conversations.records import (
    Channel,
    ContentKind,
    Conversation,
    Customer,
    DeliveryStatus,
    Direction,
    Event,
    EventKind,
    IdKind,
    Manager,
    Message,
    Quarantined,
    Record,
    SenderKind,
)
from conversations.source import RawRecord

PAYMENT_HOSTS = (
    "pay.kaspi.kz",
    "qr.nspk.ru",
    "robokassa.ru",
    "securepay.tinkoff.ru",
    "securepayments.sberbank.ru",
    "yookassa.ru",
    "yoomoney.ru",
)
"""Hosts whose links are payment links; an account's own are given to the parser."""

_SIGNS = {"RUB": "₽", "KZT": "₸", "USD": "$", "EUR": "€"}

_STATUSES: Mapping[str, DeliveryStatus] = {
    "sending": "unknown",
    "sent": "sent",
    "received": "delivered",
    "seen": "read",
    "failed": "failed",
}
_WITH_ITEMS = frozenset({"file", "image", "audio", "video"})
_URL = re.compile(r"https?://[^\s<>\"']+")
_STICKER_SIDE = 512
"""WhatsApp and Telegram send a sticker as a WebP of 512 by 512; photos of customers come as JPEG."""


class RetailCRMParser:
    """Understands every stream of ``RetailCRMSource``.

    ``no_reply_needed_marks``: texts of a private note by which a manager says that nothing is owed.
    ``autoreply_names``: parts of the names of bots that only greet or say that nobody is there.
    ``time_zone``: of the account, for API v5. ``mg_user_ids``: CRM user id to MessageGateway id, for orders.
    ``handoff_message_ids``: assignments that took a dialog from a bot; one row alone does not tell what was before.
    """

    def __init__(
        self,
        no_reply_needed_marks: Collection[str] = ("#безответа", "#без ответа"),
        autoreply_names: Collection[str] = ("автоответ",),
        payment_hosts: Collection[str] = PAYMENT_HOSTS,
        time_zone: str = "Europe/Moscow",
        mg_user_ids: Mapping[str, str] | None = None,
        handoff_message_ids: Collection[str] = frozenset(),
    ) -> None:
        self._marks = frozenset(_folded(mark) for mark in no_reply_needed_marks)
        self._autoreply_names = tuple(_folded(name) for name in autoreply_names)
        self._payment_hosts = tuple(host.lower() for host in payment_hosts)
        self._handoffs = frozenset(handoff_message_ids)
        self._crm = v5.V5Parser(time_zone, mg_user_ids or {})
        self._parsers = {
            "channels": self._channel,
            "users": self._user,
            "bots": self._bot,
            "chats": self._chat,
            "dialogs": self._dialog,
            "messages": self._message,
            "crm_users": self._crm.user,
            "customers": self._crm.customer,
            "orders": self._crm.order,
        }

    def is_vendor_id(self, kind: IdKind, local: str) -> bool:
        """All are numbers of the vendor, with a word in front where two of his lists count anew."""
        return True

    def parse(self, stream: str, row: RawRecord) -> Iterable[Record | Quarantined]:
        """Understand one row of one stream.

        Raises:
            KeyError: a stream that the source does not have.
        """
        parse = self._parsers[stream]
        try:
            return list(parse(row))
        except Odd as odd:
            event_at = instant(row.payload, "time") or instant(row.payload, "created_at")
            return [Quarantined(row.connection_id, stream, row.external_id, odd.reason, event_at)]

    # directories ------------------------------------------------------------------------------------------------

    def _channel(self, row: RawRecord) -> Iterator[Record]:
        payload, connection = row.payload, row.connection_id
        kind = text(payload, "type")
        name = optional_text(payload, "name") or kind
        yield Channel(
            f"{connection}:{identifier(payload, 'id')}", connection, kind, name, boolean(payload, "is_active")
        )

    def _user(self, row: RawRecord) -> Iterator[Record]:
        payload, connection = row.payload, row.connection_id
        name = " ".join(filter(None, (optional_text(payload, "first_name"), optional_text(payload, "last_name"))))
        number = identifier(payload, "id")
        yield Manager(f"{connection}:{number}", connection, name or number, None, boolean(payload, "is_active"))

    def _bot(self, row: RawRecord) -> Iterator[Record]:
        # bots are known by what they write; there is no table of them
        identifier(row.payload, "id")
        return iter(())

    # chats and dialogs ------------------------------------------------------------------------------------------

    def _chat(self, row: RawRecord) -> Iterator[Record]:
        payload, connection = row.payload, row.connection_id
        customer_id = None
        if payload.get("customer") is not None:
            customer = mapping(payload, "customer")
            customer_id = f"{connection}:{identifier(customer, 'id')}"
            name = optional_text(customer, "name") or optional_text(payload, "name")
            yield Customer(customer_id, connection, name, optional_text(customer, "phone"), None)
        yield Conversation(
            conversation_id=f"{connection}:{identifier(payload, 'id')}",
            connection_id=connection,
            channel_id=f"{connection}:{identifier(mapping(payload, 'channel'), 'id')}",
            customer_id=customer_id,
            created_at=instant(payload, "created_at"),
            is_untimed=False,
            flags=(),
        )

    def _dialog(self, row: RawRecord) -> Iterator[Record]:
        payload = row.payload
        identifier(payload, "id"), identifier(payload, "chat_id")
        if payload.get("responsible") is not None:
            responsible = mapping(payload, "responsible")
            # fixtures show a responsible without the moment; the system message then tells it
            if (assigned_at := instant(responsible, "assigned_at")) is not None:
                yield _event(row, payload["id"], "assigned", assigned_at, _assignee(row.connection_id, responsible))
        if payload.get("closed_at") is not None:
            closed_at = instant(payload, "closed_at")
            if closed_at is None:
                raise Odd("bad_time")
            yield _event(row, payload["id"], "closed", closed_at, None)

    # messages ---------------------------------------------------------------------------------------------------

    def _message(self, row: RawRecord) -> Iterator[Record]:
        payload, connection = row.payload, row.connection_id
        sent_at = instant(payload, "time")
        if sent_at is None:
            raise Odd("bad_time")
        kind = text(payload, "type")
        scope = text(payload, "scope")
        if scope not in ("public", "private"):
            raise Odd("unknown_scope")
        is_public = scope == "public"
        sender, sender_kind, direction = self._sender(payload, kind, is_public)
        words = None if kind == "system" else _words(payload)
        if kind in ("product", "order"):
            words = _card(payload, kind, words)
        status, status_flags = _status(payload)
        is_gone = row.gone_at is not None
        manager_id = f"{connection}:{sender}" if sender_kind in ("manager", "note") and self._is_user(payload) else None
        yield Message(
            conversation_id=f"{connection}:{identifier(payload, 'chat_id')}",
            message_id=identifier(payload, "id"),
            connection_id=connection,
            sent_at=sent_at,
            source_seq=None,
            direction=direction,
            sender_kind=sender_kind,
            manager_id=manager_id,
            customer_id=f"{connection}:{sender}" if sender_kind == "customer" else None,
            is_public=is_public,
            delivery_status=status,
            content_kind=self._content_kind(payload, kind, words),
            text=None if is_gone else words,
            edited_at=instant(payload, "updated_at") if flag_of(payload, "is_edit") else None,
            deleted_at=None,
            call_answered=None,
            talk_seconds=None,
            flags=(*((GONE_AT_SOURCE,) if is_gone else ()), *status_flags),
        )
        if kind == "system":
            yield from self._system_events(row, sent_at)
        elif sender_kind == "note" and manager_id and words and _folded(words) in self._marks:
            yield Event(
                conversation_id=f"{connection}:{identifier(payload, 'chat_id')}",
                event_id=f"m{identifier(payload, 'id')}:no_reply_needed",
                connection_id=connection,
                kind="no_reply_needed",
                at=sent_at,
                manager_id=manager_id,
            )

    def _sender(self, payload: Mapping[str, Any], kind: str, is_public: bool) -> tuple[str, SenderKind, Direction]:
        if kind == "system":
            return "", "system", "none"
        sender = payload.get("from")
        if not isinstance(sender, dict):
            raise Odd("unmapped_sender")
        number, role = identifier(sender, "id"), sender.get("type")
        if role == "customer":
            return number, "customer", "in"
        if role not in ("user", "bot"):
            raise Odd("unmapped_sender")
        if not is_public:
            return number, "note", "none"
        if role == "user":
            return number, "manager", "out"
        name = _folded(optional_text(sender, "name") or "")
        return number, "autoreply" if any(part in name for part in self._autoreply_names) else "bot", "out"

    def _is_user(self, payload: Mapping[str, Any]) -> bool:
        return mapping(payload, "from").get("type") == "user"

    def _content_kind(self, payload: Mapping[str, Any], kind: str, words: str | None) -> ContentKind:
        if kind in ("text", "command", "system"):
            return "payment_link" if words and self._has_payment_link(words) else "text"
        if kind in ("order", "product"):
            # a card of goods; our vocabulary knows a link to pay and everything else that is not words
            return "payment_link" if words and self._has_payment_link(words) else "media"
        if kind in _WITH_ITEMS:
            return "sticker" if _is_sticker(payload, words) else "media"
        raise Odd("unknown_message_type")

    def _has_payment_link(self, words: str) -> bool:
        for url in _URL.findall(words):
            try:
                host = (urlsplit(url).hostname or "").lower()
            except ValueError:
                continue
            if any(host == known or host.endswith(f".{known}") for known in self._payment_hosts):
                return True
        return False

    def _system_events(self, row: RawRecord, at: datetime) -> Iterator[Event]:
        payload = row.payload
        action = payload.get("action")
        if action not in ("dialog_assign", "dialog_closed"):
            # opened, joined, left and whatever comes later change no responsibility
            return
        dialog_id = identifier(mapping(payload, "dialog"), "id")
        if action == "dialog_closed":
            yield _event(row, dialog_id, "closed", at, None)
            return
        manager_id = None
        if payload.get("responsible") is not None:
            manager_id = _assignee(row.connection_id, mapping(payload, "responsible"))
        yield _event(row, dialog_id, "assigned", at, manager_id)
        if manager_id is not None and identifier(payload, "id") in self._handoffs:
            yield _event(row, dialog_id, "handoff", at, manager_id)


def _event(row: RawRecord, dialog_id: Any, kind: EventKind, at: datetime, manager_id: str | None) -> Event:
    """One event of a dialog; its id is the same from the dialog's row and from the system message about it."""
    return Event(
        conversation_id=f"{row.connection_id}:{identifier(row.payload, 'chat_id')}",
        event_id=f"d{dialog_id}:{kind}:{int(at.timestamp())}",
        connection_id=row.connection_id,
        kind=kind,
        at=at.replace(microsecond=0).astimezone(UTC),
        manager_id=manager_id,
    )


def _assignee(connection_id: str, responsible: Mapping[str, Any]) -> str | None:
    """The manager in charge; a bot in charge means that no manager is."""
    role = responsible.get("type")
    if role not in ("user", "bot"):
        raise Odd("unknown_responsible")
    return f"{connection_id}:{identifier(responsible, 'id')}" if role == "user" else None


def _words(payload: Mapping[str, Any]) -> str | None:
    """What was written: the text, the note beside an attachment or a card, else the captions of the attachments."""
    for field in ("content", "note"):
        if found := optional_text(payload, field):
            return found
    captions = [optional_text(item, "caption") for item in _items(payload)]
    return "\n".join(caption for caption in captions if caption) or None


def _card(payload: Mapping[str, Any], kind: str, note: str | None) -> str | None:
    """What a customer reads on a card of goods or of an order: the note beside it, name or number, and the sum."""
    card = payload.get(kind)
    if not isinstance(card, dict):
        return note
    name, number, cost = optional_text(card, "name"), optional_text(card, "number"), card.get("cost")
    if kind == "order":
        name = f"Заказ {number}" if number else None
    price = None
    if isinstance(cost, dict) and isinstance(cost.get("value"), int | float):
        currency = optional_text(cost, "currency") or ""
        price = f"{cost['value']:,.2f} {_SIGNS.get(currency, currency)}".replace(",", " ").replace(".00", "").rstrip()
    read = ", ".join(part for part in (name, price) if part)
    return "\n".join(part for part in (note if note != name else None, read) if part) or None


def _items(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    items = payload.get("items")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _is_sticker(payload: Mapping[str, Any], words: str | None) -> bool:
    items = _items(payload)
    if words or len(items) != 1 or items[0].get("type") != "image/webp":
        return False
    sides = (items[0].get("width"), items[0].get("height"))
    return sides == (_STICKER_SIDE, _STICKER_SIDE)


def _status(payload: Mapping[str, Any]) -> tuple[DeliveryStatus, tuple[str, ...]]:
    said = payload.get("status")
    if said is None:
        return "unknown", ()
    status = _STATUSES.get(said) if isinstance(said, str) else None
    return (status, ()) if status else ("unknown", (UNKNOWN_DELIVERY_STATUS,))


def _folded(words: str) -> str:
    return " ".join(words.lower().replace("ё", "е").split())
