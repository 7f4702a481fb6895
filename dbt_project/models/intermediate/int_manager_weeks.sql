-- The rows of manager_week (contract, ruling 13): everybody who was assigned, wrote or owns a wait of that week.
select week, manager_id from {{ ref('int_manager_waits') }}
union
select week, manager_id from {{ ref('int_manager_sessions') }}
union
select week, manager_id from {{ ref('int_week_messages') }} where sender_kind = 'manager'
union
select week, owner_manager_id from {{ ref('int_pending_waits') }}
union
select
    l.week,
    l.manager_id
from {{ ref('stg_evaluated__left_waiting') }} as l
inner join {{ ref('int_weeks') }} as w on l.week = w.week
union
select
    w.week,
    a.manager_id
from {{ ref('stg_core__assignments') }} as a
inner join {{ ref('int_weeks') }} as w
    on a.assigned_at >= w.ends_at - interval '7 days' and a.assigned_at < w.ends_at
