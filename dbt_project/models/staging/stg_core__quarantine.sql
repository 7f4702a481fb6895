select
    connection_id,
    reason,
    (event_at at time zone '{{ var("time_zone") }}')::date as business_on
from {{ source('core', 'quarantine') }}
