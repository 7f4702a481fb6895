-- Several measures of one channel and day are one judgement. Rows without a channel are counters of the whole connection
-- (orders, customers): they are not the channel's, but they prove that the day was counted.
select
    connection_id,
    nullif(channel_id, '') as channel_id,
    business_on,
    sum(reported) as reported,
    sum(stored) as stored
from {{ source('ops', 'completeness') }}
where business_on between {{ first_day() }} and {{ last_day() }}
group by connection_id, channel_id, business_on
