-- Whether the week of a channel can be trusted, and why not.
with quarantined as (
    select
        w.week,
        q.connection_id,
        count(*) as quarantined,
        count(*) filter (where q.reason = 'unmapped_sender') as unmapped
    from {{ ref('stg_core__quarantine') }} as q
    inner join {{ ref('int_weeks') }} as w
        on q.business_on >= w.week_starts_on and q.business_on < w.week_starts_on + 7
    group by w.week, q.connection_id
),

weeks as (
    select
        d.week,
        d.channel_id,
        d.connection_id,
        max(d.ends_at) as ends_at,
        count(reported) as days_counted,
        count(*) filter (where is_complete) as days_complete,
        sum(reported) as messages_reported,
        sum(stored) as messages_stored,
        sum(settled_waits) as waits_checked,
        sum(skewed_waits) as waits_skewed,
        sum(chats) as chat_days,
        sum(one_direction_chats) as one_direction_chat_days,
        bool_or(is_skewed) as is_skewed,
        bool_or(is_one_sided) as is_one_sided,
        sum(ended_sessions) as ended_sessions
    from {{ ref('int_channel_days') }} as d
    group by d.week, d.channel_id, d.connection_id
),

neighbours as (
    select
        week,
        connection_id,
        string_agg('neighbour_incomplete:' || neighbour_id, ', ' order by neighbour_id) as reasons
    from (select distinct week, connection_id, neighbour_id from {{ ref('int_neighbour_gaps') }}) as g
    group by week, connection_id
),

again as (
    select distinct
        week,
        connection_id
    from {{ ref('int_to_judge_again') }}
)

select
    w.week::text as week,
    ({{ monday_of('w.week') }})::date as week_starts_on,
    w.channel_id::text as channel_id,
    w.connection_id::text as connection_id,
    c.channel_name::text as channel_name,
    w.days_counted::bigint as days_counted,
    w.days_complete::bigint as days_complete,
    w.messages_reported::bigint as messages_reported,
    w.messages_stored::bigint as messages_stored,
    {{ share('w.messages_stored', 'w.messages_reported') }}::numeric as completeness_share,
    coalesce(q.quarantined, 0)::bigint as quarantined,
    coalesce(q.unmapped, 0)::bigint as unmapped,
    w.waits_checked::bigint as waits_checked,
    w.waits_skewed::bigint as waits_skewed,
    {{ share('w.waits_skewed', 'w.waits_checked') }}::numeric as skewed_share,
    w.chat_days::bigint as chat_days,
    w.one_direction_chat_days::bigint as one_direction_chat_days,
    {{ share('w.one_direction_chat_days', 'w.chat_days') }}::numeric as one_direction_share,
    (
        case
            when q.unmapped > 0 or w.is_skewed or w.is_one_sided then 'failed'
            when w.days_complete < 7 or a.as_of is null or a.as_of < w.ends_at then 'incomplete'
            -- what answered its waits elsewhere is not known
            when n.reasons is not null or r.connection_id is not null then 'incomplete'
            else 'ok'
        end
    )::text as status,
    concat_ws(
        ', ',
        case when q.unmapped > 0 then 'unmapped_sender' end,
        case when w.is_skewed then 'clock_skew' end,
        case when w.is_one_sided then 'one_direction' end,
        case when w.days_counted < 7 then 'days_not_counted' end,
        case when w.days_complete < w.days_counted then 'incomplete_days' end,
        case when a.as_of is null or a.as_of < w.ends_at then 'not_judged_to_its_end' end,
        case when r.connection_id is not null then 'not_judged_again' end,
        n.reasons
    )::text as reasons,
    false::boolean as is_stale,
    a.as_of::timestamptz as as_of
from weeks as w
inner join {{ ref('stg_core__channels') }} as c on w.channel_id = c.channel_id
left join {{ ref('stg_ops__as_of') }} as a on w.connection_id = a.connection_id
left join quarantined as q on w.week = q.week and w.connection_id = q.connection_id
left join neighbours as n on w.week = n.week and w.connection_id = n.connection_id
left join again as r on w.week = r.week and w.connection_id = r.connection_id
left join {{ ref('stg_ops__connections') }} as o on w.connection_id = o.connection_id
-- a channel that is switched off, itself or with its account, and silent has no week
where
    ({{ is_on('c', 'o', begin_of(monday_of('w.week'))) }})
    or w.chat_days > 0
    or w.waits_checked > 0
    or w.ended_sessions > 0
