"""Where the cases behind a figure are read: as they are now, and as they were when a week was published.

Here: one SQL query per sort of case, all of a shape. Not here: which of the cases a figure counts
(``evidence_figures``), who asks (``evidence``).

Every query gives ``case_id``, ``session_id``, ``conversation_id``, ``channel_id``, ``manager_key`` (the person; 'none':
nobody), ``at``, and what the conditions of the figures and the list itself look at. Columns that end in ``message_ids``
are arrays. Placeholders in braces are filled with conditions of this module, parameters of psycopg with values.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

Period: TypeAlias = Literal["week", "day"]

_WAITS = """
    select
        w.wait_id as case_id, w.session_id, w.conversation_id, w.channel_id,
        coalesce(p.person_id, w.owner_manager_id, 'none') as manager_key,
        w.opened_at as at, w.settled_at, w.wait_kind, w.outcome, w.outcome_manager, w.is_first_reply,
        w.wait_seconds, w.wait_business_seconds, w.manager_wait_seconds, w.manager_wait_business_seconds,
        w.asking_message_ids, array_remove(array[w.answering_message_id], null) as answering_message_ids
    from evaluated.waits as w
    left join reference.people as p on w.owner_manager_id = p.manager_id
    where {settled}
"""
_PUBLISHED_WAITS = """
    select
        w.wait_id as case_id, w.session_id, w.conversation_id, w.channel_id, w.manager_key,
        w.opened_at as at, w.settled_at, w.wait_kind, w.outcome, w.outcome_manager, w.is_first_reply,
        w.wait_seconds, w.wait_business_seconds, w.manager_wait_seconds, w.manager_wait_business_seconds,
        w.asking_message_ids, array_remove(array[w.answering_message_id], null) as answering_message_ids
    from marts.published_waits as w
    where w.week = %(week)s and w.revision = %(revision)s
"""
_BEHAVIOUR_COLUMNS = """
        b.has_intent, b.asked_clarifying, b.made_offer, b.has_next_step, b.is_good, b.is_good_customer,
        b.next_step_not_judged, b.not_good, b.not_good_customer,
        b.intent_message_ids, b.clarifying_message_ids, b.offer_message_ids, b.next_step_message_ids,
        b.refusal_message_ids, b.paid_message_ids
"""
_BEHAVIOUR = f"""
    select
        b.session_id as case_id, b.session_id, b.conversation_id, b.channel_id,
        coalesce(p.person_id, b.manager_id, 'none') as manager_key, b.ended_at as at,
        {_BEHAVIOUR_COLUMNS}
    from evaluated.judged_sessions as b
    left join reference.people as p on b.manager_id = p.manager_id
    where {{ended}}
"""  # noqa: S608 constants of this module
_PUBLISHED_BEHAVIOUR = f"""
    select
        b.session_id as case_id, b.session_id, b.conversation_id, b.channel_id, b.manager_key, b.ended_at as at,
        {_BEHAVIOUR_COLUMNS}
    from marts.published_sessions as b
    where b.week = %(week)s and b.revision = %(revision)s
"""  # noqa: S608 constants of this module
_PENDING = """
    select
        w.wait_id as case_id, w.session_id, w.conversation_id, w.channel_id,
        coalesce(p.person_id, w.owner_manager_id, 'none') as manager_key,
        w.opened_at as at, w.outcome, w.outcome as outcome_manager, w.pending_seconds, w.asking_message_ids
    from evaluated.waits as w
    left join reference.people as p on w.owner_manager_id = p.manager_id
    where w.outcome = 'pending' and w.wait_kind = 'message' and w.opened_at < %(end)s
"""
_LEFT_WAITING = """
    select
        l.wait_id || ':' || l.manager_id || ':' || l.replaced_at as case_id, w.session_id, l.conversation_id,
        l.channel_id, coalesce(p.person_id, l.manager_id, 'none') as manager_key, l.replaced_at as at, l.held_seconds,
        w.asking_message_ids
    from evaluated.left_waiting as l
    inner join evaluated.waits as w on l.wait_id = w.wait_id
    left join reference.people as p on l.manager_id = p.manager_id
    where {replaced}
"""
# a talk as the marts count it: public, dated, the customer's own; a mass mailing is none
_TALK = """
    m.is_public and m.sent_at is not null and m.sender_kind in ('customer', 'manager', 'bot', 'autoreply')
        and not c.is_untimed and not m.flags && array['second_customer']
