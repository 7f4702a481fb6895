create table raw.retailcrm_web__channels (
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
    constraint retailcrm_web__channels_pkey primary key (connection_id, external_id)
);
create index retailcrm_web__channels_window_idx on raw.retailcrm_web__channels (event_at, connection_id);

create table raw.retailcrm_web__chats (
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
    constraint retailcrm_web__chats_pkey primary key (connection_id, external_id)
);
create index retailcrm_web__chats_window_idx on raw.retailcrm_web__chats (event_at, connection_id);

create table raw.retailcrm_web__messages (
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
    constraint retailcrm_web__messages_pkey primary key (connection_id, external_id)
);
create index retailcrm_web__messages_window_idx on raw.retailcrm_web__messages (event_at, connection_id);

create table raw.whatsapp_export__chats (
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
    constraint whatsapp_export__chats_pkey primary key (connection_id, external_id)
);
create index whatsapp_export__chats_window_idx on raw.whatsapp_export__chats (event_at, connection_id);

create table raw.whatsapp_export__messages (
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
    constraint whatsapp_export__messages_pkey primary key (connection_id, external_id)
);
create index whatsapp_export__messages_window_idx on raw.whatsapp_export__messages (event_at, connection_id);

create table raw.telegram_export__chats (
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
    constraint telegram_export__chats_pkey primary key (connection_id, external_id)
);
create index telegram_export__chats_window_idx on raw.telegram_export__chats (event_at, connection_id);

create table raw.telegram_export__messages (
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
    constraint telegram_export__messages_pkey primary key (connection_id, external_id)
);
create index telegram_export__messages_window_idx on raw.telegram_export__messages (event_at, connection_id);

create table raw.table_import__chats (
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
    constraint table_import__chats_pkey primary key (connection_id, external_id)
);
create index table_import__chats_window_idx on raw.table_import__chats (event_at, connection_id);

create table raw.table_import__messages (
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
    constraint table_import__messages_pkey primary key (connection_id, external_id)
);
create index table_import__messages_window_idx on raw.table_import__messages (event_at, connection_id);

create table ops.imports (
    connection_id text not null,
    file_sha256 text not null,
    choices_hash text not null,
    source text not null,
    file_bytes bigint not null,
    state text not null,
    reason text,
    chats integer not null,
    messages integer not null,
    quarantined integer not null,
    first_at timestamptz,
    last_at timestamptz,
    imported_at timestamptz not null,
    constraint imports_pkey primary key (connection_id, file_sha256)
);
