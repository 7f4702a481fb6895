-- One row per ISO week of the range that is built.
select
    day::date as week_starts_on,
    {{ iso_week('day') }} as week,
    ((day::date + 7)::timestamp at time zone '{{ var("time_zone") }}') as ends_at
from generate_series(
    {{ monday_of("'" ~ var('first_week') ~ "'") }}::timestamp,
    {{ monday_of("'" ~ var('last_week') ~ "'") }}::timestamp,
    interval '7 days'
) as day
