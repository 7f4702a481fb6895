"""What one message of a Telegram export says: text, kind, call, edit.

Here: ``meaning`` for ``conversations.parsing.imported``. Not here: who wrote it and when (``reader``).

The fields are those of Telegram Desktop's own writer; pages in HTML are brought into the same shape before
(``resources.imports.telegram_html``). A message without any text always carries something else, so what has no text and
no known sign of media is media of a kind that did not exist when this was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conversations.parsing.fields import Odd, instant
from conversations.parsing.imported import Meant
from conversations.records import ContentKind

MEDIA = (
    "photo",
    "file",
    "media_type",
    "contact_information",
    "location_information",
    "place_name",
    "poll",
    "game_title",
    "todo_list",
    "giveaway_information",
    "giveaway_results",
    "paid_stars_amount",
)
"""Fields of which one shows that the message is more than text."""


def meaning(payload: Mapping[str, Any]) -> Meant:
    """What the message of a raw row says.

    Raises:
        Odd: ``bad_text``: its text is neither a text nor a list of texts.
    """
    item = payload.get("message", payload.get("original"))
    if not isinstance(item, Mapping):
        raise Odd("not_an_object")
    text = plain_text(item)
    if item.get("type") == "service":
        return _call(item) if item.get("action") == "phone_call" else _notice(item, text)
    edited_at = instant(payload, "edited_at")
    kind = _kind(item, text)
    return Meant(text or None, kind, is_edited=edited_at is not None, edited_at=edited_at)


def plain_text(item: Mapping[str, Any]) -> str:
    """The text of a message without its markup.

    >>> plain_text({"text": ["Цена ", {"type": "bold", "text": "45 900"}, " тг"]})
    'Цена 45 900 тг'

    Raises:
        Odd: ``bad_text``.
    """
    text = item.get("text")
    if text is None:
        text = item.get("text_entities", "")
    if isinstance(text, str):
        return text
    if not isinstance(text, list):
        raise Odd("bad_text")
    parts = [part.get("text") if isinstance(part, Mapping) else part for part in text]
    if not all(isinstance(part, str) for part in parts):
        raise Odd("bad_text")
    return "".join(parts)


def _kind(item: Mapping[str, Any], text: str) -> ContentKind:
    if item.get("media_type") == "sticker":
        return "sticker"
    if "invoice_information" in item:
        return "payment_link"
    return "media" if not text or any(field in item for field in MEDIA) else "text"


def _call(item: Mapping[str, Any]) -> Meant:
    """A call: answered if anybody talked. A duration of zero is not written; without a reason nothing is known."""
    seconds = item.get("duration_seconds")
    if isinstance(seconds, int) and not isinstance(seconds, bool) and 0 < seconds < 2**31:
        return Meant(None, "call", call_answered=True, talk_seconds=seconds)
    if item.get("discard_reason"):
        return Meant(None, "call", call_answered=False, talk_seconds=0)
    return Meant(None, "call")


def _notice(item: Mapping[str, Any], text: str) -> Meant:
    """A notice; its words if it has any, else the code of what happened."""
    for field in ("information_text", "action"):
        if not text and isinstance(item.get(field), str):
            text = item[field]
    return Meant(text or None, is_system=True)
