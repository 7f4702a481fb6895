-- Public messages of the range with the week and day they were sent in. Found by connection and instant, which is what
-- is indexed; a day on each side, since the stored local day decides.
select
    m.*,
    {{ iso_week('m.business_on') }} as week
from {{ ref('int_connections') }} as c
inner join {{ staged_messages() }} as m
    on
        c.connection_id = m.connection_id
        and m.sent_at >= {{ begin_of(first_day() ~ ' - 1') }}
        and m.sent_at < {{ begin_of(last_day() ~ ' + 2') }}
where m.business_on between {{ first_day() }} and {{ last_day() }}
