create table raw.tbank__calls (
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
    constraint tbank__calls_pkey primary key (connection_id, external_id)
);
create index tbank__calls_window_idx on raw.tbank__calls (event_at, connection_id);

create table raw.tbank__transcripts (
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
    constraint tbank__transcripts_pkey primary key (connection_id, external_id)
);
create index tbank__transcripts_window_idx on raw.tbank__transcripts (event_at, connection_id);

create table raw.call_files__calls (
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
    constraint call_files__calls_pkey primary key (connection_id, external_id)
);
create index call_files__calls_window_idx on raw.call_files__calls (event_at, connection_id);

create table reference.departments (
    department_id text not null,
    name text not null,
    agent_group text,
    rubric_id text not null,
    prompt_id text not null,
    constraint departments_pkey primary key (department_id)
);

create table reference.offices (
    office_id text not null,
    name text not null,
    constraint offices_pkey primary key (office_id)
);

create table reference.supervisors (
    supervisor_id text not null,
    name text not null,
    constraint supervisors_pkey primary key (supervisor_id)
);

create table reference.operators (
    connection_id text not null,
    operator text not null,
    valid_from date not null,
    name text not null,
    department_id text,
    office_id text,
    supervisor_id text,
    phone text,
    source text not null,
    constraint operators_pkey primary key (connection_id, operator, valid_from)
);

create table reference.rubrics (
    rubric_id text not null,
    version integer not null,
    content_hash text not null,
    criteria jsonb not null,
    diff jsonb,
    source text not null,
    taken_at timestamptz not null,
    constraint rubrics_pkey primary key (rubric_id, version)
);

create table reference.instructions (
    instructions_id text not null,
    version integer not null,
    content_hash text not null,
    content text not null,
    diff jsonb,
    taken_at timestamptz not null,
    constraint instructions_pkey primary key (instructions_id, version)
);

create table reference.requirement_looks (
    tab text not null,
    kind text not null,
    state text not null,
    reason text,
    version integer,
    looked_at timestamptz not null,
    constraint requirement_looks_pkey primary key (tab)
);

create table reference.labels (
    subject_id text not null,
    rubric_id text not null,
    rubric_version integer not null,
    prompt_hash text not null,
    model text not null,
    criterion text not null,
    grader text not null,
    subject_kind text not null,
    given integer,
    not_given text,
    labelled_at timestamptz not null,
    constraint labels_pkey primary key (subject_id, rubric_id, rubric_version, prompt_hash, model, criterion, grader)
);

create table reference.criterion_gates (
    rubric_id text not null,
    rubric_version integer not null,
    criterion text not null,
    prompt_hash text not null,
    model text not null,
    state text not null,
    reasons text[],
    labelled integer not null,
    human_items integer,
    kappa numeric,
    kappa_low numeric,
    kappa_high numeric,
    alpha numeric,
    ac1 numeric,
    human_kappa numeric,
    repeated integer,
    flip_rate numeric,
    answers integer,
    verified_share numeric,
    insufficient_share numeric,
    measured_at timestamptz not null,
    fell_at timestamptz,
    constraint criterion_gates_pkey primary key (rubric_id, rubric_version, criterion, prompt_hash, model)
);

create table core.calls (
    call_id text not null,
    connection_id text not null,
    communication_id text,
    conversation_id text not null,
    message_id text not null,
    channel_id text not null,
    operator_id text,
    customer_id text,
    agent_group text,
    direction text not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    talk_seconds integer,
    is_answered boolean,
    is_internal boolean not null,
    flags text[] not null,
    operator_login text,
    business_on date not null,
    ingested_at timestamptz not null,
    raw_stream text not null,
    raw_id text not null,
    window_at timestamptz,
    constraint calls_pkey primary key (call_id)
);
create index calls_business_on_idx on core.calls (business_on, connection_id);
create index calls_conversation_idx on core.calls (conversation_id);
create index calls_window_idx on core.calls (connection_id, window_at);

create table core.call_transcripts (
    call_id text not null,
    connection_id text not null,
    state text not null,
    phrases jsonb,
    language text,
    speakers text not null,
    flags text[] not null,
    characters integer not null,
    ingested_at timestamptz not null,
    raw_stream text not null,
    raw_id text not null,
    window_at timestamptz,
    constraint call_transcripts_pkey primary key (call_id),
    constraint call_transcripts_call_fkey foreign key (call_id) references core.calls (call_id) on delete cascade
);
create index call_transcripts_window_idx on core.call_transcripts (connection_id, window_at);

