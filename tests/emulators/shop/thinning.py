"""A shop with fewer chats. Here: leaving chats out. Not here: making them (``model``)."""

from __future__ import annotations

from tests.emulators.shop.model import Shop


def thinned(shop: Shop, keep: int) -> Shop:
    """Every ``keep``-th chat of a shop: all that can happen there does, in less time."""
    kept = {chat.id for chat in shop.chats[::keep]}
    shop.chats = [one for one in shop.chats if one.id in kept]
    shop.dialogs = [one for one in shop.dialogs if one.chat.id in kept]
    shop.messages = [one for one in shop.messages if one.chat.id in kept]
    shop.orders = [one for one in shop.orders if one.dialog is not None and one.dialog.chat.id in kept]
    return shop
