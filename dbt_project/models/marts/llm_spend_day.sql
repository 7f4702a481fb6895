-- What calls to models cost on the day that they were paid on. A call counts where the budget counts it: settled ones at
-- their cost, lost and open ones at their worst price.
select
    c.paid_on::date as business_on,
    ({{ iso_week('c.paid_on') }})::text as week,
    coalesce(c.department_id, 'none')::text as department_key,
    c.department_id::text as department_id,
    min(coalesce(d.name, c.department_id))::text as department_name,
    c.model::text as model,
    c.purpose::text as purpose,
    count(*)::bigint as calls,
    count(*) filter (where c.state = 'settled' and c.outcome = 'ok')::bigint as calls_ok,
    count(*) filter (where c.state = 'lost')::bigint as calls_lost,
    count(*) filter (where c.state = 'reserved')::bigint as calls_unsettled,
    count(*) filter (where c.state = 'settled' and num_nulls(c.prompt_tokens, c.completion_tokens) > 0)::bigint
        as calls_without_tokens,
    sum(c.prompt_tokens)::bigint as prompt_tokens,
    sum(c.completion_tokens)::bigint as completion_tokens,
    coalesce(sum(c.cost_microusd) filter (where c.state = 'settled'), 0)::bigint as cost_microusd,
    coalesce(sum(c.reserved_microusd) filter (where c.state = 'lost'), 0)::bigint as lost_microusd,
    coalesce(sum(c.reserved_microusd) filter (where c.state = 'reserved'), 0)::bigint as unsettled_microusd,
    false::boolean as is_stale,
    {{ var('definition_version') }}::integer as definition_version,
    -- the newest entry of the ledger, never a clock
    max(greatest(c.reserved_at, c.settled_at))::timestamptz as as_of
from {{ source('ops', 'llm_calls') }} as c
left join {{ source('reference', 'departments') }} as d on c.department_id = d.department_id
where c.paid_on between {{ first_day() }} and {{ last_day() }}
group by c.paid_on, c.department_id, c.model, c.purpose
