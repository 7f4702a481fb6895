"""What one RetailCRM row does not tell and its parser has to be told, looked up in raw.

Here: two small lookups. Not here: what they mean (``conversations.parsing.retailcrm``, ``retailcrm_web``).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from psycopg import Connection

from conversations.window import Window

LONGEST_BOT_DIALOG = timedelta(days=30)
"""How far before the window the assignment to a bot is looked for that a person's assignment ended."""

_USERS = """
select external_id, payload ->> 'mgUserId'
from raw.retailcrm__crm_users
where connection_id = %(connection_id)s and payload ->> 'mgUserId' is not null
"""

# The words of {role} and {table} are written in this module.
_HANDOFFS_OF = """
select external_id from (
    select
        external_id,
        event_at,
        lower(payload -> 'responsible' ->> '{role}') as role,
        lag(lower(payload -> 'responsible' ->> '{role}')) over (
            partition by payload -> 'dialog' ->> 'id' order by event_at, length(external_id), external_id
        ) as role_before
    from raw.{table}
    where connection_id = %(connection_id)s
        and lower(payload ->> 'action') = 'dialog_assign'
        and (%(start)s::timestamptz is null or event_at >= %(start)s)
        and (%(end)s::timestamptz is null or event_at < %(end)s)
) as assignments
where role = 'user' and role_before = 'bot'
    and (%(shown_from)s::timestamptz is null or event_at >= %(shown_from)s)
"""
_HANDOFFS = _HANDOFFS_OF.format(role="type", table="retailcrm__messages")
_WEB_HANDOFFS = _HANDOFFS_OF.format(role="__typename", table="retailcrm_web__messages")


def parser_context(connection: Connection[Any], connection_id: str, window: Window | None) -> dict[str, Any]:
    """Return the keyword arguments ``mg_user_ids`` and ``handoff_message_ids`` of ``RetailCRMParser``.

    ``window`` is the one whose rows are parsed next, ``None`` for all; raw must have been landed before.
    """
    parameters = _parameters(connection_id, window)
    return {
        "mg_user_ids": dict(connection.execute(_USERS, parameters).fetchall()),
        "handoff_message_ids": frozenset(row[0] for row in connection.execute(_HANDOFFS, parameters)),
    }


def web_parser_context(connection: Connection[Any], connection_id: str, window: Window | None) -> dict[str, Any]:
    """Return the keyword argument ``handoff_message_ids`` of ``RetailCRMWebParser``; as ``parser_context``."""
    parameters = _parameters(connection_id, window)
    return {"handoff_message_ids": frozenset(row[0] for row in connection.execute(_WEB_HANDOFFS, parameters))}


def _parameters(connection_id: str, window: Window | None) -> dict[str, Any]:
    return {
        "connection_id": connection_id,
        "start": window.start - LONGEST_BOT_DIALOG if window else None,
        "end": window.end if window else None,
        "shown_from": window.start if window else None,
    }
