{#
  The large tables as subqueries, with persons instead of accounts: one person may have several (reference.people), and
  an account that nobody named is a person by itself. Macros and not models: dbt puts an ephemeral model into a CTE,
  and PostgreSQL computes a CTE that is named twice in full, the whole history of it. A subquery is planned together
  with the filters around it.
#}
{% macro person_of(t, column) -%}
    coalesce({{ t }}.person_id, {{ column }})
{%- endmacro %}

{# Public messages that are part of a talk, with their channel; deleted, failed and odd ones told apart, not dropped. #}
{% macro staged_messages() %}(
    select
        m.conversation_id,
        m.message_id,
        m.connection_id,
        c.channel_id,
        coalesce(l.same_as, c.customer_id) as customer_id,
        c.created_at as conversation_created_at,
        m.sent_at,
        m.business_on,
        m.sender_kind,
        m.content_kind,
        {{ person_of('p', 'm.manager_id') }} as manager_id,
        -- "answers a wait" of the metric contract, section 1: what counts as a person's reply; an answered call does in
        -- either direction, one that nobody took in none
        case
            when m.content_kind = 'call' then coalesce(m.call_answered, false) and m.sender_kind in ('customer', 'manager')
            else m.sender_kind = 'manager'
        end
        and m.content_kind <> 'reaction'
        and m.delivery_status <> 'failed'
        and (
            m.deleted_at is null
            or m.deleted_at - m.sent_at >= make_interval(secs => {{ var('early_delete_seconds') }})
        ) as is_human_reply
    from {{ source('core', 'messages') }} as m
    inner join {{ source('core', 'conversations') }} as c on m.conversation_id = c.conversation_id
    left join {{ source('reference', 'people') }} as p on m.manager_id = p.manager_id
    left join {{ source('reference', 'customer_links') }} as l on c.customer_id = l.customer_id
    where {{ is_talk('m') }} and not c.is_untimed
){% endmacro %}

{# Whether a message of core is part of a talk: a mass mailing is none, a chat that holds nothing else is one-sided by
   nature. #}
{% macro is_talk(m) -%}
    {{ m }}.is_public
    and {{ m }}.sent_at is not null
    and {{ m }}.sender_kind in ('customer', 'manager', 'bot', 'autoreply')
    and not {{ m }}.flags && array['second_customer', 'is_partial']
{%- endmacro %}

{% macro staged_waits() %}(
    select
        w.wait_id,
        w.conversation_id,
        w.session_id,
        w.channel_id,
        w.wait_kind,
        w.opened_at,
        w.answered_at,
        w.settled_on as business_on,
        w.settled_week as week,
        w.outcome,
        w.outcome_manager,
        {{ person_of('p', 'w.owner_manager_id') }} as manager_id,
        w.wait_seconds,
        w.wait_business_seconds,
        w.manager_wait_seconds,
        w.manager_wait_business_seconds,
        w.first_bot_reply_seconds,
        w.is_first_of_session,
        w.is_first_reply,
        w.clock_skew
    from {{ source('evaluated', 'waits') }} as w
    left join {{ source('reference', 'people') }} as p on w.owner_manager_id = p.manager_id
){% endmacro %}

{% macro staged_sessions() %}(
    select
        session_id,
        conversation_id,
        channel_id,
        started_at,
        last_message_at,
        ended_on as business_on,
        ended_week as week,
        is_bot_only
    from {{ source('evaluated', 'sessions') }}
){% endmacro %}

{% macro staged_behaviour() %}(
    select
        b.session_id,
        b.channel_id,
        b.ended_on as business_on,
        b.ended_week as week,
        {{ person_of('p', 'b.manager_id') }} as manager_id,
        b.has_intent,
        b.asked_clarifying,
        b.made_offer,
        b.has_next_step,
        b.is_good,
        b.is_good_customer
    from {{ source('evaluated', 'judged_sessions') }} as b
    left join {{ source('reference', 'people') }} as p on b.manager_id = p.manager_id
){% endmacro %}

{% macro staged_left_waiting() %}(
    select
        l.wait_id,
        {{ person_of('p', 'l.manager_id') }} as manager_id,
        l.replaced_on as business_on,
        l.replaced_week as week
    from {{ source('evaluated', 'left_waiting') }} as l
    left join {{ source('reference', 'people') }} as p on l.manager_id = p.manager_id
){% endmacro %}
