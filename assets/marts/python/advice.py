"""``chat_advice``: what the rules advise about single chats, week by week.

Here: whom it is about and where the chat is. Not here: the rules (``conversations.advice``), the words of an advice,
which are made where it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from psycopg import Connection

from assets.marts.python.ground import NOBODY
from assets.marts.python.links import Links
from assets.marts.python.tables import dicts
from conversations.policy import Policy
from conversations.window import monday_of

_ADVICE = """
select
    a.given_week as week, a.advice_id, coalesce(p.person_id, a.manager_id, %(nobody)s) as manager_key,
    coalesce(p.person_id, a.manager_id) as manager_id,
    coalesce(m.manager_name, p.person_name, a.manager_id, 'Без менеджера') as manager_name, m.team_id,
    a.rule, a.rule_version, a.session_id, a.wait_id, a.conversation_id, a.connection_id, a.channel_id, a.message_id,
    coalesce(c.sent_at, a.given_at) as at, a.given_at, a.definition_version
from evaluated.advice as a
left join reference.people as p on a.manager_id = p.manager_id
left join marts_next.manager_week as m
    on a.given_week = m.week and coalesce(p.person_id, a.manager_id, %(nobody)s) = m.manager_key
left join core.messages as c on a.conversation_id = c.conversation_id and a.message_id = c.message_id
where a.given_week = %(week)s
"""


def rows(connection: Connection[Any], week: str, policy: Policy) -> Iterator[dict[str, Any]]:
    """The advice that became true in a week."""
    links = Links(connection, policy.exports)
    for row in dicts(connection, _ADVICE, {"week": week, "nobody": NOBODY}):
        link = links.of(row["connection_id"], row["conversation_id"])
        yield {**row, "week_starts_on": monday_of(week), "chat_link": link}
