-- Revision 0001: the tables of core, evaluated and ops. Frozen: a later change is a later revision.

create table core.channels (
    channel_id text not null,
    connection_id text not null,
    kind text not null,
    name text not null,
    is_active boolean not null,
    constraint channels_pkey primary key (channel_id)
);

create table core.conversations (
    conversation_id text not null,
    connection_id text not null,
    channel_id text not null,
    customer_id text,
    created_at timestamptz,
    is_untimed boolean not null,
    flags text[] not null,
    constraint conversations_pkey primary key (conversation_id)
);
create index conversations_connection_idx on core.conversations (connection_id);
create index conversations_customer_idx on core.conversations (customer_id);

create table core.customers (
    customer_id text not null,
    connection_id text not null,
    name text,
    phone text,
    created_at timestamptz,
    constraint customers_pkey primary key (customer_id)
);

create table core.events (
    conversation_id text not null,
    event_id text not null,
    connection_id text not null,
    kind text not null,
    at timestamptz not null,
    manager_id text,
    raw_stream text not null,
    raw_id text not null,
    window_at timestamptz,
    constraint events_pkey primary key (conversation_id, event_id)
);
create index events_at_idx on core.events (connection_id, at);
create index events_conversation_idx on core.events (conversation_id, at);
create index events_window_idx on core.events (connection_id, window_at);

create table core.managers (
    manager_id text not null,
    connection_id text not null,
    name text not null,
    team_id text,
    is_active boolean not null,
    constraint managers_pkey primary key (manager_id)
);

create table core.messages (
    conversation_id text not null,
    message_id text not null,
    connection_id text not null,
    sent_at timestamptz,
    source_seq bigint,
    direction text not null,
    sender_kind text not null,
    manager_id text,
    customer_id text,
    is_public boolean not null,
    delivery_status text not null,
    content_kind text not null,
    text text,
    edited_at timestamptz,
    deleted_at timestamptz,
    call_answered boolean,
    talk_seconds integer,
    flags text[] not null,
    business_on date,
    ingested_at timestamptz not null,
    raw_stream text not null,
    raw_id text not null,
    window_at timestamptz,
    constraint messages_pkey primary key (conversation_id, message_id)
);
create index messages_conversation_idx on core.messages (conversation_id, sent_at, message_id);
create index messages_sent_idx on core.messages (connection_id, sent_at);
create index messages_window_idx on core.messages (connection_id, window_at);

create table core.orders (
    order_id text not null,
    connection_id text not null,
    number text not null,
    status text not null,
    customer_id text,
    manager_id text,
    total_minor bigint,
    currency text,
    created_at timestamptz not null,
    paid_at timestamptz,
    raw_stream text not null,
    raw_id text not null,
    window_at timestamptz,
    constraint orders_pkey primary key (order_id)
);
create index orders_created_idx on core.orders (connection_id, created_at);
create index orders_window_idx on core.orders (connection_id, window_at);

create table core.quarantine (
    connection_id text not null,
    stream text not null,
    external_id text not null,
    reason text not null,
    event_at timestamptz,
    items integer not null,
    constraint quarantine_pkey primary key (connection_id, stream, external_id, reason)
);
create index quarantine_window_idx on core.quarantine (connection_id, stream, event_at);

create table evaluated.left_waiting (
    wait_id text not null,
    manager_id text not null,
    replaced_at timestamptz not null,
    held_seconds integer not null,
    conversation_id text not null,
    connection_id text not null,
    channel_id text not null,
    customer_id text,
    replaced_on date not null,
    replaced_week text not null,
    definition_version integer not null,
    policy_hash text not null,
    constraint left_waiting_pkey primary key (wait_id, manager_id, replaced_at)
);
create index left_waiting_conversation_idx on evaluated.left_waiting (conversation_id);
create index left_waiting_replaced_week_idx on evaluated.left_waiting (replaced_week);

