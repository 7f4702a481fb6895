-- One row per connection; the scope '*' would be the whole warehouse and is no connection.
select scope as connection_id, as_of
from {{ source('ops', 'as_of') }}
