select
    session_id,
    conversation_id,
    channel_id,
    started_at,
    last_message_at,
    ended_week as week,
    initiated_by,
    is_bot_only
from {{ source('evaluated', 'sessions') }}
