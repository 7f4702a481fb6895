"""``chat_advice``: what the rules, and a model, advise about single chats, week by week.

Here: whom it is about and where the chat is. Not here: the rules (``conversations.advice``), the words of an advice,
which are made or read where it is shown. A model's advice is marked as such: no rule has checked it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from psycopg import Connection

from assets.marts.python.ground import NOBODY
from assets.marts.python.links import Links
from assets.marts.python.tables import dicts
from conversations.policy import DEFINITION_VERSION, Policy
from conversations.window import monday_of

_ADVICE = """
select
    a.given_week as week, a.advice_id, 'rules' as source, null::text as scorecard_id,
    null::integer as note, coalesce(p.person_id, a.manager_id, %(nobody)s) as manager_key,
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
MODEL_RULE = "model_recommendation"
_RECOMMENDED = """
select
    s.happened_week as week, s.scorecard_id || ':' || n.n as advice_id, 'model' as source, s.scorecard_id, n.n as note,
    coalesce(p.person_id, s.manager_id, %(nobody)s) as manager_key, coalesce(p.person_id, s.manager_id) as manager_id,
    coalesce(m.manager_name, p.person_name, s.manager_id, 'Без менеджера') as manager_name, m.team_id,
    %(rule)s as rule, s.rubric_version as rule_version, s.subject_id as session_id, null::text as wait_id,
    s.conversation_id, s.connection_id, s.channel_id,
    -- the message that it is about, where the model named one that is there, else the last of the talk
    coalesce(c.message_id, e.last_message_id, '') as message_id,
    coalesce(c.sent_at, l.sent_at, s.happened_at) as at, s.happened_at as given_at,
    %(version)s::integer as definition_version
from evaluated.scorecards as s
inner join evaluated.scorecard_notes as n on s.scorecard_id = n.scorecard_id and n.kind = 'recommendation'
left join evaluated.sessions as e on s.subject_id = e.session_id
left join core.messages as c on s.conversation_id = c.conversation_id and n.ref = c.message_id
left join core.messages as l on s.conversation_id = l.conversation_id and e.last_message_id = l.message_id
left join reference.people as p on s.manager_id = p.manager_id
left join marts_next.manager_week as m
    on s.happened_week = m.week and coalesce(p.person_id, s.manager_id, %(nobody)s) = m.manager_key
where
    s.happened_week = %(week)s and s.is_current and s.state = 'scored' and s.judge = 'model'
    and s.subject_kind = 'session'
"""


def rows(connection: Connection[Any], week: str, policy: Policy) -> Iterator[dict[str, Any]]:
    """The advice that became true in a week; a model's belongs to the week in which the talk ended."""
    links = Links(connection, policy.exports)
    given = {"week": week, "nobody": NOBODY, "rule": MODEL_RULE, "version": DEFINITION_VERSION}
    for row in [*dicts(connection, _ADVICE, given), *dicts(connection, _RECOMMENDED, given)]:
        link = links.of(row["connection_id"], row["conversation_id"])
        yield {**row, "week_starts_on": monday_of(week), "chat_link": link}
