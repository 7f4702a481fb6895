"""Puts talks down row by row and numbers them at the end, as a gateway would have numbered them as they came.

Here: the mechanics (dialogs, assignments, system lines, ids). Not here: who says what and when.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from random import Random
from typing import Any

from tests.emulators.shop.model import SECOND, Bot, Channel, Chat, Customer, Dialog, Message, Order, Shop, User

# ids of one kind all have the same number of digits, so that their order as text is their order as numbers
FIRST_ID = {"chat": 10_001, "dialog": 30_001, "customer": 50_001, "message": 1_000_001, "order": 70_001, "crm": 40_001}


class Builder:
    """Collects the rows of a shop."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.channels: list[Channel] = []
        self.users: list[User] = []
        self.bots: list[Bot] = []
        self.customers: list[Customer] = []
        self.chats: list[Chat] = []
        self.dialogs: list[Dialog] = []
        self.messages: list[Message] = []
        self.orders: list[Order] = []
        self.cases: Counter[str] = Counter()

    def customer(
        self,
        channel: Channel,
        first: str,
        last: str,
        phone: str | None,
        nick: str | None,
        at: int,
        language: str = "ru",
    ) -> Customer:
        row = Customer(0, channel, first, last, phone, nick, at, language)
        self.customers.append(row)
        return row

    def chat(self, customer: Customer, at: int) -> Chat:
        row = Chat(0, customer.channel, customer, at)
        self.chats.append(row)
        return row

    def dialog(self, chat: Chat, at: int, is_mass: bool = False) -> Dialog:
        """Open a dialog; the gateway writes its own line about it."""
        row = Dialog(0, chat, at, is_mass=is_mass)
        self.dialogs.append(row)
        self._system(row, at, "dialog_opened")
        return row

    def assign(self, dialog: Dialog, at: int, to: User | Bot | None, by: User | None = None) -> None:
        """Make somebody (or nobody) responsible."""
        kind = None if to is None else "bot" if isinstance(to, Bot) else "user"
        dialog.assigns.append((at, kind, to.id if to else None))
        responsible = None if to is None else (kind or "", to.id)
        self._system(dialog, at, "dialog_assign", responsible=responsible, actor_id=by.id if by else None)

    def close(self, dialog: Dialog, at: int, by: User | None = None) -> None:
        dialog.closed = at
        self._system(dialog, at, "dialog_closed", actor_id=by.id if by else None)

    def join(self, dialog: Dialog, at: int, user: User, left: bool = False) -> None:
        self._system(dialog, at, "user_left_chat" if left else "user_joined_chat", actor_id=user.id)

    def say(
        self,
        dialog: Dialog,
        at: int,
        who: Customer | User | Bot,
        text: str | None,
        type: str = "text",
        scope: str = "public",
        delay: int = 0,
        **more: Any,
    ) -> Message:
        """Write a message at ``at``; it reaches the gateway ``delay`` microseconds later."""
        sender = "customer" if isinstance(who, Customer) else "bot" if isinstance(who, Bot) else "user"
        # a customer has no id before the numbering; -1 stands for the customer of the chat
        sender_id = -1 if sender == "customer" else who.id
        at -= at % SECOND
        row = Message(0, dialog.chat, dialog, at, at + delay, type, scope, sender, sender_id, text, **more)  # type: ignore[arg-type]
        self.messages.append(row)
        return row

    def note(self, dialog: Dialog, at: int, who: User, text: str) -> Message:
        """An internal note: customers do not see it."""
        return self.say(dialog, at, who, text, scope="private")

    def _system(self, dialog: Dialog, at: int, action: str, **more: Any) -> None:
        at -= at % SECOND
        row = Message(0, dialog.chat, dialog, at, at, "system", "private", None, None, None, action=action, **more)
        self.messages.append(row)

    def shop(self, seed: int, monday: date, weeks: int, clock: int) -> Shop:
        """Number everything in the order in which it came to the gateway."""
        fraction = Random(seed ^ 0x5EED)
        self.customers.sort(key=lambda c: c.created)
        for number, customer in enumerate(self.customers):
            customer.id = FIRST_ID["customer"] + number
            customer.crm_id = FIRST_ID["crm"] + number if customer.phone else None
        self.chats.sort(key=lambda c: c.created)
        for number, chat in enumerate(self.chats):
            chat.id = FIRST_ID["chat"] + number
        self.dialogs.sort(key=lambda d: d.created)
        for number, dialog in enumerate(self.dialogs):
            dialog.id = FIRST_ID["dialog"] + number
            dialog.assigns.sort(key=lambda assign: assign[0])
        # stable: rows of one second stay in the order in which they were put down
        self.messages.sort(key=lambda m: m.created)
        for number, message in enumerate(self.messages):
            message.id = FIRST_ID["message"] + number
            message.created += _fraction(fraction)
            message.is_mass = message.is_mass or message.dialog.is_mass
            if message.sender_id == -1:
                message.sender_id = message.chat.customer.id
            message.chat.messages.append(message)
            message.dialog.messages.append(message)
        self.orders.sort(key=lambda o: o.created)
        for number, order in enumerate(self.orders):
            order.id = FIRST_ID["order"] + number
            order.customer.orders.append(order)
        return Shop(
            seed,
            monday,
            weeks,
            clock,
            channels=self.channels,
            users=self.users,
            bots=self.bots,
            customers=self.customers,
            chats=self.chats,
            dialogs=self.dialogs,
            messages=self.messages,
            orders=self.orders,
            cases=self.cases,
        )


def _fraction(random: Random) -> int:
    """The part of a second after which the gateway wrote the row, in 0 to 6 digits."""
    digits = random.randrange(7)
    return random.randrange(10**digits) * 10 ** (6 - digits) if digits else 0
