-- One row per local day of the range that is built.
select
    day::date as business_on,
    {{ iso_week('day') }} as week,
    {{ begin_of('day::date + 1') }} as ends_at
from generate_series({{ first_day() }}::timestamp, {{ last_day() }}::timestamp, interval '1 day') as day
