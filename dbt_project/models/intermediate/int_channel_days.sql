-- Per channel and day of the range: what the quality rules of the contract look at (sections 4.1 and 8, invariant 13).
with chats as materialized (
    select
        channel_id,
        business_on,
        count(*) as chats,
        count(*) filter (where not is_two_way) as one_direction_chats
    from {{ ref('int_range_chats') }}
    group by channel_id, business_on
),

settled as materialized (
    select
        channel_id,
        business_on,
        count(*) as settled_waits,
        count(*) filter (where clock_skew) as skewed_waits
    from {{ ref('int_settled_waits') }}
    group by channel_id, business_on
),

counted as materialized (
    select distinct
        connection_id,
        business_on
    from {{ ref('stg_ops__completeness') }}
),

ended as materialized (
    select
        channel_id,
        business_on,
        count(*) as ended_sessions
    from {{ ref('int_ended_sessions') }}
    group by channel_id, business_on
)

select
    d.week,
    d.business_on,
    d.ends_at,
    c.channel_id,
    c.connection_id,
    -- a counted day on which the vendor has nothing for the channel is a complete one
    coalesce(k.reported, case when n.business_on is not null then 0 end) as reported,
    coalesce(k.stored, case when n.business_on is not null then 0 end) as stored,
    coalesce(h.chats, 0) as chats,
    coalesce(h.one_direction_chats, 0) as one_direction_chats,
    coalesce(s.settled_waits, 0) as settled_waits,
    coalesce(s.skewed_waits, 0) as skewed_waits,
    coalesce(e.ended_sessions, 0) as ended_sessions,
    case
        when k.reported is not null then k.stored >= k.reported * {{ var('completeness_limit') }}
        else n.business_on is not null
    end as is_complete,
    coalesce(s.skewed_waits > s.settled_waits * {{ var('skewed_limit') }}, false) as is_skewed,
    coalesce(
        h.chats >= {{ var('one_direction_min_chats') }}
        and h.one_direction_chats > h.chats * {{ var('one_direction_limit') }}, false
    ) as is_one_sided
from {{ ref('int_days') }} as d
cross join {{ ref('stg_core__channels') }} as c
left join counted as n on d.business_on = n.business_on and c.connection_id = n.connection_id
left join {{ ref('stg_ops__completeness') }} as k on d.business_on = k.business_on and c.channel_id = k.channel_id
left join chats as h on d.business_on = h.business_on and c.channel_id = h.channel_id
left join settled as s on d.business_on = s.business_on and c.channel_id = s.channel_id
left join ended as e on d.business_on = e.business_on and c.channel_id = e.channel_id
