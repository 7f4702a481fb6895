"""What the tabs are made of, read from marts, core and evaluated in one snapshot of the database.

Here: statements and the weeks that are shown. Not here: what people see of it (``assets.exports.frames``). All tables
are read in one transaction, so that no tab knows a message of which another tab does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from assets.exports.snapshot_talks import DEPARTMENTS, HAS_TALKS, OF_CUSTOMERS, RESULTS, RESULTS_BY_WEEK
from assets.exports.snapshot_weekly import WEEKLY
from assets.marts.python.links import Links
from conversations.delta import COMPLETE
from conversations.metrics import METRICS
from conversations.policy_exports import Exports
from conversations.window import Window, iso_week

if TYPE_CHECKING:
    import psycopg
    from pandas import DataFrame

    from resources.warehouse.engine import Warehouse


class NothingPublished(RuntimeError):
    """No week was published yet: there is nothing to show."""


@dataclass(frozen=True)
class Snapshot:
    """The rows behind the tabs, as of one instant of the database."""

    weeks: Mapping[str, date]
    """Monday of each week in the summaries, newest first."""
    raw_weeks: Sequence[str]
    """The weeks in the lists of chats and messages, newest first."""
    managers: DataFrame
    """``marts.manager_week``, managers who had to do with the week."""
    channels: DataFrame
    """``marts.channel_week``."""
    status: DataFrame
    """``marts.data_status``: one row per week and channel."""
    chats: DataFrame
    """One row per chat with a message in the raw weeks, that which was written in last first, notes included."""
    messages: DataFrame
    """One row per message of the raw weeks: by chat in the order of ``chats``, within it by time."""
    manager_deltas: DataFrame
    """``marts.manager_week_delta`` of the raw weeks, with ``is_complete`` of both its weeks."""
    channel_deltas: DataFrame
    """``marts.channel_week_delta``, the same."""
    snapshots: DataFrame
    """``marts.behavior_snapshot`` of managers: the latest revision of each week, and why it was made."""
    examples: DataFrame
    """``marts.weekly_examples`` of the raw weeks."""
    advice: DataFrame
    """``marts.chat_advice`` of the raw weeks."""
    misses: DataFrame
    """Chats of the newest week in which a manager missed what a metric counts: at most three for each."""
    judged_until: datetime | None
    """Up to when every conversation of the lists was judged."""
    left_out: Mapping[tuple[str, str], int]
    """Rows that the policy's limit keeps out, by list (``chats``, ``messages``, ``results``) and week."""
    has_talks: bool = False
    """Whether a call was ever published, or a score: without one, nothing of them is shown."""
    results: DataFrame | None = None
    """``marts.call_results`` of the raw weeks, the latest call first, with the words behind the marks."""


def read(warehouse: Warehouse, limits: Exports, time_zone: str) -> Snapshot:
    """Read everything that the tabs show.

    Raises:
        NothingPublished: a mart is missing, or has no week or not all columns: published by an older version.
        WarehouseUnavailable: the database does not answer.
    """
    with warehouse.connect("otklik-exports") as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        there = connection.execute(_THERE, [[f"marts.{table}" for table in MARTS]]).fetchone()
        if there != (True,):
            raise NothingPublished
        weeks = dict(connection.execute(_WEEKS, [limits.weeks]).fetchall())
        if not weeks:
            raise NothingPublished
        raw_weeks = list(weeks)[: limits.raw_weeks]
        first, last = weeks[raw_weeks[-1]], weeks[raw_weeks[0]]
        window = Window.of_week(iso_week(last), time_zone)
        parameters = {
            "weeks": list(weeks),
            "raw_weeks": raw_weeks,
            "newest": raw_weeks[0],
            "sunday": last + timedelta(days=6),
            "complete": float(COMPLETE),
            "metrics": [metric.name for metric in METRICS],
            "start": Window.of_week(iso_week(first), time_zone).start,
            "end": window.end,
            "zone": time_zone,
            "rows": limits.raw_rows,
        }
        found = {name: _frame(connection, statement, parameters) for name, statement in statements().items()}
        links = Links(connection, limits)
        pairs = zip(found["results"]["connection_id"], found["results"]["conversation_id"], strict=True)
        found["results"]["call_link"] = [links.of(*pair) for pair in pairs]
        (has_talks,) = connection.execute(HAS_TALKS).fetchone() or (False,)
        (judged_until,) = connection.execute(_JUDGED_UNTIL, parameters).fetchone() or (None,)
        totals = {
            (name, week): rows
            for name, statement in (
                ("chats", _CHATS_BY_WEEK),
                ("messages", _MESSAGES_BY_WEEK),
                ("results", RESULTS_BY_WEEK),
            )
            for week, rows in connection.execute(statement, parameters).fetchall()
        }
    left_out = {(name, week): rows - int((found[name]["week"] == week).sum()) for (name, week), rows in totals.items()}
    return Snapshot(
        weeks=weeks, raw_weeks=raw_weeks, judged_until=judged_until, left_out=left_out, has_talks=has_talks, **found
    )


