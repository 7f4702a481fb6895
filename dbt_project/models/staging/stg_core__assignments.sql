select conversation_id, at as assigned_at, manager_id
from {{ source('core', 'events') }}
where kind = 'assigned' and manager_id is not null
