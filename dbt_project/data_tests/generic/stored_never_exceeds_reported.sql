{% test stored_never_exceeds_reported(model) %}
select *
from {{ model }}
where
    messages_stored > messages_reported
    or days_complete > days_counted
    or days_counted > 7
{% endtest %}
