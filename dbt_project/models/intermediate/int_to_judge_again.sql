-- One row per connection and day with a wait that other accounts have told something about, and that was not judged again
-- since: what stands there may be answered in the meantime. One chat of a human is marked for all of his in a connection.
with told as (
    select
        d.connection_id,
        d.since,
        coalesce(l.same_as, c.customer_id) as human
    from {{ source('ops', 'dirty') }} as d
    inner join {{ source('core', 'conversations') }} as c on d.conversation_id = c.conversation_id
    left join {{ source('reference', 'customer_links') }} as l on c.customer_id = l.customer_id
    where d.is_told
),

chats as (
    select
        t.connection_id,
        t.since,
        c.conversation_id
    from told as t
    inner join {{ source('core', 'conversations') }} as c on t.human = c.customer_id and t.connection_id = c.connection_id
    union all
    select
        t.connection_id,
        t.since,
        c.conversation_id
    from told as t
    inner join {{ source('reference', 'customer_links') }} as l on t.human = l.same_as
    inner join {{ source('core', 'conversations') }} as c
        on l.customer_id = c.customer_id and t.connection_id = c.connection_id
)

select distinct
    w.week,
    w.business_on,
    c.connection_id
from chats as c
inner join {{ ref('int_settled_waits') }} as w
    on c.conversation_id = w.conversation_id and c.since < {{ begin_of('w.business_on + 1') }}
