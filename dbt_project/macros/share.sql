{# hits / eligible, NULL where nothing was eligible (contract, section 5): unknown is not zero. #}
{% macro share(hits, eligible) -%}
    round({{ hits }}::numeric / nullif({{ eligible }}, 0), 6)
{%- endmacro %}

{# Interpolated percentile (contract, section 6) of the rows that `where` keeps; NULL where there are none. #}
{% macro percentile(p, value, where) -%}
    percentile_cont({{ p }}) within group (order by {{ value }}) filter (where {{ where }})
{%- endmacro %}