create table evaluated.sessions (
    session_id text not null,
    conversation_id text not null,
    first_message_id text not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    last_message_at timestamptz not null,
    initiated_by text not null,
    is_new_contact boolean not null,
    is_bot_only boolean not null,
    customer_messages integer not null,
    manager_messages integer not null,
    bot_messages integer not null,
    last_message_id text not null,
    ends_outgoing boolean not null,
    connection_id text not null,
    channel_id text not null,
    customer_id text,
    ended_on date,
    ended_week text,
    definition_version integer not null,
    policy_hash text not null,
    constraint sessions_pkey primary key (session_id)
);
create index sessions_conversation_idx on evaluated.sessions (conversation_id, started_at);
create index sessions_ended_week_idx on evaluated.sessions (ended_week);
create index sessions_open_idx on evaluated.sessions (connection_id, last_message_at) where ended_at is null;

create table evaluated.waits (
    wait_id text not null,
    conversation_id text not null,
    session_id text not null,
    wait_kind text not null,
    opening_message_id text not null,
    answering_message_id text,
    asking_message_ids text[] not null,
    opened_at timestamptz not null,
    last_asking_at timestamptz not null,
    answered_at timestamptz,
    answered_after_limit_at timestamptz,
    settled_at timestamptz,
    limit_at timestamptz,
    outcome text not null,
    outcome_manager text not null,
    reply_kind text,
    owner_manager_id text,
    reply_manager_id text,
    wait_seconds integer,
    wait_business_seconds integer,
    wait_from_last_seconds integer,
    manager_wait_seconds integer,
    manager_wait_business_seconds integer,
    pending_seconds integer,
    handoff_at timestamptz,
    first_bot_reply_seconds integer,
    target_seconds integer not null,
    limit_seconds integer not null,
    window_seconds integer,
    is_first_of_session boolean not null,
    is_first_reply boolean not null,
    had_failed_reply boolean not null,
    clock_skew boolean not null,
    closed_unanswered boolean not null,
    calendar_id text,
    hours_basis text not null,
    connection_id text not null,
    channel_id text not null,
    customer_id text,
    settled_on date,
    settled_week text,
    definition_version integer not null,
    policy_hash text not null,
    constraint waits_pkey primary key (wait_id)
);
create index waits_conversation_idx on evaluated.waits (conversation_id, opened_at);
create index waits_pending_idx on evaluated.waits (connection_id, limit_at) where outcome = 'pending';
create index waits_settled_week_idx on evaluated.waits (settled_week);
create index waits_without_late_reply_idx on evaluated.waits (connection_id, conversation_id) where answered_after_limit_at is null and outcome in ('no_reply', 'window_expired');

create table ops.as_of (
    scope text not null,
    as_of timestamptz not null,
    constraint as_of_pkey primary key (scope)
);

create table ops.completeness (
    connection_id text not null,
    channel_id text not null,
    business_on date not null,
    measure text not null,
    reported integer not null,
    stored integer not null,
    constraint completeness_pkey primary key (connection_id, channel_id, business_on, measure)
);

create table ops.cursors (
    connection_id text not null,
    stream text not null,
    window_start timestamptz not null,
    window_end timestamptz not null,
    cursor jsonb,
    is_complete boolean not null,
    watermark timestamptz,
    constraint cursors_pkey primary key (connection_id, stream, window_start, window_end)
);

create table ops.read_pages (
    connection_id text not null,
    stream text not null,
    window_start timestamptz not null,
    window_end timestamptz not null,
    page integer not null,
    cursor jsonb,
    external_ids text[] not null,
    read_at timestamptz not null,
    constraint read_pages_pkey primary key (connection_id, stream, window_start, window_end, page)
);

create table ops.dirty (
    conversation_id text not null,
    connection_id text not null,
    since timestamptz not null,
    constraint dirty_pkey primary key (conversation_id)
);
create index dirty_connection_idx on ops.dirty (connection_id, since);
