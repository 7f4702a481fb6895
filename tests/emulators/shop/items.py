"""What is sent besides text: pictures, stickers, files, product and order cards, and the order itself in the CRM."""

from __future__ import annotations

from abc import ABC, abstractmethod
from random import Random
from typing import Any
from uuid import UUID

from tests.emulators.shop.builder import Builder
from tests.emulators.shop.model import HOUR, MINUTE, SECOND, Customer, Dialog, Message, Order, User

_FILES = (("image/jpeg", 180_000), ("image/png", 420_000))


class Items(ABC):
    """The part of a talk (``talks.Talk``) that makes such things."""

    random: Random
    builder: Builder
    dialog: Dialog
    customer: Customer
    manager: User
    facts: dict[str, Any]
    order: Order | None
    asked: int | None
    at: int

    @abstractmethod
    def write(self, text: str | None, **more: Any) -> Message:
        """The customer writes."""

    def _item(self, kind: str, mime: str, size: int) -> dict[str, Any]:
        uuid = str(UUID(int=self.random.getrandbits(128), version=4))
        return {
            "id": uuid,
            "kind": kind,
            "type": mime,
            "size": size + self.random.randrange(size),
            "caption": "",
            "preview_url": "",
        }

    def picture(self) -> None:
        mime, size = self.random.choice(_FILES)
        item = {**self._item("image", mime, size), "width": 1080, "height": 1350}
        self.write("", type="image", items=(item,))
        self.builder.cases["picture"] += 1

    def sticker(self) -> None:
        item = {**self._item("sticker", "image/webp", 20_000), "width": 512, "height": 512}
        self.builder.say(self.dialog, self.at, self.customer, "", type="image", items=(item,))
        self.builder.cases["sticker"] += 1

    def file(self) -> None:
        item = {**self._item("file", "application/pdf", 60_000), "caption": "документ.pdf"}
        self.asked = None
        self.builder.say(self.dialog, self.at, self.manager, "", type="file", items=(item,))
        self.builder.cases["file"] += 1

    def card(self) -> None:
        facts = self.facts
        number = abs(hash_of(facts["product"])) % 9000 + 1000
        body = {
            "id": number,
            "name": facts["product"],
            "article": f"TS-{number}",
            "unit": {"name": "пара", "sym": "пар"},
            "url": f"https://shop.example/p/{number}",
            "cost": {"value": facts["amount"], "currency": facts["currency"]},
        }
        self.asked = None
        self.builder.say(self.dialog, self.at, self.manager, None, type="product", extra=body)
        self.builder.cases["product_card"] += 1

    def order_card(self) -> None:
        facts = self.facts
        cost = {"value": facts["amount"], "currency": facts["currency"]}
        body = {
            "number": facts["order"],
            "url": f"https://shop.example/o/{facts['order']}",
            "cost": cost,
            "items": [{"name": facts["product"], "quantity": {"value": 1, "unit": "пара"}, "price": cost}],
        }
        self.asked = None
        self.builder.say(self.dialog, self.at, self.manager, None, type="order", extra=body)
        self.builder.cases["order_card"] += 1

    def place_order(self) -> None:
        """The order that the manager has just written about appears in the CRM."""
        if self.order is not None or self.customer.phone is None:
            return
        random, facts = self.random, self.facts
        at = self.at - self.at % SECOND
        history: list[tuple[int, str, Any]] = [(at, "status", "new")]
        at += random.randrange(10, 300) * MINUTE
        if random.random() < 0.12:
            history.append((at, "status", "cancel-other"))
        else:
            history.append((at, "status", "client-confirmed"))
            at += random.randrange(1, 60) * MINUTE
            history.append((at, "payment", facts["amount"]))
            at += random.randrange(20, 60) * HOUR
            history.append((at, "status", "send-to-delivery"))
            history.append((at + random.randrange(20, 90) * HOUR, "status", "complete"))
        item = {
            "id": 1,
            "quantity": 1,
            "initialPrice": facts["amount"],
            "offer": {"name": facts["product"]},
            "status": "new",
        }
        self.order = Order(
            0,
            facts["order"],
            self.at,
            self.customer,
            self.manager,
            self.dialog,
            [item],
            facts["amount"],
            facts["currency"],
            history,
        )
        self.builder.orders.append(self.order)


def hash_of(text: str) -> int:
    """A number of a text that is the same in every process."""
    return sum((position + 1) * ord(letter) for position, letter in enumerate(text))
