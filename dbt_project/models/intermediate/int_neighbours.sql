-- Pairs of connections that can answer each other's waits: they know the same human (by people's list or by his number),
-- and one of the two carries calls. An answered call answers on any channel (contract, ruling 9), a missed call is
-- answered by a message on any (section 4.6); a message answers a message on its own account only.
with humans as (
    select same_as as human, split_part(customer_id, ':', 1) as connection_id
    from {{ source('reference', 'customer_links') }}
    union
    select same_as, split_part(same_as, ':', 1)
    from {{ source('reference', 'customer_links') }}
),

telephonies as (
    select connection_id from {{ ref('stg_core__channels') }} where channel_kind = 'phone'
    union
    -- one that was never loaded has no channel yet
    select connection_id from {{ ref('stg_ops__connections') }} where vendor = 'tbank'
)

select distinct
    mine.connection_id,
    other.connection_id as neighbour_id
from humans as mine
inner join humans as other on mine.human = other.human and mine.connection_id <> other.connection_id
where
    mine.connection_id in (select t.connection_id from telephonies as t)
    or other.connection_id in (select t.connection_id from telephonies as t)
