create table raw.abcd__conversations (
    connection_id text not null,
    external_id text not null,
    event_at timestamptz,
    updated_at timestamptz,
    payload jsonb not null,
    payload_hash bytea not null,
    fetched_at timestamptz not null,
    first_fetched_at timestamptz not null,
    first_event_at timestamptz,
    gone_at timestamptz,
    constraint abcd__conversations_pkey primary key (connection_id, external_id)
);
create index abcd__conversations_window_idx on raw.abcd__conversations (event_at, connection_id);

create schema if not exists reference;

create table reference.people (
    manager_id text not null,
    person_id text not null,
    person_name text not null,
    constraint people_pkey primary key (manager_id)
);

create table reference.person_teams (
    person_id text not null,
    valid_from date not null,
    team_id text,
    constraint person_teams_pkey primary key (person_id, valid_from)
);

create table reference.customer_links (
    customer_id text not null,
    same_as text not null,
    constraint customer_links_pkey primary key (customer_id)
);
create index customer_links_same_as_idx on reference.customer_links (same_as);

create table evaluated.behaviour (
    session_id text not null,
    conversation_id text not null,
    ended_at timestamptz not null,
    manager_id text,
    human_replies integer not null,
    has_intent boolean not null,
    asked_clarifying boolean,
    made_offer boolean,
    has_next_step boolean,
    is_good boolean,
    is_good_customer boolean,
    next_step_not_judged text,
    not_good text[] not null,
    not_good_customer text[] not null,
    intent_message_ids text[] not null,
    clarifying_message_ids text[] not null,
    offer_message_ids text[] not null,
    next_step_message_ids text[] not null,
    refusal_message_ids text[] not null,
    paid_message_ids text[] not null,
    lexicon_hash text not null,
    connection_id text not null,
    channel_id text not null,
    customer_id text,
    ended_on date not null,
    ended_week text not null,
    definition_version integer not null,
    policy_hash text not null,
    constraint behaviour_pkey primary key (session_id)
);
create index behaviour_conversation_idx on evaluated.behaviour (conversation_id);
create index behaviour_ended_idx on evaluated.behaviour (ended_at);
create index behaviour_ended_week_idx on evaluated.behaviour (ended_week);

create table evaluated.advice (
    advice_id text not null,
    rule text not null,
    rule_version integer not null,
    conversation_id text not null,
    session_id text not null,
    wait_id text,
    message_id text not null,
    manager_id text,
    given_at timestamptz not null,
    connection_id text not null,
    channel_id text not null,
    customer_id text,
    given_on date not null,
    given_week text not null,
    definition_version integer not null,
    policy_hash text not null,
    constraint advice_pkey primary key (advice_id)
);
create index advice_conversation_idx on evaluated.advice (conversation_id);
create index advice_given_week_idx on evaluated.advice (given_week);

-- whoever was judged before there was behaviour is judged once more by the next load: accounts up to its days, imported
-- files and disabled accounts as of when they were judged last (where no account is connected, by the next import)
insert into ops.dirty (conversation_id, connection_id, since)
select conversation_id, connection_id, min(started_at) from evaluated.sessions group by conversation_id, connection_id
on conflict (conversation_id) do update set since = least(ops.dirty.since, excluded.since);

alter table ops.outbox add column picture bytea;
