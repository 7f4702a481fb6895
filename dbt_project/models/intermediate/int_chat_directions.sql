-- Per chat that spoke in the range: whether both sides are heard in its stored history (contract, invariant 13). The whole
-- history counts: a question of ten at night is answered the next morning and is no sign of a lost direction.
select
    conversation_id,
    bool_or(sender_kind = 'customer') and bool_or(sender_kind <> 'customer') as is_two_way
from {{ ref('stg_core__messages') }}
where conversation_id in (select conversation_id from {{ ref('int_week_messages') }})
group by conversation_id
