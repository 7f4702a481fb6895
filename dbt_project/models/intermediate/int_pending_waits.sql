-- Waits still open at as_of, beside each week that they were open at the end of. A stock, not a flow: never summed over weeks.
select
    w.week,
    p.channel_id,
    p.manager_id
from {{ staged_waits() }} as p
inner join {{ ref('int_weeks') }} as w on p.opened_at < w.ends_at
where p.outcome = 'pending' and p.wait_kind = 'message'
