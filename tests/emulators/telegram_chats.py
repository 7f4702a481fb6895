"""Chats and people of the emulated Telegram, and its words for what is refused.

Here: small helpers. Not here: what is done with a chat (``telegram``).
"""

from __future__ import annotations

import secrets
import string
from typing import Any

GROUP, PERSON = -1001740000001, 740000002

WORDS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden: bot was blocked by the user",
    404: "Not Found",
    409: "Conflict",
    429: "Too Many Requests",
}


def new_token() -> str:
    """A bot's token as @BotFather makes them."""
    letters = string.ascii_letters + string.digits
    return f"{7 * 10**9 + secrets.randbelow(10**9)}:AA" + "".join(secrets.choice(letters) for _ in range(33))


def public(chat: dict[str, Any]) -> dict[str, Any]:
    """A chat as the API gives it; what begins with ``_`` is ours."""
    return {name: value for name, value in chat.items() if not name.startswith("_")}


def person(chat: dict[str, Any]) -> dict[str, Any]:
    """Who writes in a chat."""
    return {"id": PERSON, "is_bot": False, "first_name": chat.get("first_name", "Айгуль")}
