-- Several measures of one channel and day are one judgement: the worst of them counts.
select
    connection_id,
    channel_id,
    business_on,
    sum(reported) as reported,
    sum(stored) as stored
from {{ source('ops', 'completeness') }}
where channel_id <> ''  -- empty: counters of the whole connection, orders and customers
group by connection_id, channel_id, business_on
