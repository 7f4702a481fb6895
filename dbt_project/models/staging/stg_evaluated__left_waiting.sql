select wait_id, manager_id, replaced_week as week, held_seconds
from {{ source('evaluated', 'left_waiting') }}
