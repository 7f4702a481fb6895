{% test percentiles_are_ordered(model) %}
{% set groups = [('reply', 'answered'), ('first_reply', 'first_replies')] %}
select *
from {{ model }}
where
    {%- for name, count in groups %}
    {{ name }}_p50_seconds > {{ name }}_p90_seconds
    or {{ name }}_p50_business_seconds > {{ name }}_p90_business_seconds
    or {{ name }}_p50_business_seconds > {{ name }}_p50_seconds
    or {{ name }}_p90_business_seconds > {{ name }}_p90_seconds
    or {{ name }}_p50_seconds < 0
    or ({{ name }}_p50_seconds is null) <> ({{ count }} = 0)
    {%- if not loop.last %} or{% endif %}
    {%- endfor %}
{% endtest %}
