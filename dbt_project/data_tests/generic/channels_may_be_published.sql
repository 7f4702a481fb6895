{% test channels_may_be_published(model, state='status') %}
select *
from {{ model }}
where {{ state }} = 'failed'
{% endtest %}
