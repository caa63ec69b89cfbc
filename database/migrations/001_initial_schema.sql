-- The record: users, their keys, jobs, attempts at a provider, stored outputs, the timeline of each job,
-- idempotency keys and the outbox. Times are timestamptz, money is numeric in USD, ids come from the gateway.

create table users (
    user_id    text primary key check (length(user_id) between 1 and 200),
    created_at timestamptz not null
);
comment on table users is 'Everybody who may ask for media. The id is the operator''s own text.';

create table api_keys (
    key_id              uuid primary key,
    user_id             text not null references users,
    key_hash            text not null unique check (key_hash ~ '^[0-9a-f]{64}$'),
    label               text not null default '',
    rate_limit_per_hour integer check (rate_limit_per_hour > 0),
    created_at          timestamptz not null,
    revoked_at          timestamptz
);
comment on table api_keys is 'API keys: the SHA-256 of each, never the key itself.';

create table jobs (
    job_id              uuid primary key,
    short_id            text not null unique check (length(short_id) = 11),
    user_id             text not null references users,
    media_type          text not null check (media_type in ('image', 'video', 'audio', 'text')),
    model_id            text not null,
    provider            text not null,
    parameters          jsonb,
    request_ref         text,
    status              text not null,
    step                text not null,
    version             integer not null default 1 check (version > 0),
    attempt             integer not null default 1 check (attempt > 0),
    provider_job_id     text,
    cancel_requested    boolean not null default false,
    poll_seq            integer not null default 0,
    estimated_time_s    numeric(10, 3) not null,
    estimated_cost      numeric(14, 6) not null check (estimated_cost >= 0),
    warnings            jsonb not null default '[]',
    error_code          text,
    error_message       text,
    error_retryable     boolean,
    created_at          timestamptz not null,
    updated_at          timestamptz not null,
    submitted_at        timestamptz,
    started_at          timestamptz,
    completed_at        timestamptz,
    deadline_at         timestamptz not null,
    storing_deadline_at timestamptz,
    due_at              timestamptz,
    constraint jobs_parameters_here_or_by_reference check ((parameters is null) <> (request_ref is null)),
    constraint jobs_state check (
        (status = 'pending' and step in ('queued', 'submitting', 'submitted'))
        or (status = 'processing' and step in ('generating', 'storing'))
        or (status = 'completed' and step = 'storing')
        or (status in ('failed', 'canceled') and step in ('queued', 'submitting', 'submitted', 'generating', 'storing'))
    ),
    constraint jobs_final_has_an_end check ((status in ('completed', 'failed', 'canceled')) = (completed_at is not null)),
    constraint jobs_final_is_never_due check ((status in ('completed', 'failed', 'canceled')) = (due_at is null)),
    constraint jobs_failed_says_why check ((status = 'failed') = (error_code is not null))
);
comment on table jobs is 'One request for media each, seen to its end. due_at is when the sweep looks if nothing else happens.';
create index jobs_due on jobs (due_at) where due_at is not null;
create index jobs_by_user on jobs (user_id, created_at desc, job_id desc);

create table attempts (
    job_id             uuid not null references jobs,
    attempt            integer not null check (attempt > 0),
    state              text not null check (state in (
        'queued', 'submitting', 'unknown', 'submitted', 'running', 'succeeded', 'failed', 'canceled', 'refused')),
    provider           text not null,
    model_ref          text not null,
    input              jsonb,
    credential_version text not null,
    provider_job_id    text,
    submits            integer not null default 1,
    lease_until        timestamptz,
    retry_at           timestamptz,
    created_at         timestamptz not null,
    submitted_at       timestamptz,
    ended_at           timestamptz,
    failure_kind       text,
    failure_message    text,
    outputs            jsonb,
    billed_seconds     numeric(14, 6),
    primary key (job_id, attempt),
    constraint attempts_lease check ((state = 'submitting') = (lease_until is not null)),
    constraint attempts_known_when_accepted check (
        state not in ('submitted', 'running', 'succeeded') or provider_job_id is not null)
);
comment on table attempts is 'One submit of a job to a provider each. submits counts how often it was sent.';
create unique index attempts_by_provider_job on attempts (provider, provider_job_id) where provider_job_id is not null;
create index attempts_by_creation on attempts (provider, created_at);

create table outputs (
    job_id        uuid not null references jobs,
    output_index  integer not null check (output_index >= 0),
    object_key    text not null,
    content_type  text not null,
    size_bytes    bigint not null check (size_bytes > 0),
    sha256        text,
    width         integer check (width > 0),
    height        integer check (height > 0),
    duration_s    numeric(12, 3) check (duration_s >= 0),
    thumbnail_key text,
    created_at    timestamptz not null,
    primary key (job_id, output_index)
);
comment on table outputs is 'What was stored of a completed job.';

create table processing_timeline (
    job_id   uuid not null references jobs,
    version  integer not null,
    attempt  integer not null,
    status   text not null,
    step     text not null,
    event    text not null,
    at       timestamptz not null,
    details  jsonb not null default '{}',
    primary key (job_id, version)
);
comment on table processing_timeline is 'Every transition of every job: one row for each version.';

create table idempotency_keys (
    user_id      text not null references users,
    key          text not null check (length(key) between 1 and 255),
    request_hash text not null,
    job_id       uuid not null,
    status_code  integer,
    response     jsonb,
    created_at   timestamptz not null,
    expires_at   timestamptz not null,
    primary key (user_id, key),
    check ((status_code is null) = (response is null))
);
comment on table idempotency_keys is 'The first answer to each Idempotency-Key of a user.';
create index idempotency_keys_by_job on idempotency_keys (job_id);
create index idempotency_keys_expired on idempotency_keys (expires_at);

create table outbox (
    outbox_id    bigint generated always as identity primary key,
    topic        text not null check (topic in ('advance', 'store')),
    job_id       uuid not null references jobs,
    user_id      text not null,
    payload      jsonb not null,
    available_at timestamptz not null,
    leased_until timestamptz not null,
    created_at   timestamptz not null
);
comment on table outbox is 'What must be sent because of a committed transition. A row is deleted once it was sent.';
create index outbox_unsent on outbox (leased_until);
