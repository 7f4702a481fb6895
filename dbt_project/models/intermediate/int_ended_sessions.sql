-- Sessions that ended in the range; a session belongs to the week of its end.
select * from {{ ref('stg_evaluated__sessions') }}
where week between '{{ var("first_week") }}' and '{{ var("last_week") }}'