create table evaluated.call_eligibility (
    call_id text not null,
    connection_id text not null,
    business_on date not null,
    department_id text,
    office_id text,
    supervisor_id text,
    is_operator_known boolean not null,
    why_not text,
    constraint call_eligibility_pkey primary key (call_id),
    constraint call_eligibility_call_fkey foreign key (call_id) references core.calls (call_id) on delete cascade
);
create index call_eligibility_business_on_idx on evaluated.call_eligibility (business_on, connection_id);

create table evaluated.evaluations (
    evaluation_key text not null,
    state text not null,
    reason text,
    answer jsonb,
    calls integer not null,
    model text not null,
    answered_by text,
    prompt_tokens integer,
    completion_tokens integer,
    cost_microusd bigint not null,
    prompt_hash text not null,
    rubric_hash text not null,
    transcript_hash text not null,
    masked_items integer not null,
    names_masked boolean not null,
    answered_at timestamptz not null,
    constraint evaluations_pkey primary key (evaluation_key)
);

create table ops.llm_calls (
    llm_call_id text not null,
    evaluation_key text not null,
    attempt integer not null,
    purpose text not null,
    run_id text not null,
    department_id text,
    model text not null,
    state text not null,
    outcome text,
    reserved_microusd bigint not null,
    cost_microusd bigint,
    price_from text,
    prompt_tokens integer,
    completion_tokens integer,
    vendor_call_id text,
    is_masked boolean not null,
    reserved_at timestamptz not null,
    settled_at timestamptz,
    paid_on date not null,
    constraint llm_calls_pkey primary key (llm_call_id)
);
create index llm_calls_open_idx on ops.llm_calls (run_id) where state = 'reserved';
create index llm_calls_paid_on_idx on ops.llm_calls (paid_on);

create table evaluated.scorecards (
    scorecard_id text not null,
    subject_kind text not null,
    subject_id text not null,
    call_id text,
    judge text not null,
    state text not null,
    reason text,
    is_current boolean not null,
    final_score numeric,
    raw_score numeric,
    is_auto_fail boolean not null,
    summary text,
    topic text,
    sentiment text,
    flags text[] not null,
    rubric_id text not null,
    rubric_version integer not null,
    prompt_id text,
    prompt_hash text,
    model text,
    evaluation_keys text[] not null,
    transcript_hash text not null,
    department_id text,
    manager_id text,
    conversation_id text not null,
    connection_id text not null,
    channel_id text not null,
    customer_id text,
    happened_at timestamptz not null,
    happened_on date not null,
    happened_week text not null,
    scored_at timestamptz not null,
    constraint scorecards_pkey primary key (scorecard_id),
    constraint scorecards_call_fkey foreign key (call_id) references core.calls (call_id) on delete cascade
);
create index scorecards_call_idx on evaluated.scorecards (call_id);
create index scorecards_happened_on_idx on evaluated.scorecards (happened_on);
create index scorecards_happened_week_idx on evaluated.scorecards (happened_week);
create index scorecards_subject_idx on evaluated.scorecards (subject_id);

create table evaluated.scorecard_criteria (
    scorecard_id text not null,
    criterion text not null,
    position integer not null,
    weight integer not null,
    best integer not null,
    given integer,
    not_given text,
    claimed text not null,
    is_auto_fail boolean not null,
    reason text not null,
    quote text,
    quote_state text not null,
    ref text,
    speaker text,
    constraint scorecard_criteria_pkey primary key (scorecard_id, criterion),
    constraint scorecard_criteria_scorecard_fkey foreign key (scorecard_id) references evaluated.scorecards (scorecard_id) on delete cascade
);

create table evaluated.scorecard_notes (
    scorecard_id text not null,
    kind text not null,
    n integer not null,
    text text not null,
    code text,
    due_on date,
    quote text,
    quote_state text not null,
    ref text,
    constraint scorecard_notes_pkey primary key (scorecard_id, kind, n),
    constraint scorecard_notes_scorecard_fkey foreign key (scorecard_id) references evaluated.scorecards (scorecard_id) on delete cascade
);

create table evaluated.judge_repeats (
    subject_id text not null,
    rubric_id text not null,
    rubric_version integer not null,
    prompt_hash text not null,
    model text not null,
    criterion text not null,
    subject_kind text not null,
    first text not null,
    second text not null,
    repeated_at timestamptz not null,
    constraint judge_repeats_pkey primary key (subject_id, rubric_id, rubric_version, prompt_hash, model, criterion)
);
