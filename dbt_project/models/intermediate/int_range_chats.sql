-- One row per chat and day on which it spoke: whether both sides are heard in its history (contract, invariant 13). The
-- whole stored history counts: a question of ten at night is answered the next morning and is no sign of a lost direction.
-- A call has both sides in it: a chat with one is two-way, whoever rang whom.
-- A chat that is older than the first stored message of its connection has a history that nobody has read: it counts as
-- two-way. What is asked for is whether there is a row, so the first one found is enough, however long the chat lives; and
-- it is asked for in the row, not joined: on tables without statistics PostgreSQL would count the chats anew per message.
{%- set heard %}
    exists (
        select from {{ source('core', 'messages') }} as m
        where m.conversation_id = s.conversation_id and {{ is_talk('m') }} and m.direction =
{%- endset %}
with oldest as materialized (
    select
        k.connection_id,
        (
            select m.sent_at
            from {{ source('core', 'messages') }} as m
            inner join {{ source('core', 'conversations') }} as c on m.conversation_id = c.conversation_id
            where m.connection_id = k.connection_id and {{ is_talk('m') }} and not c.is_untimed
            order by m.sent_at
            limit 1
        ) as first_sent_at
    from {{ ref('int_connections') }} as k
),

spoke as materialized (
    select
        week,
        business_on,
        channel_id,
        connection_id,
        conversation_id,
        conversation_created_at
    from {{ ref('int_range_messages') }}
    group by week, business_on, channel_id, connection_id, conversation_id, conversation_created_at
)

select
    s.week,
    s.business_on,
    s.channel_id,
    s.conversation_id,
    {{ heard }} 'in') and {{ heard }} 'out')
    or exists (
        select from {{ source('core', 'messages') }} as m
        where m.conversation_id = s.conversation_id and {{ is_talk('m') }} and m.content_kind = 'call'
    )
    or coalesce(
        s.conversation_created_at < (select o.first_sent_at from oldest as o where o.connection_id = s.connection_id),
        false
    ) as is_two_way
from spoke as s
