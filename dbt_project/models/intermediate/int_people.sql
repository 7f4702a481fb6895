-- One row per person: his name, and where the reference does not know him, the team that his account has at the source.
select
    {{ person_of('p', 'm.manager_id') }} as manager_id,
    min(coalesce(p.person_name, m.name)) as manager_name,
    bool_or(p.person_id is not null) as is_known,
    min(m.team_id) as account_team_id
from {{ source('core', 'managers') }} as m
full join {{ source('reference', 'people') }} as p on m.manager_id = p.manager_id
group by 1
