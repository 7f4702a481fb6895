-- Accounts that are read; an imported file is none, and a file that came later is no gap of an older day.
select connection_id, vendor, disabled_at
from {{ source('ops', 'connections') }}
