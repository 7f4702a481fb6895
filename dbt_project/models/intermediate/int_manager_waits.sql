-- Per owner and week: the wait figures in the manager's view. Owner NULL is "Без менеджера".
select
    week,
    owner_manager_id as manager_id,
    {{ wait_counts('outcome_manager', 'manager_wait_seconds', 'manager_wait_business_seconds') }}
from {{ ref('int_settled_waits') }}
group by week, owner_manager_id
