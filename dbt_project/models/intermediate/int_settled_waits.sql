-- Waits that settled in the range: a wait belongs to the week of its settlement (contract, section 7).
select * from {{ ref('stg_evaluated__waits') }}
where week between '{{ var("first_week") }}' and '{{ var("last_week") }}'
