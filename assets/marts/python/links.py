"""Addresses of chats at their source: the policy's pattern filled in.

Here: where the addresses of the accounts are read. Not here: the pattern (``conversations.policy_exports``).
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from conversations.policy_exports import Exports


class Links:
    """One lookup of accounts for many chats."""

    def __init__(self, connection: Connection[Any], exports: Exports) -> None:
        self._exports = exports
        self._urls = dict(
            connection.execute("select connection_id, settings->>'base_url' from ops.connections").fetchall()
        )

    def of(self, connection_id: str, conversation_id: str) -> str | None:
        """The address of a chat; ``None``: the policy names no pattern, or the account has no address to fill in."""
        chat = conversation_id.removeprefix(f"{connection_id}:")
        return self._exports.link_of(self._urls.get(connection_id), chat)
