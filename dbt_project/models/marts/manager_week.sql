-- What each manager did in the week, in the manager's view.
with statuses as (
    -- the figures are as good as the worst channel that they come from
    select
        week,
        connection_id,
        (array['ok', 'incomplete', 'failed'])[max(array_position(array['ok', 'incomplete', 'failed'], status))] as status,
        min(as_of) as as_of
    from {{ ref('data_status') }}
    group by week, connection_id
),

worst as (
    select
        week,
        (array['ok', 'incomplete', 'failed'])[max(array_position(array['ok', 'incomplete', 'failed'], status))] as status,
        min(as_of) as as_of
    from statuses
    group by week
),

pending as (
    select
        week,
        owner_manager_id as manager_id,
        count(*) as pending_now
    from {{ ref('int_pending_waits') }}
    group by week, owner_manager_id
),

left_waiting as (
    select
        week,
        manager_id,
        count(*) as left_waiting
    from {{ ref('stg_evaluated__left_waiting') }}
    group by week, manager_id
)

select
    r.week::text as week,
    ({{ monday_of('r.week') }})::date as week_starts_on,
    coalesce(r.manager_id, 'none')::text as manager_key,
    r.manager_id::text as manager_id,
    (case when r.manager_id is null then 'Без менеджера' else coalesce(m.manager_name, r.manager_id) end)::text as manager_name,
    m.team_id::text as team_id,
    coalesce(s.sessions_touched, 0)::bigint as sessions_touched,
    {{ wait_columns('v') }},
    coalesce(l.left_waiting, 0)::bigint as left_waiting,
    coalesce(p.pending_now, 0)::bigint as pending_now,
    coalesce(d.status, w.status, 'incomplete')::text as data_status,
    {{ var('definition_version') }}::integer as definition_version,
    coalesce(d.as_of, w.as_of)::timestamptz as as_of
from {{ ref('int_manager_weeks') }} as r
left join {{ ref('stg_core__managers') }} as m on r.manager_id = m.manager_id
left join {{ ref('int_manager_waits') }} as v on r.week = v.week and r.manager_id is not distinct from v.manager_id
left join {{ ref('int_manager_sessions') }} as s on r.week = s.week and r.manager_id is not distinct from s.manager_id
left join left_waiting as l on r.week = l.week and r.manager_id is not distinct from l.manager_id
left join pending as p on r.week = p.week and r.manager_id is not distinct from p.manager_id
left join statuses as d on r.week = d.week and m.connection_id = d.connection_id
left join worst as w on r.week = w.week