"""
_TOUCHED = """
    select
        s.session_id || ':' || coalesce(p.person_id, m.manager_id, 'none') as case_id, s.session_id, s.conversation_id,
        s.channel_id, coalesce(p.person_id, m.manager_id, 'none') as manager_key, s.ended_at as at,
        array_agg(m.message_id order by m.sent_at, m.message_id) as reply_message_ids,
        not bool_and(m.content_kind = 'call') as has_written
    from evaluated.sessions as s
    inner join core.conversations as c on s.conversation_id = c.conversation_id
    inner join core.messages as m
        on s.conversation_id = m.conversation_id and m.sent_at between s.started_at and s.last_message_at
    left join reference.people as p on m.manager_id = p.manager_id
    where
        {ended_session} and m.content_kind <> 'reaction' and m.delivery_status <> 'failed'
        -- an answered call is a reply in either direction
        and (
            m.content_kind <> 'call' and m.sender_kind = 'manager'
            or m.content_kind = 'call' and m.call_answered and m.sender_kind in ('customer', 'manager')
        )
        and (m.deleted_at is null or m.deleted_at >= m.sent_at + make_interval(secs => %(early_delete_seconds)s))
        and m.is_public and not c.is_untimed and not m.flags && array['second_customer']
    group by s.session_id, s.conversation_id, s.channel_id, s.ended_at, coalesce(p.person_id, m.manager_id, 'none')
"""
_SESSIONS = """
    select
        s.session_id as case_id, s.session_id, s.conversation_id, s.channel_id, null as manager_key, s.ended_at as at,
        s.is_bot_only, f.is_asking, coalesce(f.is_bot_first, false) as is_bot_first,
        array[s.first_message_id] as first_message_ids, array[s.last_message_id] as last_message_ids
    from evaluated.sessions as s
    cross join lateral (
        select
            count(*) > 0 as is_asking,
            bool_or(
                w.first_bot_reply_seconds is not null and (
                    w.answered_at is null
                    or w.opened_at + make_interval(secs => w.first_bot_reply_seconds) < w.answered_at
                )
            ) as is_bot_first
        from evaluated.waits as w
        where w.conversation_id = s.conversation_id and w.session_id = s.session_id and w.is_first_of_session
    ) as f
    where {ended_session}
"""
_CHATS = f"""
    select
        t.conversation_id as case_id, null as session_id, t.conversation_id, t.channel_id, null as manager_key, t.at,
        t.message_ids[1:1] as first_message_ids, t.message_ids[cardinality(t.message_ids):] as last_message_ids,
        -- a chat that is older than everything that was read of its account has a past that nobody knows
        w.is_two_way or coalesce(t.created_at < o.first_sent_at, false) as is_two_way
    from (
        select
            m.conversation_id, c.channel_id, c.connection_id, c.created_at, min(m.sent_at) as at,
            array_agg(m.message_id order by m.sent_at, m.message_id) as message_ids
        from core.messages as m inner join core.conversations as c on m.conversation_id = c.conversation_id
        where {{sent}} and {_TALK}
        group by m.conversation_id, c.channel_id, c.connection_id, c.created_at
    ) as t
    cross join lateral (
        -- both sides are in a call
        select bool_or(m.direction = 'in') and bool_or(m.direction = 'out') or bool_or(m.content_kind = 'call')
            as is_two_way
        from core.messages as m inner join core.conversations as c on m.conversation_id = c.conversation_id
        where m.conversation_id = t.conversation_id and {_TALK}
    ) as w
    left join lateral (
        select m.sent_at as first_sent_at
        from core.messages as m inner join core.conversations as c on m.conversation_id = c.conversation_id
        where m.connection_id = t.connection_id and {_TALK}
        order by m.sent_at
        limit 1
    ) as o on true
"""  # noqa: S608 constants of this module
_CUSTOMERS = f"""
    select
        coalesce(l.same_as, c.customer_id, 'chat ' || c.conversation_id) as case_id, null as session_id,
        (array_agg(c.conversation_id order by m.sent_at, m.message_id))[1] as conversation_id, c.channel_id,
        null as manager_key, min(m.sent_at) as at,
        (array_agg(m.message_id order by m.sent_at, m.message_id))[1:1] as first_message_ids,
        array[]::text[] as last_message_ids
    from core.messages as m
    inner join core.conversations as c on m.conversation_id = c.conversation_id
    left join reference.customer_links as l on c.customer_id = l.customer_id
    where {{sent}} and {_TALK}
    group by coalesce(l.same_as, c.customer_id, 'chat ' || c.conversation_id), c.channel_id
"""  # noqa: S608 constants of this module
_MESSAGES = f"""
    select
        m.conversation_id || ':' || m.message_id as case_id, null as session_id, m.conversation_id, c.channel_id,
        coalesce(p.person_id, m.manager_id, 'none') as manager_key, m.sent_at as at, m.sender_kind,
        array[m.message_id] as message_ids
    from core.messages as m
    inner join core.conversations as c on m.conversation_id = c.conversation_id
    left join reference.people as p on m.manager_id = p.manager_id
    where {{sent}} and {_TALK}
