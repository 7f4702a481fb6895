{% test status_is_known(model) %}
select *
from {{ model }}
where
    status not in ('ok', 'incomplete', 'failed')
    or (status = 'ok') <> (reasons = '')
{% endtest %}
