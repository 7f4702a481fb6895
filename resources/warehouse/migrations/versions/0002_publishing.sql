create table ops.connections (
    connection_id text not null,
    vendor text not null,
    origin text not null,
    settings jsonb not null,
    credentials bytea,
    key_id text,
    status text,
    reason text,
    checked_at timestamptz,
    synced_at timestamptz,
    disabled_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint connections_pkey primary key (connection_id)
);

create table ops.audit (
    audit_id text not null,
    at timestamptz not null,
    actor text not null,
    action text not null,
    subject text,
    constraint audit_pkey primary key (audit_id)
);

create table ops.exports (
    destination text not null,
    tab text not null,
    content_hash text not null,
    row_count integer not null,
    first_week text,
    last_week text,
    weeks jsonb not null,
    published_at timestamptz not null,
    stale_reason text,
    stale_since timestamptz,
    constraint exports_pkey primary key (destination, tab)
);

create table ops.outbox (
    message_id text not null,
    channel text not null,
    recipient text not null,
    body text not null,
    state text not null,
    attempts integer not null,
    reason text,
    external_id text,
    created_at timestamptz not null,
    not_before timestamptz,
    settled_at timestamptz,
    constraint outbox_pkey primary key (message_id)
);
create index outbox_open_idx on ops.outbox (channel, created_at) where state in ('queued', 'sending');

create table ops.incidents (
    incident_id text not null,
    fingerprint text not null,
    kind text not null,
    owner text not null,
    subject text not null,
    reason text not null,
    details jsonb not null,
    since timestamptz not null,
    opened_at timestamptz not null,
    seen_at timestamptz not null,
    times integer not null,
    closed_at timestamptz,
    constraint incidents_pkey primary key (incident_id)
);
create unique index incidents_open_idx on ops.incidents (fingerprint) where closed_at is null;

create table ops.looks (
    what text not null,
    seen jsonb not null,
    looked_at timestamptz not null,
    constraint looks_pkey primary key (what)
);
