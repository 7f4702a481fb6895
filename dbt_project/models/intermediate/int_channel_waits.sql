-- Per channel and week: the wait figures in the customer's view.
select
    week,
    channel_id,
    count(*) filter (where wait_kind = 'message' and outcome = 'bot_handled') as bot_handled,
    {{ wait_counts('outcome', 'wait_seconds', 'wait_business_seconds') }}
from {{ ref('int_settled_waits') }}
group by week, channel_id
