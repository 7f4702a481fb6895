-- One row per connection, day and neighbour of whose day something lacks: it was not counted, lacks messages, or was not
-- judged to its end, which is how far it was loaded. What answered the connection's waits there cannot be known. A
-- neighbour that is disabled is declared off: from the day on which that was done nothing is expected of it.
with lacking as (
    select distinct
        d.connection_id,
        d.business_on
    from {{ ref('int_channel_days') }} as d
    inner join {{ ref('stg_core__channels') }} as c on d.channel_id = c.channel_id
    where not d.is_complete and (c.is_active or d.chats > 0 or d.settled_waits > 0 or d.ended_sessions > 0)
),

counted as (
    select distinct
        connection_id,
        business_on
    from {{ ref('stg_ops__completeness') }}
)

select
    d.week,
    d.business_on,
    n.connection_id,
    n.neighbour_id
from {{ ref('int_neighbours') }} as n
inner join {{ ref('stg_ops__connections') }} as o on n.neighbour_id = o.connection_id
inner join {{ ref('int_days') }} as d on o.disabled_at is null or o.disabled_at >= d.ends_at
left join {{ ref('stg_ops__as_of') }} as a on n.neighbour_id = a.connection_id
left join counted as k on n.neighbour_id = k.connection_id and d.business_on = k.business_on
left join lacking as l on n.neighbour_id = l.connection_id and d.business_on = l.business_on
where k.connection_id is null or l.connection_id is not null or a.as_of is null or a.as_of < d.ends_at
