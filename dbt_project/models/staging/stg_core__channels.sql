select channel_id, connection_id, kind as channel_kind, name as channel_name, is_active
from {{ source('core', 'channels') }}
