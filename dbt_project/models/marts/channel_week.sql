-- What customers of each channel account experienced in the week, in the customer's view.
with talks as (
    select
        week,
        channel_id,
        count(distinct conversation_id) as chats,
        count(distinct coalesce(customer_id, conversation_id)) as unique_customers,
        count(*) filter (where sender_kind = 'customer') as messages_in,
        count(*) filter (where sender_kind in ('manager', 'bot')) as messages_out
    from {{ ref('int_week_messages') }}
    group by week, channel_id
),

one_way as (
    select
        m.week,
        m.channel_id,
        count(distinct m.conversation_id) as one_direction_chats
    from {{ ref('int_week_messages') }} as m
    inner join {{ ref('int_chat_directions') }} as d on m.conversation_id = d.conversation_id
    where not d.is_two_way
    group by m.week, m.channel_id
),

firsts as (
    -- the wait that opened a session, whenever it settled
    select
        session_id,
        bool_or(
            first_bot_reply_seconds is not null
            and (answered_at is null or opened_at + make_interval(secs => first_bot_reply_seconds) < answered_at)
        ) as was_bot_first
    from {{ ref('stg_evaluated__waits') }}
    where is_first_of_session
    group by session_id
),

sessions as (
    select
        s.week,
        s.channel_id,
        count(*) as sessions_ended,
        count(*) filter (where s.is_bot_only) as bot_only_sessions,
        count(*) filter (where f.session_id is not null) as asking_sessions,
        count(*) filter (where f.was_bot_first) as bot_first_sessions
    from {{ ref('int_ended_sessions') }} as s
    left join firsts as f on s.session_id = f.session_id
    group by s.week, s.channel_id
),

pending as (
    select
        week,
        channel_id,
        count(*) as pending_now
    from {{ ref('int_pending_waits') }}
    group by week, channel_id
)

select
    d.week::text as week,
    d.week_starts_on::date as week_starts_on,
    d.channel_id::text as channel_id,
    d.connection_id::text as connection_id,
    c.channel_kind::text as channel_kind,
    d.channel_name::text as channel_name,
    coalesce(t.chats, 0)::bigint as chats,
    coalesce(t.unique_customers, 0)::bigint as unique_customers,
    coalesce(t.messages_in, 0)::bigint as messages_in,
    coalesce(t.messages_out, 0)::bigint as messages_out,
    coalesce(o.one_direction_chats, 0)::bigint as one_direction_chats,
    {{ share('coalesce(o.one_direction_chats, 0)', 't.chats') }}::numeric as one_direction_share,
    coalesce(s.sessions_ended, 0)::bigint as sessions_ended,
    coalesce(s.bot_only_sessions, 0)::bigint as bot_only_sessions,
    coalesce(s.asking_sessions, 0)::bigint as asking_sessions,
    coalesce(s.bot_first_sessions, 0)::bigint as bot_first_sessions,
    {{ share('s.bot_first_sessions', 's.asking_sessions') }}::numeric as bot_first_share,
    {{ wait_columns('v') }},
    coalesce(v.bot_handled, 0)::bigint as bot_handled,
    coalesce(p.pending_now, 0)::bigint as pending_now,
    d.status::text as data_status,
    {{ var('definition_version') }}::integer as definition_version,
    d.as_of::timestamptz as as_of
from {{ ref('data_status') }} as d
inner join {{ ref('stg_core__channels') }} as c on d.channel_id = c.channel_id
left join talks as t on d.week = t.week and d.channel_id = t.channel_id
left join one_way as o on d.week = o.week and d.channel_id = o.channel_id
left join sessions as s on d.week = s.week and d.channel_id = s.channel_id
left join {{ ref('int_channel_waits') }} as v on d.week = v.week and d.channel_id = v.channel_id
left join pending as p on d.week = p.week and d.channel_id = p.channel_id
