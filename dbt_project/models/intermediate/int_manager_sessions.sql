-- Per manager and week: ended sessions in which he gave at least one human reply.
select
    s.week,
    m.manager_id,
    count(distinct s.session_id) as sessions_touched
from {{ ref('int_ended_sessions') }} as s
inner join {{ ref('stg_core__messages') }} as m
    on
        s.conversation_id = m.conversation_id
        and m.sent_at between s.started_at and s.last_message_at
where m.is_human_reply
group by s.week, m.manager_id
