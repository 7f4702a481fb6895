"""Statements over the marts of the week: comparisons, published snapshots, examples, advice.

Here: what of them the tabs show, in the order of the rows. Not here: when they are read (``snapshot``), what people see
of it. Figures are read as they stand in the marts; nothing is counted here.
"""

from __future__ import annotations

_DELTAS = """
select
    d.*,
    -- of both weeks, where there is a row to compare with (contract, section 7: no ranking either)
    coalesce(d.completeness >= %(complete)s, false)
    and (d.previous_n is null or coalesce(p.completeness >= %(complete)s, false)) as is_complete
from marts.{mart} as d
left join marts.{mart} as p on d.previous_week = p.week and d.{key} = p.{key} and d.metric = p.metric
where d.week = any(%(raw_weeks)s)
order by d.week desc, {order}, d.{key}, array_position(%(metrics)s::text[], d.metric)
"""
_SNAPSHOTS = """
with latest as (
    select distinct on (week) week, revision, reason, changed_rows
    from marts.week_revisions
    where week = any(%(weeks)s)
    order by week, revision desc
)

select
    s.week,
    s.subject_key,
    s.metric,
    s.value,
    s.n,
    -- as data_status says today: the snapshot keeps what was known when it was made
    coalesce(d.completeness >= %(complete)s, false) as is_complete,
    l.revision,
    l.reason,
    l.changed_rows,
    coalesce(m.manager_name, s.subject_key) as manager_name,
    m.team_id
from marts.behavior_snapshot as s
inner join latest as l on s.week = l.week and s.revision = l.revision
left join marts.manager_week as m on s.week = m.week and s.subject_key = m.manager_key
left join marts.manager_week_delta as d on s.week = d.week and s.subject_key = d.manager_key and s.metric = d.metric
where s.subject_kind = 'manager'
order by s.week desc, s.subject_key = 'none', m.team_id nulls last, manager_name, s.subject_key
"""
_TALKS = """
select
    e.*,
    h.kind as channel_kind,
    h.name as channel_name,
    m.sent_at at time zone %(zone)s as sent_at,
    -- the marts hold no words; what was taken back is shown nowhere
    case when m.deleted_at is null then m.text end as snippet{more}
from marts.{mart} as e
left join core.conversations as c on e.conversation_id = c.conversation_id
left join core.channels as h on c.channel_id = h.channel_id
left join core.messages as m on e.conversation_id = m.conversation_id and e.message_id = m.message_id{joined}
where e.week = any(%(raw_weeks)s)
order by {order}
"""
_MISSES = """
with latest as (
    select week, max(revision) as revision from marts.week_revisions where week = %(newest)s group by week
),

waits as (
    select w.* from marts.published_waits as w inner join latest as l on w.week = l.week and w.revision = l.revision
),

sessions as (
    select s.* from marts.published_sessions as s inner join latest as l on s.week = l.week and s.revision = l.revision
),

missed as (
    select manager_key, 'no_reply_share' as metric, conversation_id, settled_at as at
    from waits
    where wait_kind = 'message' and outcome in ('no_reply', 'window_expired')
    union all
    select manager_key, 'slow_reply_share', conversation_id, settled_at
    from waits
    where wait_kind = 'message' and outcome_manager = 'slow_reply'
    union all
    select manager_key, 'missed_calls_in_target_share', conversation_id, settled_at
    from waits
    where wait_kind = 'missed_call' and outcome_manager in ('slow_reply', 'no_reply', 'window_expired')
    union all
    select manager_key, 'asked_clarifying_share', conversation_id, ended_at from sessions where not asked_clarifying
    union all
    select manager_key, 'made_offer_share', conversation_id, ended_at from sessions where not made_offer
    union all
    select manager_key, 'has_next_step_share', conversation_id, ended_at from sessions where not has_next_step
),

chats as (
    select
        manager_key,
        metric,
        conversation_id,
        row_number() over (partition by manager_key, metric order by max(at) desc, conversation_id) as place
    from missed
    group by manager_key, metric, conversation_id
)

select manager_key, metric, conversation_id from chats where place <= 3 order by manager_key, metric, place
"""

WEEKLY = {
    "manager_deltas": _DELTAS.format(
        mart="manager_week_delta", key="manager_key",
        order="d.manager_id is null, d.team_id nulls last, d.manager_name",
    ),
    "channel_deltas": _DELTAS.format(
        mart="channel_week_delta", key="channel_id", order="d.channel_kind, d.channel_name",
    ),
    "snapshots": _SNAPSHOTS,
    "examples": _TALKS.format(
        mart="weekly_examples", more="", joined="",
        order="e.week desc, e.manager_key = 'none', e.team_id nulls last, e.manager_name, e.manager_key, e.rank",
    ),
    "advice": _TALKS.format(
        mart="chat_advice", more=",\n    n.text as recommendation",
        joined="\nleft join evaluated.scorecard_notes as n"
        " on e.scorecard_id = n.scorecard_id and n.kind = 'recommendation' and e.note = n.n",
        order="e.week desc, e.manager_key = 'none', e.team_id nulls last, e.manager_name, e.manager_key, e.at desc,"
        " e.rule, e.message_id",
    ),
    "misses": _MISSES,
}  # fmt: skip
"""By the names of the snapshot's tables."""
