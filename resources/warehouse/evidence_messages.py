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


_ELSEWHERE = """
select distinct on (w.conversation_id, w.message_id)
    w.conversation_id, m.conversation_id, m.message_id, m.sent_at, m.sender_kind, m.content_kind,
    case when m.deleted_at is null and not 'gone_at_source' = any(m.flags) then m.text end
from unnest(%s::text[], %s::text[]) as w (conversation_id, message_id)
inner join core.conversations as c on w.conversation_id = c.conversation_id
left join reference.customer_links as l on c.customer_id = l.customer_id
cross join lateral (
    select coalesce(l.same_as, c.customer_id) as customer_id
    union all
    select k.customer_id from reference.customer_links as k where k.same_as = coalesce(l.same_as, c.customer_id)
) as i
inner join core.conversations as o on i.customer_id = o.customer_id
inner join core.messages as m on o.conversation_id = m.conversation_id and w.message_id = m.message_id
left join evaluated.waits as a
    on w.conversation_id = a.conversation_id and w.message_id = a.answering_message_id and m.sent_at = a.answered_at
where m.sender_kind = 'manager' or m.content_kind = 'call'
order by w.conversation_id, w.message_id, a.wait_id is null, m.conversation_id
"""


def messages(connection: psycopg.Connection[Any], ids: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Message]:
    """Messages by conversation and id; one that is gone is left out.

    What answered a wait of the conversation may stand in another one of the human: it is found there.
    """
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
    told = {(row[0], row[1]): Message(*row) for row in found}
    rest = [one for one in wanted if one not in told]
    if rest:
        given = [[chat for chat, _ in rest], [message for _, message in rest]]
        told |= {(row[0], row[2]): Message(*row[1:]) for row in connection.execute(_ELSEWHERE, given)}
    return told


def names(connection: psycopg.Connection[Any]) -> tuple[dict[str, Subject], dict[str, str]]:
    """Channels by id, and people's names by their key."""
    channels = connection.execute("select channel_id, name, kind from core.channels").fetchall()
    people = dict(connection.execute("select manager_id, name from core.managers").fetchall())
    people |= dict(connection.execute("select person_id, person_name from reference.people").fetchall())
    return {row[0]: Subject(*row) for row in channels}, people
