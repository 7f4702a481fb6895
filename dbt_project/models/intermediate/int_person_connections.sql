-- One row per person and connection that he has an account in.
select distinct
    {{ person_of('p', 'm.manager_id') }} as manager_id,
    m.connection_id
from {{ source('core', 'managers') }} as m
left join {{ source('reference', 'people') }} as p on m.manager_id = p.manager_id
