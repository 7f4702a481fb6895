"""The messages behind the cases of a figure, and what channels and people are called.

Here: reading them for a person who asks (``otklik explain``). Not here: which cases (``evidence``), masking and cutting
(``conversations.redact``). Functions take a session of the publisher and write nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from resources.warehouse.evidence import Subject


class Message(NamedTuple):
    """One message behind a case."""

    conversation_id: str
    message_id: str
    sent_at: datetime | None
    sender_kind: str
    content_kind: str
    text: str | None
    """None: none, or taken back; what is taken back is shown to nobody (contract, section 1.2)."""


def messages(connection: psycopg.Connection[Any], ids: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Message]:
    """Messages by conversation and id; one that is gone is left out."""
    wanted = sorted(set(ids))
    found = connection.execute(
        """
        select
            m.conversation_id, m.message_id, m.sent_at, m.sender_kind, m.content_kind,
            case when m.deleted_at is null and not 'gone_at_source' = any(m.flags) then m.text end
        from unnest(%s::text[], %s::text[]) as w (conversation_id, message_id)
        inner join core.messages as m using (conversation_id, message_id)
        """,
        [[chat for chat, _ in wanted], [message for _, message in wanted]],
    )
    return {(row[0], row[1]): Message(*row) for row in found}


def names(connection: psycopg.Connection[Any]) -> tuple[dict[str, Subject], dict[str, str]]:
    """Channels by id, and people's names by their key."""
    channels = connection.execute("select channel_id, name, kind from core.channels").fetchall()
    people = dict(connection.execute("select manager_id, name from core.managers").fetchall())
    people |= dict(connection.execute("select person_id, person_name from reference.people").fetchall())
    return {row[0]: Subject(*row) for row in channels}, people
