-- Waits still open at as_of, beside each week that they were open at the end of. A stock, not a flow: never summed over weeks.
-- A channel that is switched off, itself (every file is) or with its account, whose connection was judged only until
-- before a week says nothing of who waits in it.
select
    w.week,
    p.channel_id,
    p.manager_id
from {{ staged_waits() }} as p
inner join {{ ref('int_weeks') }} as w on p.opened_at < w.ends_at
inner join {{ ref('stg_core__channels') }} as c on p.channel_id = c.channel_id
left join {{ ref('stg_ops__as_of') }} as a on c.connection_id = a.connection_id
left join {{ ref('stg_ops__connections') }} as o on c.connection_id = o.connection_id
where
    p.outcome = 'pending'
    and p.wait_kind = 'message'
    and (({{ is_on('c', 'o', begin_of('w.week_starts_on')) }}) or a.as_of > {{ begin_of('w.week_starts_on') }})
