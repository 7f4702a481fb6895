"""The chats in which somebody wrote to the bot, read out of what ``getUpdates`` gives.

Here: what an update says of its chat. Not here: the call (``telegram``). https://core.telegram.org/bots/api#update
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Chat:
    """A chat that the bot could write to."""

    chat_id: str
    kind: str
    """private, group, supergroup or channel."""
    title: str
    """Of a group or channel its title, of a person the name: personal data, for the screen only."""


def chats_of(updates: Iterable[Mapping[str, Any]]) -> list[Chat]:
    """Every chat once, the one that was heard of last first; a group that became a supergroup by its new id.

    >>> chats_of([{"update_id": 1, "message": {"chat": {"id": 7, "type": "private", "first_name": "Анна"}}}])
    [Chat(chat_id='7', kind='private', title='Анна')]
    """
    found: dict[str, Chat] = {}
    for chat, moved_to in _told(updates):
        one = Chat(str(moved_to or chat["id"]), "supergroup" if moved_to else str(chat.get("type", "")), _title(chat))
        if moved_to:
            found.pop(str(chat["id"]), None)
        found.pop(one.chat_id, None)
        found[one.chat_id] = one
    return list(reversed(found.values()))


def _told(updates: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], int | None]]:
    for update in updates:
        for told in update.values():
            # a message, a post, a membership; a pressed button brings the message that it stands under
            for one in (told, told.get("message")) if isinstance(told, dict) else ():
                chat = one.get("chat") if isinstance(one, dict) else None
                if isinstance(chat, dict) and isinstance(chat.get("id"), int):
                    moved = one.get("migrate_to_chat_id")
                    yield chat, moved if isinstance(moved, int) else None


def _title(chat: Mapping[str, Any]) -> str:
    named = " ".join(str(chat[name]) for name in ("title", "first_name", "last_name") if chat.get(name))
    return named or (f"@{chat['username']}" if chat.get("username") else "")
