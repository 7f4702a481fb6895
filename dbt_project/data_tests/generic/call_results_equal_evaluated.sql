{% test call_results_equal_evaluated(model) %}
with judged as (
    select call_id, bool_or(judge = 'model') as by_model
    from {{ source('evaluated', 'scorecards') }}
    where is_current and call_id is not null and {{ in_range('happened_week', 'happened_on') }}
    group by call_id
)

select *
from judged as j
full join {{ model }} as r on j.call_id = r.call_id
where j.call_id is null or r.call_id is null or j.by_model <> (r.judge = 'model')
{% endtest %}
