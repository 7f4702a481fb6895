{#
  What customers of each channel account experienced in a period, in the customer's view: `period` is the column `week` or
  `business_on`. Rows are those of the period's data status: every channel that is switched on, and any in which
  something happened.
#}
{% macro channel_mart(period) %}
{%- set is_week = period == 'week' -%}
with talks as materialized (
    select
        {{ period }},
        channel_id,
        count(distinct conversation_id) as chats,
        -- ids of customers and of chats may look alike
        count(distinct coalesce(customer_id, 'chat ' || conversation_id)) as unique_customers,
        count(*) filter (where sender_kind = 'customer') as messages_in,
        count(*) filter (where sender_kind in ('manager', 'bot')) as messages_out
    from {{ ref('int_range_messages') }}
    group by {{ period }}, channel_id
),

one_way as materialized (
    select
        {{ period }},
        channel_id,
        count(distinct conversation_id) as one_direction_chats
    from {{ ref('int_range_chats') }}
    where not is_two_way
    group by {{ period }}, channel_id
),

begun as materialized (
    -- with the wait that opened the session, whenever that settled
    select
        s.session_id,
        s.{{ period }},
        s.channel_id,
        s.is_bot_only,
        count(w.wait_id) > 0 as has_asked,
        bool_or(
            w.first_bot_reply_seconds is not null
            and (w.answered_at is null or w.opened_at + make_interval(secs => w.first_bot_reply_seconds) < w.answered_at)
        ) as was_bot_first
    from {{ ref('int_ended_sessions') }} as s
    left join {{ source('evaluated', 'waits') }} as w
        on s.conversation_id = w.conversation_id and s.session_id = w.session_id and w.is_first_of_session
    group by s.session_id, s.{{ period }}, s.channel_id, s.is_bot_only
),

sessions as materialized (
    select
        {{ period }},
        channel_id,
        count(*) as sessions_ended,
        count(*) filter (where is_bot_only) as bot_only_sessions,
        count(*) filter (where has_asked) as asking_sessions,
        count(*) filter (where was_bot_first) as bot_first_sessions
    from begun
    group by {{ period }}, channel_id
),

waits as materialized (
    select
        {{ period }},
        channel_id,
        count(*) filter (where wait_kind = 'message' and outcome = 'bot_handled') as bot_handled,
        {{ wait_counts('outcome', 'wait_seconds', 'wait_business_seconds') }}
    from {{ ref('int_settled_waits') }}
    group by {{ period }}, channel_id
),
{% if is_week %}
pending as materialized (
    select
        week,
        channel_id,
        count(*) as pending_now
    from {{ ref('int_pending_waits') }}
    group by week, channel_id
),
{% endif %}
calls as materialized (
    select
        {{ period }},
        channel_id,
        {{ call_counts() }}
    from {{ staged_calls() }} as c
    group by {{ period }}, channel_id
),

scores as materialized (
    select
        {{ period }},
        channel_id,
        {{ score_counts() }}
    from {{ staged_scores() }} as s
    group by {{ period }}, channel_id
),

behaviour as materialized (
    select
        {{ period }},
        channel_id,
        {{ behaviour_counts('is_good_customer') }}
    from {{ ref('int_judged_sessions') }}
    group by {{ period }}, channel_id
)

select
    {%- if is_week %}
    d.week::text as week,
    d.week_starts_on::date as week_starts_on,
    {%- else %}
    d.business_on::date as business_on,
    d.week::text as week,
    {%- endif %}
    d.channel_id::text as channel_id,
    d.connection_id::text as connection_id,
    c.channel_kind::text as channel_kind,
    d.channel_name::text as channel_name,
    coalesce(t.chats, 0)::bigint as chats,
    coalesce(t.unique_customers, 0)::bigint as unique_customers,
    coalesce(t.messages_in, 0)::bigint as messages_in,
    coalesce(t.messages_out, 0)::bigint as messages_out,
    coalesce(o.one_direction_chats, 0)::bigint as one_direction_chats,
    {{ share('coalesce(o.one_direction_chats, 0)', 't.chats') }}::numeric as one_direction_share,
    coalesce(s.sessions_ended, 0)::bigint as sessions_ended,
    coalesce(s.bot_only_sessions, 0)::bigint as bot_only_sessions,
    coalesce(s.asking_sessions, 0)::bigint as asking_sessions,
    coalesce(s.bot_first_sessions, 0)::bigint as bot_first_sessions,
    {{ share('s.bot_first_sessions', 's.asking_sessions') }}::numeric as bot_first_share,
    {{ wait_columns('v') }},
    {{ behaviour_columns('b') }},
    coalesce(v.bot_handled, 0)::bigint as bot_handled,
    {%- if is_week %}
    coalesce(p.pending_now, 0)::bigint as pending_now,
    {%- endif %}
    {{ talk_columns('k', 'x') }},
    d.status::text as data_status,
    {%- if not is_week %}
    false::boolean as is_stale,
    {%- endif %}
    {{ var('definition_version') }}::integer as definition_version,
    d.as_of::timestamptz as as_of
from {{ ref('data_status') if is_week else ref('int_day_status') }} as d
inner join {{ ref('stg_core__channels') }} as c on d.channel_id = c.channel_id
{%- for name, t in [('talks', 't'), ('one_way', 'o'), ('sessions', 's'), ('waits', 'v'), ('behaviour', 'b'), ('calls', 'k'), ('scores', 'x')] %}
left join {{ name }} as {{ t }} on d.{{ period }} = {{ t }}.{{ period }} and d.channel_id = {{ t }}.channel_id
{%- endfor %}
{%- if is_week %}
left join pending as p on d.week = p.week and d.channel_id = p.channel_id
{%- endif %}
{% endmacro %}
