-- Public messages that are part of a talk, with their channel; deleted, failed and odd ones told apart, not dropped.
select
    m.conversation_id,
    m.message_id,
    c.channel_id,
    c.connection_id,
    c.customer_id,
    c.created_at as conversation_created_at,
    m.sent_at,
    m.business_on,
    m.direction,
    m.sender_kind,
    m.manager_id,
    -- "answers a wait" of the metric contract, section 1: what counts as a person's reply
    m.sender_kind = 'manager'
    and m.content_kind <> 'reaction'
    and m.delivery_status <> 'failed'
    and (
        m.deleted_at is null
        or m.deleted_at - m.sent_at >= make_interval(secs => {{ var('early_delete_seconds') }})
    ) as is_human_reply
from {{ source('core', 'messages') }} as m
inner join {{ source('core', 'conversations') }} as c on m.conversation_id = c.conversation_id
where
    m.is_public
    and m.sent_at is not null
    -- a mass mailing is no talk: a chat that holds nothing else is one-sided by nature
    and m.sender_kind in ('customer', 'manager', 'bot', 'autoreply')
    and not c.is_untimed
    and not m.flags && array['second_customer']
