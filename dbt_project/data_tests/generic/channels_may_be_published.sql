{% test channels_may_be_published(model) %}
select *
from {{ model }}
where status = 'failed'
{% endtest %}
