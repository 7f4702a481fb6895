-- One row per ISO week of the range that is built.
select
    week,
    min(business_on) as week_starts_on,
    max(ends_at) as ends_at
from {{ ref('int_days') }}
group by week
