"""``weekly_examples``: the talks of a week that each manager should look at.

Here: candidates from the published cases of the week. Not here: the choice among them (``conversations.examples``), the
words of the talks, which stay in core.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection

from assets.marts.python.links import Links
from assets.marts.python.tables import dicts
from conversations.business_hours import BusinessHours
from conversations.examples import Candidate, choose
from conversations.policy import Policy
from conversations.rules import compile_policy
from conversations.window import monday_of

_WAITS = """
select
    case when w.outcome_manager = 'slow_reply' then 'slow_reply' else 'no_reply' end as kind,
    w.manager_key, w.session_id, w.wait_id, w.conversation_id, w.connection_id, w.channel_id, w.opened_at, w.settled_at,
    w.hours_basis, w.calendar_id, w.manager_wait_seconds, w.manager_wait_business_seconds,
    w.opening_message_id as message_id
from marts_next.published_waits as w
where
    w.week = %(week)s and w.wait_kind = 'message'
    and w.outcome_manager in ('slow_reply', 'no_reply', 'window_expired')
"""
_SESSIONS = """
select
    case when s.is_good then 'good' else 'no_next_step' end as kind,
    s.manager_key, s.session_id, null as wait_id, s.conversation_id, s.connection_id, s.channel_id,
    coalesce(
        s.next_step_message_ids[cardinality(s.next_step_message_ids)],
        s.offer_message_ids[cardinality(s.offer_message_ids)],
        s.clarifying_message_ids[cardinality(s.clarifying_message_ids)],
        e.last_message_id
    ) as message_id
from marts_next.published_sessions as s
inner join evaluated.sessions as e on s.session_id = e.session_id
where s.week = %(week)s and (s.is_good or not s.has_next_step)
"""
_MANAGERS = """
select manager_key, manager_id, manager_name, team_id, definition_version, as_of
from marts_next.manager_week where week = %(week)s order by manager_key
"""


def rows(connection: Connection[Any], week: str, policy: Policy) -> Iterator[dict[str, Any]]:
    """The examples of a week, of managers in the order of their keys; "Без менеджера" has some as well."""
    hours = compile_policy(policy, {}).hours
    links = Links(connection, policy.exports)
    by_manager: dict[str, dict[Candidate, dict[str, Any]]] = defaultdict(dict)
    for case in [row for query in (_WAITS, _SESSIONS) for row in dicts(connection, query, {"week": week})]:
        seconds, basis = _waited(case, hours) if case["wait_id"] is not None else (None, None)
        candidate = Candidate(case["kind"], case["session_id"], seconds, case["wait_id"])
        by_manager[case["manager_key"]][candidate] = {**case, "seconds": seconds, "hours_basis": basis}
    for manager in dicts(connection, _MANAGERS, {"week": week}):
        candidates = by_manager[manager["manager_key"]]
        for rank, candidate in enumerate(choose(candidates), start=1):
            case = candidates[candidate]
            link = links.of(case["connection_id"], case["conversation_id"])
            of_week = {"week": week, "week_starts_on": monday_of(week), "rank": rank, "chat_link": link}
            yield {**case, **manager, **of_week}


def _waited(case: Mapping[str, Any], hours: Mapping[str | None, BusinessHours | None]) -> tuple[int, str]:
    """Working time where the target counts it (ruling 7): to the reply, of an unanswered wait to its settlement."""
    if case["kind"] == "slow_reply":
        if case["hours_basis"] == "business" and case["manager_wait_business_seconds"] is not None:
            return case["manager_wait_business_seconds"], "business"
        return case["manager_wait_seconds"], "calendar"
    opened, settled = _second(case["opened_at"]), _second(case["settled_at"])
    calendar = hours.get(case["calendar_id"]) if case["hours_basis"] == "business" else None
    if calendar is None:
        return settled - opened, "calendar"
    return calendar.between(opened, settled), "business"


def _second(instant: datetime) -> int:
    return int(instant.timestamp() // 1)
