-- Per chat that spoke in the range: whether both sides are heard in its history (contract, invariant 13). The whole stored
-- history counts: a question of ten at night is answered the next morning and is no sign of a lost direction. A chat that
-- is older than the first stored message of its connection has a history that nobody has read: it counts as two-way.
with oldest as (
    select
        connection_id,
        min(sent_at) as first_sent_at
    from {{ ref('stg_core__messages') }}
    group by connection_id
)

select
    m.conversation_id,
    (bool_or(m.direction = 'in') and bool_or(m.direction = 'out'))
    or coalesce(min(m.conversation_created_at) < min(o.first_sent_at), false) as is_two_way
from {{ ref('stg_core__messages') }} as m
inner join oldest as o on m.connection_id = o.connection_id
where m.conversation_id in (select conversation_id from {{ ref('int_week_messages') }})
group by m.conversation_id
