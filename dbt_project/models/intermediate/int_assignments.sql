-- Who was given a conversation in the range, by day.
select
    a.at::date as business_on,
    {{ iso_week('a.at') }} as week,
    a.manager_id
from (
    select
        e.at at time zone '{{ var("time_zone") }}' as at,
        {{ person_of('p', 'e.manager_id') }} as manager_id
    from {{ ref('int_connections') }} as c
    inner join {{ source('core', 'events') }} as e
        on
            c.connection_id = e.connection_id
            and e.at >= {{ begin_of(first_day()) }}
            and e.at < {{ begin_of(last_day() ~ ' + 1') }}
    left join {{ source('reference', 'people') }} as p on e.manager_id = p.manager_id
    where e.kind = 'assigned' and e.manager_id is not null
) as a
group by 1, 2, 3
