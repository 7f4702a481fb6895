{#
  What each person did in a period, in the manager's view: `period` is the column `week` or `business_on`. Both marts are
  this text, so that a day and its week cannot be counted by different rules. Waits by settlement, sessions and
  behaviour by their end, messages by when they were sent, hand-overs by when they happened.
#}
{% macro manager_mart(period) %}
{%- set is_week = period == 'week' -%}
{%- set statuses = ref('data_status') if is_week else ref('int_day_status') -%}
with waits as materialized (
    select
        {{ period }},
        manager_id,
        {{ wait_counts('outcome_manager', 'manager_wait_seconds', 'manager_wait_business_seconds') }}
    from {{ ref('int_settled_waits') }}
    group by {{ period }}, manager_id
),

touched as materialized (
    select
        s.{{ period }},
        m.manager_id,
        count(distinct s.session_id) as sessions_touched,
        -- a call is a reply as well: the talks by telephone are told apart
        count(distinct s.session_id) filter (where m.content_kind <> 'call') as chat_sessions_touched
    from {{ ref('int_ended_sessions') }} as s
    inner join {{ staged_messages() }} as m
        on s.conversation_id = m.conversation_id and m.sent_at between s.started_at and s.last_message_at
    where m.is_human_reply
    group by s.{{ period }}, m.manager_id
),

behaviour as materialized (
    select
        {{ period }},
        manager_id,
        {{ behaviour_counts() }}
    from {{ ref('int_judged_sessions') }}
    group by {{ period }}, manager_id
),

calls as materialized (
    select
        {{ period }},
        manager_id,
        {{ call_counts() }}
    from {{ staged_calls() }} as c
    group by {{ period }}, manager_id
),

scores as materialized (
    select
        {{ period }},
        manager_id,
        {{ score_counts() }}
    from {{ staged_scores() }} as s
    group by {{ period }}, manager_id
),

sent as materialized (
    select
        {{ period }},
        manager_id,
        count(*) as messages_sent
    from {{ ref('int_range_messages') }}
    where sender_kind = 'manager'
    group by {{ period }}, manager_id
),

left_waiting as materialized (
    select
        {{ period }},
        manager_id,
        count(*) as left_waiting
    from {{ ref('int_left_waiting') }}
    group by {{ period }}, manager_id
),
{% if is_week %}
pending as materialized (
    select
        week,
        manager_id,
        count(*) as pending_now
    from {{ ref('int_pending_waits') }}
    group by week, manager_id
),
{% endif %}
figures as materialized (
    -- contract, ruling 13: everybody who was assigned, wrote or owns a wait of the period, and whose session ended in it
    select {{ period }}, manager_id from waits
    union
    select {{ period }}, manager_id from touched
    union
    select {{ period }}, manager_id from behaviour
    union
    select {{ period }}, manager_id from sent
    union
    select {{ period }}, manager_id from left_waiting
    union
    select {{ period }}, manager_id from {{ ref('int_assignments') }}
    -- and whose calls or talks were judged in it
    union
    select {{ period }}, manager_id from calls
    union
    select {{ period }}, manager_id from scores
    {%- if is_week %}
    union
    select week, manager_id from pending
    {%- endif %}
),

statuses as materialized (
    -- the figures are as good as the worst channel that they may come from
    select
        s.{{ period }},
        c.manager_id,
        {{ worst_status('s.status') }} as status,
        min(s.as_of) as as_of
    from {{ statuses }} as s
    inner join {{ ref('int_person_connections') }} as c on s.connection_id = c.connection_id
    group by s.{{ period }}, c.manager_id
),

worst as materialized (
    select
        {{ period }},
        {{ worst_status('status') }} as status,
        min(as_of) as as_of
    from {{ statuses }}
    group by {{ period }}
)

select
    {%- if is_week %}
    r.week::text as week,
    ({{ monday_of('r.week') }})::date as week_starts_on,
    {%- else %}
    r.business_on::date as business_on,
    ({{ iso_week('r.business_on') }})::text as week,
    {%- endif %}
    coalesce(r.manager_id, 'none')::text as manager_key,
    r.manager_id::text as manager_id,
    (case when r.manager_id is null then 'Без менеджера' else coalesce(p.manager_name, r.manager_id) end)::text
        as manager_name,
    (
        case
            when p.is_known then (
                select t.team_id
                from {{ source('reference', 'person_teams') }} as t
                where
                    t.person_id = r.manager_id
                    and t.valid_from <= {% if is_week %}{{ monday_of('r.week') }} + 6{% else %}r.business_on{% endif %}
                order by t.valid_from desc
                limit 1
            )
            else p.account_team_id
        end
    )::text as team_id,
    coalesce(t.sessions_touched, 0)::bigint as sessions_touched,
    coalesce(t.chat_sessions_touched, 0)::bigint as chat_sessions_touched,
    {%- if not is_week %}
    coalesce(m.messages_sent, 0)::bigint as messages_sent,
    {%- endif %}
    {{ wait_columns('v') }},
    {{ behaviour_columns('b') }},
    coalesce(l.left_waiting, 0)::bigint as left_waiting,
    {%- if is_week %}
    coalesce(o.pending_now, 0)::bigint as pending_now,
    {%- endif %}
    {{ talk_columns('c', 'x') }},
    coalesce(s.status, w.status, 'incomplete')::text as data_status,
    {%- if not is_week %}
    false::boolean as is_stale,
    {%- endif %}
    {{ var('definition_version') }}::integer as definition_version,
    coalesce(s.as_of, w.as_of)::timestamptz as as_of
from figures as r
left join {{ ref('int_people') }} as p on r.manager_id = p.manager_id
{%- for name, t in [('waits', 'v'), ('touched', 't'), ('behaviour', 'b'), ('sent', 'm'), ('left_waiting', 'l'), ('calls', 'c'), ('scores', 'x')] %}
left join {{ name }} as {{ t }} on r.{{ period }} = {{ t }}.{{ period }} and r.manager_id is not distinct from {{ t }}.manager_id
{%- endfor %}
{%- if is_week %}
left join pending as o on r.week = o.week and r.manager_id is not distinct from o.manager_id
{%- endif %}
left join statuses as s on r.{{ period }} = s.{{ period }} and r.manager_id = s.manager_id
left join worst as w on r.{{ period }} = w.{{ period }}
{% endmacro %}

{# Of several states the worst. #}
{% macro worst_status(status) -%}
    (array['ok', 'incomplete', 'failed'])[max(array_position(array['ok', 'incomplete', 'failed'], {{ status }}))]
{%- endmacro %}
