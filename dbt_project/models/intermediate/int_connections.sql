-- One row per connection that has a channel: without one there is no conversation.
select distinct connection_id from {{ ref('stg_core__channels') }}
