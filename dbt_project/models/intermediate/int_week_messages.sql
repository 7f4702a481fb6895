-- Public messages of the range with the week they were sent in.
select
    m.*,
    {{ iso_week('m.business_on') }} as week
from {{ ref('stg_core__messages') }} as m
where
    m.business_on >= {{ monday_of("'" ~ var('first_week') ~ "'") }}
    and m.business_on < {{ monday_of("'" ~ var('last_week') ~ "'") }} + 7