def _frame(connection: psycopg.Connection[Any], statement: str, parameters: Mapping[str, Any]) -> DataFrame:
    import pandas as pd

    cursor = connection.execute(statement, parameters)  # constants of these modules, never input
    names = [column.name for column in cursor.description or ()]
    # every value as the driver gives it: pandas would make floats of whole numbers beside an empty cell
    return pd.DataFrame(cursor.fetchall(), columns=names, dtype=object)


MARTS = (
    "data_status", "manager_week", "channel_week", "manager_week_delta", "channel_week_delta", "behavior_snapshot",
    "week_revisions", "weekly_examples", "chat_advice", "published_waits", "published_sessions",
    "call_results",
)  # fmt: skip
_THERE = "select bool_and(to_regclass(named) is not null) from unnest(%s::text[]) as named"
_WEEKS = """
select week, min(week_starts_on) from marts.data_status group by week order by week desc limit %s
"""
# A file that ended before the lists begin has nothing in them, however long ago that was.
_JUDGED_UNTIL = """
select coalesce(
    min(a.as_of) filter (
        where a.as_of > %(start)s
            or exists (select from core.channels as h where h.connection_id = a.scope and h.is_active)
    ),
    min(a.as_of)
)
from ops.as_of as a
"""
_MANAGERS = f"""
select w.*, u.department_name
from marts.manager_week as w
left join ({DEPARTMENTS}) as u on w.week = %(newest)s and w.manager_id = u.manager_id
where
    week = any(%(weeks)s)
    and (
        waits_settled > 0 or pending_now > 0 or sessions_touched > 0 or left_waiting > 0 or missed_calls_settled > 0
        or calls_in > 0 or calls_out > 0 or llm_state is not null or rules_evaluated > 0
    )
order by week desc, w.manager_id is null, team_id nulls last, manager_name, manager_key
"""  # noqa: S608 constants of these modules
_CHANNELS = f"""
select c.* from marts.channel_week as c
where c.week = any(%(weeks)s) and {OF_CUSTOMERS.format(kind="c.channel_kind", week="c.week")}
order by week desc, channel_kind, channel_name, channel_id
"""  # noqa: S608 constants of these modules
_STATUS = f"""
select s.*, coalesce(c.kind, '') as channel_kind from marts.data_status as s
left join core.channels as c on s.channel_id = c.channel_id
where s.week = any(%(weeks)s) and {OF_CUSTOMERS.format(kind="coalesce(c.kind, '')", week="s.week")}
order by s.week desc, c.kind, s.channel_name, s.channel_id
"""  # noqa: S608 constants of these modules
# What happens to the platform's own account of a chat (opened, assigned ...) is no message. The range finds the rows,
# the week keeps those of published weeks: between two of them there may be one that never was.
_LISTED = """
    select m.*, to_char(m.business_on, 'IYYY-"W"IW') as week
    from core.messages as m
    where m.sent_at >= %(start)s and m.sent_at < %(end)s and m.sender_kind <> 'system'
        and to_char(m.business_on, 'IYYY-"W"IW') = any(%(raw_weeks)s)
"""
_LAST_FIRST = f"""
with listed as ({_LISTED}),

last as (
    select conversation_id, max(sent_at) as last_at, max(week) as week, min(sent_at) as first_at
    from listed
    group by conversation_id
)
"""  # noqa: S608 constants of this module
_MESSAGES = f"""
{_LAST_FIRST},

newest as (
    select m.*, l.last_at
    from listed as m
    inner join last as l on m.conversation_id = l.conversation_id
    order by m.sent_at desc, m.conversation_id desc, m.message_id desc
    limit %(rows)s
)

select
    n.week,
    n.conversation_id,
    n.sent_at at time zone %(zone)s as sent_at,
    n.sender_kind,
    n.is_public,
    n.content_kind,
    n.text,
    n.delivery_status,
    n.edited_at is not null as is_edited,
    (n.deleted_at is not null or 'gone_at_source' = any(n.flags)) as is_deleted,
    n.call_answered,
    n.flags,
    h.kind as channel_kind,
    h.name as channel_name,
    coalesce(p.person_name, g.name) as manager_name,
    u.name as customer_name
from newest as n
inner join core.conversations as c on n.conversation_id = c.conversation_id
inner join core.channels as h on c.channel_id = h.channel_id
left join core.managers as g on n.manager_id = g.manager_id
left join reference.people as p on n.manager_id = p.manager_id
left join core.customers as u on coalesce(n.customer_id, c.customer_id) = u.customer_id
order by n.last_at desc, n.conversation_id, n.sent_at, n.source_seq nulls last, n.message_id
"""  # noqa: S608 constants of this module
_MESSAGES_BY_WEEK = f"""
with listed as ({_LISTED})

select week, count(*) from listed group by week
"""  # noqa: S608 constants of this module
_CHATS_BY_WEEK = f"""
{_LAST_FIRST}
select week, count(*) from last group by week
"""  # noqa: S608 constants of this module
# Counts are of talks as the marts count them: public, dated, the customer's own. Questions in the customer's view.
_CHATS = f"""
{_LAST_FIRST},

talks as (
    select
        conversation_id,
        count(*) filter (where sender_kind = 'customer') as from_customer,
        count(*) filter (where sender_kind = 'manager') as from_managers,
        count(*) filter (where sender_kind = 'bot') as from_bots,
        max(sent_at) as last_at,
        (array_agg(sender_kind order by sent_at desc, source_seq desc nulls last, message_id desc))[1] as last_sender
    from listed
    where
        is_public and sender_kind in ('customer', 'manager', 'bot', 'autoreply')
        and not flags && array['second_customer', 'is_partial']
    group by conversation_id
),

asked as (
    select
        conversation_id,
        count(*) filter (where outcome in ('in_target', 'slow_reply', 'no_reply', 'window_expired')) as waits,
        count(*) filter (where outcome = 'in_target') as in_target,
        count(*) filter (where outcome = 'slow_reply') as slow_reply,
        count(*) filter (where outcome in ('no_reply', 'window_expired')) as unanswered,
        min(opened_at) filter (where outcome = 'pending') as waiting_since,
        bool_or(closed_unanswered) as closed_unanswered,
        (array_agg(wait_business_seconds order by opened_at) filter (
            where is_first_reply and outcome in ('in_target', 'slow_reply')
        ))[1] as first_reply_seconds
    from evaluated.waits
    where wait_kind = 'message' and (settled_week = any(%(raw_weeks)s) or outcome = 'pending')
    group by conversation_id
),

assigned as (
    select distinct on (e.conversation_id) e.conversation_id, e.manager_id
    from core.events as e
    inner join last as l on e.conversation_id = l.conversation_id
    where e.kind = 'assigned' and e.at < %(end)s
    order by e.conversation_id asc, e.at desc, e.event_id desc
),

stays as (
    select distinct on (person_id) person_id, team_id
    from reference.person_teams
    where valid_from <= %(sunday)s
    order by person_id asc, valid_from desc
)

select
    l.week,
    l.conversation_id,
    c.created_at at time zone %(zone)s as created_at,
    l.first_at at time zone %(zone)s as first_at,
    -- of the talk, as who wrote last is: a note that nobody but us sees is no answer to a customer
    coalesce(t.last_at, l.last_at) at time zone %(zone)s as last_at,
    c.flags,
    h.kind as channel_kind,
    h.name as channel_name,
    u.name as customer_name,
    coalesce(p.person_name, g.name) as manager_name,
    case when s.person_id is null then g.team_id else s.team_id end as team_id,
    t.last_sender,
    coalesce(t.from_customer, 0) as from_customer,
    coalesce(t.from_managers, 0) as from_managers,
    coalesce(t.from_bots, 0) as from_bots,
    coalesce(a.waits, 0) as waits,
    coalesce(a.in_target, 0) as in_target,
    coalesce(a.slow_reply, 0) as slow_reply,
    coalesce(a.unanswered, 0) as unanswered,
    a.waiting_since at time zone %(zone)s as waiting_since,
    coalesce(a.closed_unanswered, false) as closed_unanswered,
    a.first_reply_seconds
from last as l
inner join core.conversations as c on l.conversation_id = c.conversation_id
inner join core.channels as h on c.channel_id = h.channel_id
left join core.customers as u on c.customer_id = u.customer_id
left join talks as t on l.conversation_id = t.conversation_id
left join asked as a on l.conversation_id = a.conversation_id
left join assigned as o on l.conversation_id = o.conversation_id
left join core.managers as g on o.manager_id = g.manager_id
left join reference.people as p on o.manager_id = p.manager_id
left join stays as s on p.person_id = s.person_id
order by l.last_at desc, l.conversation_id
limit %(rows)s
"""  # noqa: S608 constants of this module


def statements() -> Mapping[str, str]:
    """Each table of the snapshot by its name."""
    return {
        "managers": _MANAGERS,
        "channels": _CHANNELS,
        "status": _STATUS,
        "chats": _CHATS,
        "messages": _MESSAGES,
        "results": RESULTS,
        **WEEKLY,
    }
