"""How the chats page of the CRM spells its rows: channels, chats and messages as nodes of GraphQL connections.

Here: one row of the shop in, one node out. Not here: batches, paging, the session (``retailcrm_web``).

The vendor documents nothing of this. The fields that public integrations read are ``id``, ``__typename``, ``type``,
``time``, ``author``, ``content``, ``note``, ``action`` and those of chats; ``scope``, ``dialog``, ``responsible``,
``status``, ``items``, ``isEdited`` and ``isDeleted`` are our reading of what the page must ask for to draw what it
draws, and can be left out with ``is_bare``.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from tests.emulators.retailcrm_bot_rows import message_time, zoned
from tests.emulators.shop.model import Channel, Chat, Message, Shop

Node: TypeAlias = dict[str, Any]
BARE = ("id", "__typename", "type", "time", "author", "content", "note", "action")


class WebRows:
    """Spells the rows of one shop."""

    def __init__(self, shop: Shop, is_bare: bool = False) -> None:
        self.shop = shop
        self.is_bare = is_bare
        self._bots = {bot.id: bot for bot in shop.bots}
        self._users = {user.id: user for user in shop.users}

    def channel(self, row: Channel) -> Node:
        return {"__typename": "Channel", "id": row.id, "type": row.type.upper(), "name": row.name}

    def chat(self, row: Chat, clock: int) -> Node:
        seen = visible(row, clock)
        spoken = [message for message in seen if message.type != "system"]
        customer = row.customer
        return {
            "__typename": "Chat",
            "id": str(row.id),
            "channel": self.channel(row.channel),
            "customer": {
                "__typename": "Customer",
                "id": str(customer.id),
                "name": customer.name or customer.nick,
                "phone": customer.phone,
            },
            "lastActivity": zoned(activity(row, clock)),
            "lastDialog": self._last_dialog(row, clock),
            "lastMessage": self.message(seen[-1], clock) if seen else None,
            "lastNotSystemMessage": self.message(spoken[-1], clock) if spoken else None,
            "unreadMessagesCount": 0,
        }

    def _last_dialog(self, row: Chat, clock: int) -> Node | None:
        dialogs = [one for one in self.shop.dialogs if one.chat is row and one.created <= clock and not one.is_mass]
        if not dialogs:
            return None
        last = dialogs[-1]
        assigned = [assign for assign in last.assigns if assign[0] <= clock]
        responsible = self._person(*assigned[-1][1:]) if assigned else None
        closed = last.closed if last.closed is not None and last.closed <= clock else None
        return {
            "__typename": "Dialog",
            "id": str(last.id),
            "createdAt": zoned(last.created),
            "closedAt": zoned(closed) if closed is not None else None,
            "responsible": responsible,
        }

    def message(self, row: Message, clock: int) -> Node:
        is_deleted = row.deleted is not None and row.deleted <= clock
        node: Node = {
            "id": str(row.id),
            "__typename": f"{row.type.title()}Message",
            "type": row.type.upper(),
            "time": message_time(row),
            "author": None if row.type == "system" else self._person(row.sender, row.sender_id, row),
            "scope": row.scope.upper(),
            "dialog": {"id": str(row.dialog.id)},
            "isEdited": any(at <= clock for at, _ in row.edits),
            "isDeleted": is_deleted,
        }
        if row.type == "system":
            node["action"] = row.action
            if row.action == "dialog_assign":
                node["responsible"] = self._person(*row.responsible) if row.responsible else None
        elif row.type in ("order", "product"):
            node[row.type] = row.extra
            node["note"] = row.content
        elif row.items:
            node["items"] = [dict(item) for item in row.items]
            node["note"] = row.text(clock) or ""
        else:
            node["content"] = row.text(clock)
        if row.type != "system":
            failed = row.failed is not None and row.failed <= clock
            node["status"] = "FAILED" if failed else "RECEIVED" if row.id % 4 == 0 else "SEEN"
        return {key: value for key, value in node.items() if key in BARE} if self.is_bare else node

    def _person(self, kind: str | None, number: int | None, row: Message | None = None) -> Node | None:
        if kind == "customer" and row is not None:
            customer = row.chat.customer
            name = customer.name or customer.nick
            return {"__typename": "Customer", "id": str(customer.id), "name": name}
        if kind == "user" and number is not None:
            return {"__typename": "User", "id": str(number), "name": self._users[number].name}
        if kind == "bot" and number is not None:
            return {"__typename": "Bot", "id": str(number), "name": self._bots[number].name}
        return None


def visible(chat: Chat, clock: int, with_deleted: bool = False) -> list[Message]:
    """The messages of a chat that the page shows, oldest first; mass mailings have a page of their own."""
    found = [
        one
        for one in chat.messages
        if not one.is_mass and (one.is_visible(clock) or (with_deleted and one.created <= clock))
    ]
    return sorted(found, key=lambda one: (one.time, one.id))


def activity(chat: Chat, clock: int) -> int:
    """When something last happened in the chat."""
    seen = visible(chat, clock)
    return seen[-1].time if seen else chat.created
