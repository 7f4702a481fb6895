"""Items and files as Telegram Desktop writes them, for tests: made by hand after its writer, nothing of the reader."""

from __future__ import annotations

import io
import json
from contextlib import AbstractContextManager
from typing import IO, Any

START = 1_704_888_000
"""2024-01-10 12:00:00 UTC."""


def message(number: int, author: str | None, text: Any = "Здравствуйте, заказ собран", **more: Any) -> dict[str, Any]:
    """One message, a minute after the one before it."""
    at = START + 60 * number
    who = {} if author is None else {"from": f"Имя {author[-3:]}", "from_id": author}
    return {
        "id": number,
        "type": "message",
        "date": "2024-01-10T15:00:00",
        "date_unixtime": str(at),
        **who,
        "text": text,
        "text_entities": [],
        **more,
    }


def notice(number: int, action: str, actor: str = "user1", **more: Any) -> dict[str, Any]:
    """One service message."""
    at = str(START + 60 * number)
    return {
        "id": number, "type": "service", "date": "2024-01-10T15:00:00", "date_unixtime": at,
        "actor": "Имя", "actor_id": actor, "action": action, "text": "", **more,
    }  # fmt: skip


def chat(
    messages: list[Any], kind: str = "personal_chat", number: int = 7, name: str | None = "Анна"
) -> dict[str, Any]:
    """A chat of which the person with id ``number`` is the other side."""
    return {"name": name, "type": kind, "id": number, "messages": messages}


class Held:
    """A file in memory that can be opened again and again, read in pieces of ``size`` bytes at most."""

    def __init__(self, content: bytes | dict[str, Any], size: int | None = None) -> None:
        self.content = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
        self._size = size

    def __call__(self) -> AbstractContextManager[IO[bytes]]:
        return _Pieces(self.content, self._size)


class _Pieces(io.BytesIO):
    def __init__(self, content: bytes, size: int | None) -> None:
        super().__init__(content)
        self._size = size

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size if self._size is None else self._size)
