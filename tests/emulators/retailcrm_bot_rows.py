"""How the MessageGateway spells its rows: channels, people, chats, dialogs, messages, with the quirks of its fixtures.

Here: one row of the shop in, one JSON object out. Not here: filters and paging (``retailcrm_bot``).
"""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any, TypeAlias

from tests.emulators.shop.model import DAY, Bot, Channel, Chat, Customer, Dialog, Message, Shop, User, moment_of

Row: TypeAlias = dict[str, Any]
MOSCOW = timezone(timedelta(hours=3))


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


def row_id(row: Any) -> int:
    """The id of a row; members have one made of the chat's and the user's."""
    return row[0].id * 1000 + row[1] if isinstance(row, tuple) else row.id


class BotRows:
    """Spells the rows of one shop."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self._bots = {bot.id: bot for bot in shop.bots}
        self._users = {user.id: user for user in shop.users}

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
            return {
                "id": row_id(row),
                "chat_id": chat.id,
                "user_id": user,
                "is_author": False,
                "state": "active",
                "created_at": zoned(joined),
                "updated_at": zoned(joined),
            }
        return {"channels": self.channel, "users": self.user, "bots": self.bot, "customers": self.customer}[path](row)

    def channel(self, row: Channel) -> Row:
        return {
            "id": row.id,
            "type": row.type,
            "name": row.name,
            "is_active": row.active,
            "settings": {"status": {"delivered": "send"}, "text": {"creating": "both", "max_chars_count": 4096}},
            "created_at": zoned(row.created),
            "updated_at": zoned(row.created),
        }

    def user(self, row: User) -> Row:
        return {
            "id": row.id,
            "external_id": str(row.crm_id),
            "first_name": row.first_name,
            "last_name": row.last_name,
            "username": None,
            "is_active": row.active,
            "is_online": False,
            "avatar": "",
            "role": "manager",
            "created_at": zoned(row.created),
            "updated_at": zoned(row.created),
        }

    def bot(self, row: Bot) -> Row:
        return {
            "id": row.id,
            "name": row.name,
            "is_active": True,
            "is_self": False,
            "is_system": False,
            "roles": list(row.roles),
            "created_at": zoned(row.created),
            "updated_at": zoned(row.created),
        }

    def customer(self, row: Customer) -> Row:
        return {
            "id": row.id,
            "external_id": row.phone.lstrip("+") if row.phone else f"ig{row.id}",
            "channel_id": row.channel.id,
            "first_name": row.first_name,
            "last_name": row.last_name,
            "username": row.nick,
            "phone": row.phone or "",
            "language": row.language,
            "country": "",
            "is_blocked": False,
            "utm": None,
            "created_at": zoned(row.created),
            "updated_at": zoned(row.created),
        }

    def chat(self, row: Chat, clock: int) -> Row:
        last = row.last_message(clock)
        activity = last.time if last else row.created
        asked = next((m for m in reversed(row.messages) if m.is_visible(clock) and m.sender == "customer"), None)
        deadline = zoned(asked.time + DAY) if asked and row.channel.type == "whatsapp" else None
        return {
            "id": row.id,
            "avatar": "",
            "name": row.customer.name or row.customer.nick or "",
            "channel": {
                "id": row.channel.id,
                "type": row.channel.type,
                "name": row.channel.name,
                "is_active": row.channel.active,
                "settings": {},
            },
            "customer": {
                "id": row.customer.id,
                "external_id": self.customer(row.customer)["external_id"],
                "type": "customer",
                "name": row.customer.name,
                "phone": row.customer.phone or "",
            },
            "members": None,
            "author_id": row.customer.id,
            "last_message": self.message(last, clock, is_short=True) if last else None,
            "last_activity": zoned(activity),
            "reply_deadline": deadline,
            "created_at": zoned(row.created),
            "updated_at": zoned(max(activity, row.created)),
        }

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
            "id": row.id,
            "chat_id": row.chat.id,
            "begin_message_id": seen[0].id if seen else None,
            "ending_message_id": seen[-1].id if closed is not None and seen else None,
            "created_at": zoned(row.created),
            "updated_at": zoned(max([row.created, *(a[0] for a in assigned), closed or 0])),
            "closed_at": zoned(closed) if closed is not None else None,
            "is_assigned": responsible is not None,
            "responsible": responsible,
            # the quirk of the vendor's fixtures: active and closed at once; openness is closed_at being null
            "is_active": closed is None or row.id % 3 == 0,
            "utm": None,
        }

    def message(self, row: Message, clock: int, is_short: bool = False) -> Row:
        failed = row.failed is not None and row.failed <= clock
        body: Row = {
            "id": row.id,
            "time": message_time(row),
            "type": row.type,
            "scope": row.scope,
            "chat_id": row.chat.id,
            "is_read": row.sender != "customer" or row.time + DAY < clock,
            "is_edit": any(at <= clock for at, _ in row.edits),
            "status": "failed" if failed else "received" if row.id % 4 == 0 or row.sender is None else "seen",
            "dialog": {"id": row.dialog.id},
            "channel_id": row.chat.channel.id,
            "created_at": zoned(row.created),
            "updated_at": zoned(row.updated(clock)),
        }
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
                body["quote"] = {
                    "id": asked.id,
                    "type": asked.type,
                    "from": self._sender(asked),
                    "time": message_time(asked),
                    "content": asked.text(clock),
                }
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
