-- Whether the day of a channel can be trusted: what data_status says of its week, said of one day.
with quarantined as materialized (
    select
        business_on,
        connection_id,
        count(*) filter (where reason = 'unmapped_sender') as unmapped
    from {{ ref('stg_core__quarantine') }}
    group by business_on, connection_id
),

neighbours as materialized (
    select distinct
        business_on,
        connection_id
    from {{ ref('int_neighbour_gaps') }}
    union
    select
        business_on,
        connection_id
    from {{ ref('int_to_judge_again') }}
)

select
    d.week,
    d.business_on,
    d.channel_id,
    d.connection_id,
    c.channel_name,
    case
        when q.unmapped > 0 or d.is_skewed or d.is_one_sided then 'failed'
        when not d.is_complete or a.as_of is null or a.as_of < d.ends_at then 'incomplete'
        -- what answered its waits elsewhere is not known
        when n.connection_id is not null then 'incomplete'
        else 'ok'
    end as status,
    a.as_of
from {{ ref('int_channel_days') }} as d
inner join {{ ref('stg_core__channels') }} as c on d.channel_id = c.channel_id
left join {{ ref('stg_ops__as_of') }} as a on d.connection_id = a.connection_id
left join quarantined as q on d.business_on = q.business_on and d.connection_id = q.connection_id
left join neighbours as n on d.business_on = n.business_on and d.connection_id = n.connection_id
left join {{ ref('stg_ops__connections') }} as o on d.connection_id = o.connection_id
-- a channel that is switched off, itself or with its account, and silent has no day
where ({{ is_on('c', 'o', 'd.ends_at') }}) or d.chats > 0 or d.settled_waits > 0 or d.ended_sessions > 0
