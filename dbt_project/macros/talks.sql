{#
  Calls, and the scores of calls and chats: what stands beside the waits in the marts of managers and of channels.
  Scores of a model count only by criteria that are admitted to a manager's score (contract, section 10); the others are
  a calibration: a figure of its own that is no part of an average, a ranking or a comparison. Rules have no gate and are
  in columns of their own.
#}

{# Calls of the range by who spoke for us; a person may have several accounts. #}
{% macro staged_calls() %}(
    select
        c.call_id,
        c.connection_id,
        c.channel_id,
        c.business_on,
        {{ iso_week('c.business_on') }} as week,
        {{ person_of('p', 'c.operator_id') }} as manager_id,
        c.direction,
        c.is_answered,
        c.is_internal,
        c.talk_seconds
    from {{ source('core', 'calls') }} as c
    left join {{ source('reference', 'people') }} as p on c.operator_id = p.manager_id
    where c.business_on between {{ first_day() }} and {{ last_day() }}
){% endmacro %}

{# Current scorecards of the range, by both judges. #}
{% macro staged_scores() %}(
    select
        t.scorecard_id,
        t.subject_kind,
        t.subject_id,
        t.judge,
        t.state,
        t.channel_id,
        t.happened_on as business_on,
        t.happened_week as week,
        {{ person_of('p', 't.manager_id') }} as manager_id,
        t.final_score,
        t.criteria,
        t.insufficient,
        t.counted_score,
        t.has_counted_fail,
        case when t.counted_score is null then t.trial_score end as trial_score
    from {{ source('evaluated', 'talk_scores') }} as t
    left join {{ source('reference', 'people') }} as p on t.manager_id = p.manager_id
    where {{ in_range('t.happened_week', 't.happened_on') }}
){% endmacro %}

{# Calls among colleagues are counted apart and are in nothing else. #}
{% macro call_counts() %}
    count(*) filter (where not is_internal and direction = 'in') as calls_in,
    count(*) filter (where not is_internal and direction = 'out') as calls_out,
    count(*) filter (where not is_internal and is_answered) as calls_answered,
    coalesce(sum(talk_seconds) filter (where not is_internal and is_answered), 0) as calls_talk_seconds,
    count(*) filter (
        where not is_internal and is_answered and talk_seconds < {{ var('short_call_seconds') }}
    ) as calls_short,
    count(*) filter (where is_internal) as calls_internal
{% endmacro %}

{% macro talk_parts() %}{{ return({'': 'true', 'calls_': "subject_kind = 'call'", 'chats_': "subject_kind = 'session'"}) }}{% endmacro %}

{% macro score_counts() %}
    {%- for prefix, which in talk_parts().items() %}
    count(counted_score) filter (where judge = 'model' and {{ which }}) as {{ prefix }}llm_evaluated,
    avg(counted_score) filter (where judge = 'model' and {{ which }}) as {{ prefix }}llm_score_avg,
    count(trial_score) filter (where judge = 'model' and {{ which }}) as {{ prefix }}calibration_evaluated,
    avg(trial_score) filter (where judge = 'model' and {{ which }}) as {{ prefix }}calibration_score_avg,
    count(final_score) filter (where judge = 'rules' and state = 'scored' and {{ which }}) as {{ prefix }}rules_evaluated,
    avg(final_score) filter (where judge = 'rules' and state = 'scored' and {{ which }}) as {{ prefix }}rules_score_avg,
    {%- endfor %}
    count(*) filter (where judge = 'model' and counted_score is not null and has_counted_fail) as auto_fail,
    coalesce(sum(criteria) filter (where judge = 'model'), 0) as llm_criteria,
    coalesce(sum(insufficient) filter (where judge = 'model'), 0) as llm_insufficient,
    count(*) filter (where judge = 'model' and state = 'scored') as llm_scored,
    count(*) filter (where judge = 'model' and state = 'unscored') as llm_unscored,
    count(distinct subject_id) filter (where subject_kind = 'call' and state = 'scored') as calls_judged
{% endmacro %}

{# The columns of both as a mart shows them. #}
{% macro talk_columns(calls, scores) %}
    {%- for name in ['calls_in', 'calls_out', 'calls_answered', 'calls_talk_seconds', 'calls_short', 'calls_internal'] %}
    coalesce({{ calls }}.{{ name }}, 0)::bigint as {{ name }},
    {%- endfor %}
    coalesce({{ scores }}.calls_judged, 0)::bigint as calls_judged,
    coalesce({{ scores }}.llm_evaluated, 0)::bigint as llm_evaluated,
    round({{ scores }}.llm_score_avg, 6)::numeric as llm_score_avg,
    coalesce({{ scores }}.auto_fail, 0)::bigint as auto_fail,
    {{ share(scores ~ '.auto_fail', scores ~ '.llm_evaluated') }}::numeric as auto_fail_share,
    (
        case
            when {{ scores }}.llm_evaluated > 0 then 'counted'
            when {{ scores }}.calibration_evaluated > 0 then 'calibration'
            when {{ scores }}.llm_scored > 0 then 'not_published'
        end
    )::text as llm_state,
    coalesce({{ scores }}.llm_criteria, 0)::bigint as llm_criteria,
    coalesce({{ scores }}.llm_insufficient, 0)::bigint as llm_insufficient,
    {{ share(scores ~ '.llm_insufficient', scores ~ '.llm_criteria') }}::numeric as llm_insufficient_share,
    coalesce({{ scores }}.llm_unscored, 0)::bigint as llm_unscored,
    {%- for part in ['calls_llm', 'chats_llm', 'calibration', 'calls_calibration', 'chats_calibration', 'rules', 'calls_rules', 'chats_rules'] %}
    coalesce({{ scores }}.{{ part }}_evaluated, 0)::bigint as {{ part }}_evaluated,
    round({{ scores }}.{{ part }}_score_avg, 6)::numeric as {{ part }}_score_avg
    {%- if not loop.last %},{% endif %}
    {%- endfor %}
{% endmacro %}
