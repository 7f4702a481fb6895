select manager_id, connection_id, name as manager_name, team_id
from {{ source('core', 'managers') }}