"""  # noqa: S608 constants of this module

_CALLS = """
    select
        k.call_id as case_id, null as session_id, k.conversation_id, k.channel_id,
        coalesce(p.person_id, k.operator_id, 'none') as manager_key, k.started_at as at, k.direction, k.is_answered,
        k.is_internal, coalesce(k.talk_seconds, 0) as talk_seconds, array[k.message_id] as message_ids
    from core.calls as k
    left join reference.people as p on k.operator_id = p.manager_id
    where {called}
"""
_SCORES = """
    select
        t.scorecard_id as case_id, case when t.subject_kind = 'session' then t.subject_id end as session_id,
        t.conversation_id, t.channel_id, coalesce(p.person_id, t.manager_id, 'none') as manager_key,
        t.happened_at as at, t.subject_kind, t.subject_id, t.judge, t.state, t.final_score, t.counted_score,
        t.has_counted_fail, case when t.counted_score is null then t.trial_score end as trial_score, t.message_ids
    from evaluated.talk_scores as t
    left join reference.people as p on t.manager_id = p.manager_id
    where {happened}
"""
_PUBLISHED_SCORES = """
    select
        t.scorecard_id as case_id, case when t.subject_kind = 'session' then t.subject_id end as session_id,
        t.conversation_id, t.channel_id, t.manager_key, t.happened_at as at, t.subject_kind, t.subject_id,
        'model' as judge, 'scored' as state, t.counted_score as final_score, t.counted_score, t.has_counted_fail,
        null::numeric as trial_score, t.message_ids
    from marts.published_scores as t
    where t.week = %(week)s and t.revision = %(revision)s
"""
_JUDGED_CALLS = f"""
    select distinct on (s.subject_id, s.manager_key, s.channel_id) s.*
    from ({_SCORES}) as s
    where s.subject_kind = 'call' and s.state = 'scored'
    order by s.subject_id, s.manager_key, s.channel_id, s.judge
"""  # noqa: S608 constants of this module
_CRITERIA = f"""
    select s.case_id || ':' || c.criterion as case_id, s.session_id, s.conversation_id, s.channel_id, s.manager_key,
        s.at, c.not_given, s.message_ids
    from ({_SCORES}) as s
    inner join evaluated.scorecard_criteria as c on s.case_id = c.scorecard_id
    where s.judge = 'model' and s.state = 'scored'
"""  # noqa: S608 constants of this module
LIVE = {
    "waits": _WAITS,
    "behaviour": _BEHAVIOUR,
    "pending": _PENDING,
    "left_waiting": _LEFT_WAITING,
    "touched": _TOUCHED,
    "sessions": _SESSIONS,
    "chats": _CHATS,
    "customers": _CUSTOMERS,
    "messages": _MESSAGES,
    "calls": _CALLS,
    "scores": _SCORES,
    "judged_calls": _JUDGED_CALLS,
    "criteria": _CRITERIA,
}
"""The cases as they are judged now."""
PUBLISHED = {"waits": _PUBLISHED_WAITS, "behaviour": _PUBLISHED_BEHAVIOUR, "scores": _PUBLISHED_SCORES}
"""The cases as they were when a revision of the week was published. They are kept for ever."""
TABLES = {"waits": "published_waits", "behaviour": "published_sessions", "scores": "published_scores"}
"""The marts that ``PUBLISHED`` reads."""
CONDITIONS: dict[Period, dict[str, str]] = {
    "week": {
        "settled": "w.settled_week = %(week)s",
        "ended": "b.ended_week = %(week)s",
        "replaced": "l.replaced_week = %(week)s",
        "ended_session": "s.ended_week = %(week)s",
        "called": "k.business_on between %(first)s and %(last)s",
        "happened": "t.happened_week = %(week)s",
        "sent": "m.business_on between %(first)s and %(last)s and m.sent_at >= %(start)s and m.sent_at < %(end)s",
    },
    "day": {
        "settled": "w.settled_on = %(first)s",
        "ended": "b.ended_on = %(first)s",
        "replaced": "l.replaced_on = %(first)s",
        "ended_session": "s.ended_on = %(first)s",
        "called": "k.business_on = %(first)s",
        "happened": "t.happened_on = %(first)s",
        "sent": "m.business_on = %(first)s and m.sent_at >= %(start)s and m.sent_at < %(end)s",
    },
}
"""What makes a case one of the week or the day: local days in the organisation's zone, as stored with each row."""
