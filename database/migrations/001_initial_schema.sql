-- The record. Times are timestamptz in UTC, money is numeric in USD. Ids are UUIDv7, so that their order is that of
-- time; those of jobs, keys and outputs are made by the gateway. The database's own clock decides nothing.
-- What a role may see and do stands in 005_rls_policies.

-- Functions are nobody's unless they are granted.
alter default privileges revoke execute on functions from public;

create function uuid_time(p_id uuid) returns timestamptz
    language sql immutable strict parallel safe
    return to_timestamp(('x' || substr(replace(p_id::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0);
comment on function uuid_time is 'The moment in a UUIDv7, to the millisecond (RFC 9562, section 5.7).';

create function uuid_is_time_ordered(p_id uuid) returns boolean
    language sql immutable strict parallel safe
    return substr(p_id::text, 15, 1) = '7' and substr(p_id::text, 20, 1) in ('8', '9', 'a', 'b');
comment on function uuid_is_time_ordered is 'Whether an id is a UUIDv7 (RFC 9562, section 5.7).';

create table users (
    user_id     text primary key check (length(user_id) between 1 and 200),
    kind        text not null default 'registered' check (kind in ('system', 'guest', 'registered')),
    access_role text not null default 'user' check (access_role in ('user', 'test', 'admin')),
    created_at  timestamptz not null,
    constraint users_guests_are_no_admins check (kind <> 'guest' or access_role = 'user')
);
comment on table users is 'Everybody who may ask for media.';
comment on column users.user_id is 'The operator''s own text.';
comment on column users.kind is 'system, guest (known by a token alone) or registered.';
comment on column users.access_role is 'user, test or admin; an admin may read everything.';
comment on column users.created_at is 'When the gateway first heard of the user.';

create table api_keys (
    key_id              uuid primary key,
    user_id             text not null references users,
    key_hash            text not null unique check (key_hash ~ '^[0-9a-f]{64}$'),
    label               text not null default '' check (length(label) <= 200),
    rate_limit_per_hour integer check (rate_limit_per_hour > 0),
    created_at          timestamptz not null,
    revoked_at          timestamptz check (revoked_at >= created_at)
);
comment on table api_keys is 'API keys: the SHA-256 of each, never the key itself.';
comment on column api_keys.key_id is 'What operators call the key by.';
comment on column api_keys.user_id is 'Whose key it is.';
comment on column api_keys.key_hash is 'SHA-256 of the key, in hex.';
comment on column api_keys.label is 'A note for operators.';
comment on column api_keys.rate_limit_per_hour is 'Requests an hour; null means the operator''s default.';
comment on column api_keys.created_at is 'When it was made.';
comment on column api_keys.revoked_at is 'When its life ended; null while it is valid.';

create table jobs (
    job_id               uuid primary key,
    short_id             text not null unique check (length(short_id) = 11),
    kind                 text not null default 'generation' check (kind in ('generation', 'composition')),
    user_id              text not null references users,
    guest_token          text check (guest_token ~ '^[0-9a-f]{64}$'),
    client_ip            inet,
    user_agent           text check (length(user_agent) <= 500),
    media_type           text not null check (media_type in ('image', 'video', 'audio', 'text')),
    model_id             text not null check (length(model_id) between 1 and 200),
    provider             text not null check (length(provider) between 1 and 100),
    parameters           jsonb,
    request_ref          text,
    output_format        text check (length(output_format) between 1 and 20),
    width                integer check (width between 1 and 100000),
    height               integer check (height between 1 and 100000),
    estimated_duration_s numeric(12, 3) check (estimated_duration_s >= 0),
    response_type        text not null default 'async' check (response_type in ('sync', 'async')),
    status               text not null,
    step                 text not null,
    version              integer not null default 1 check (version > 0),
    attempt              integer not null default 1 check (attempt > 0),
    provider_job_id      text,
    cancel_requested     boolean not null default false,
    poll_seq             integer not null default 0 check (poll_seq >= 0),
    estimated_time_s     numeric(10, 3) not null check (estimated_time_s >= 0),
    estimated_cost       numeric(14, 6) not null check (estimated_cost >= 0),
    warnings             jsonb not null default '[]' check (jsonb_typeof(warnings) = 'array'),
    fallbacks            jsonb not null default '[]' check (jsonb_typeof(fallbacks) = 'array'),
    waiting              jsonb check (jsonb_typeof(waiting) = 'object'),
    error_code           text,
    error_message        text,
    error_retryable      boolean,
    created_at           timestamptz not null,
    updated_at           timestamptz not null,
    submitted_at         timestamptz,
    started_at           timestamptz,
    completed_at         timestamptz,
    deadline_at          timestamptz not null,
    storing_deadline_at  timestamptz,
    due_at               timestamptz,
    constraint jobs_id_tells_the_time check (
        uuid_is_time_ordered(job_id)
        and created_at - uuid_time(job_id) between interval '-1 minute' and interval '1 minute'),
    constraint jobs_parameters_here_or_by_reference check ((parameters is null) <> (request_ref is null)),
    constraint jobs_state check (
        (status = 'pending' and step in ('queued', 'submitting', 'submitted'))
        or (status = 'processing' and step in ('generating', 'storing'))
        or (status = 'completed' and step = 'storing')
        or (status in ('failed', 'canceled') and step in ('queued', 'submitting', 'submitted', 'generating', 'storing'))
    ),
    constraint jobs_final_has_an_end check ((status in ('completed', 'failed', 'canceled')) = (completed_at is not null)),
    constraint jobs_final_is_never_due check ((status in ('completed', 'failed', 'canceled')) = (due_at is null)),
    constraint jobs_failed_says_why check (
        (status = 'failed') = (error_code is not null)
        and (error_code is not null or (error_message is null and error_retryable is null)))
);
comment on table jobs is 'One request for media each, seen to its end.';
comment on column jobs.job_id is 'UUIDv7 of the moment it was made.';
comment on column jobs.short_id is 'Eleven characters of base 62, to read out.';
comment on column jobs.kind is 'generation: a provider makes it; composition: it is put together from its elements.';
comment on column jobs.user_id is 'Who asked for it.';
comment on column jobs.guest_token is
    'SHA-256 of the token of the guest who asked; only that token shows the job. Null for registered users.';
comment on column jobs.client_ip is 'Where the request came from; recorded, and proof of nothing.';
comment on column jobs.user_agent is 'What the client called itself.';
comment on column jobs.media_type is 'image, video, audio or text.';
comment on column jobs.model_id is 'The id in the catalogue of the model that makes it; after a fallback, the other one.';
comment on column jobs.provider is 'Who runs the model.';
comment on column jobs.parameters is 'What was asked for, in our names; null where it is too large for a row.';
comment on column jobs.request_ref is 'Key of the object that holds parameters and input of a large request.';
comment on column jobs.output_format is 'The file format that was asked for, such as mp4.';
comment on column jobs.width is 'Pixels that were asked for.';
comment on column jobs.height is 'Pixels that were asked for.';
comment on column jobs.estimated_duration_s is 'Seconds that the media is expected to last.';
comment on column jobs.response_type is 'Whether the caller waits (sync) or asks again (async).';
comment on column jobs.status is 'pending, processing, completed, failed or canceled; the last three are final.';
comment on column jobs.step is 'queued, submitting, submitted, generating or storing; steps never move back.';
comment on column jobs.version is 'Grows by one with each transition; mirrors take only newer ones.';
comment on column jobs.attempt is 'The current attempt at a provider.';
comment on column jobs.provider_job_id is 'The provider''s own id of the current attempt.';
comment on column jobs.cancel_requested is 'Somebody wants it canceled; the evidence decides.';
comment on column jobs.poll_seq is 'Compare-and-set of those who look at the job.';
comment on column jobs.estimated_time_s is 'Seconds that the model usually takes.';
comment on column jobs.estimated_cost is 'The most that is charged, in USD.';
comment on column jobs.warnings is 'What was mapped otherwise than asked, as sentences.';
comment on column jobs.fallbacks is
    'What is tried next if an attempt fails and provably cost nothing: planned when the job was made, used from the front.';
comment on column jobs.waiting is
    'Why the attempt is not at the provider yet: code, reason and until when; null if nothing holds it back.';
comment on column jobs.error_code is 'Why it failed, for machines.';
comment on column jobs.error_message is 'Why it failed, for people.';
comment on column jobs.error_retryable is 'Whether the same request may succeed later.';
comment on column jobs.created_at is 'When it was recorded, in whole milliseconds: a cursor of a list is made of it.';
comment on column jobs.updated_at is 'The moment of the last transition.';
comment on column jobs.submitted_at is 'When the provider accepted the current attempt.';
comment on column jobs.started_at is 'When the provider began with it.';
comment on column jobs.completed_at is 'When it ended, in whatever way.';
comment on column jobs.deadline_at is 'When it is given up.';
comment on column jobs.storing_deadline_at is 'When storing its outputs is given up.';
comment on column jobs.due_at is 'When the sweep looks if nothing else happens; null once the job is final.';
create index jobs_due on jobs (due_at) where due_at is not null;
create index jobs_by_user on jobs (user_id, created_at desc, job_id desc);
create index jobs_by_creation on jobs (created_at desc, job_id desc)
    include (user_id, guest_token, status, media_type, estimated_cost, completed_at);
create index jobs_by_client_ip on jobs (client_ip, created_at desc, job_id desc) where client_ip is not null;
comment on index jobs_due is 'What is due, and all that is not final.';
comment on index jobs_by_user is 'A user''s jobs, newest first.';
comment on index jobs_by_creation is
    'All jobs of a range of time, newest first; the figures of all days without the wide rows of the table.';
comment on index jobs_by_client_ip is 'What came from one address.';

create table attempts (
    job_id             uuid not null references jobs on delete cascade,
    attempt            integer not null check (attempt > 0),
    state              text not null check (state in (
        'queued', 'submitting', 'unknown', 'submitted', 'running', 'succeeded', 'failed', 'canceled', 'refused')),
    provider           text not null,
    model_id           text not null check (length(model_id) between 1 and 200),
    model_ref          text not null,
    input              jsonb,
    credential_version text not null,
    estimated_cost     numeric(14, 6) not null default 0 check (estimated_cost >= 0),
    provider_job_id    text,
    submits            integer not null default 1 check (submits >= 0),
    claim              uuid,
    lease_until        timestamptz,
    retry_at           timestamptz,
    created_at         timestamptz not null,
    submitted_at       timestamptz,
    ended_at           timestamptz,
    failure_kind       text,
    failure_message    text,
    outputs            jsonb,
    billed_seconds     numeric(14, 6) check (billed_seconds >= 0),
    cost               numeric(14, 6) check (cost >= 0),
    primary key (job_id, attempt),
    constraint attempts_lease check ((state = 'submitting') = (lease_until is not null)),
    constraint attempts_known_when_accepted check (
        state not in ('submitted', 'running', 'succeeded') or provider_job_id is not null)
);
comment on table attempts is 'One submit of a job to a provider each.';
comment on column attempts.job_id is 'The job.';
comment on column attempts.attempt is 'From 1; a fallback makes a second one.';
comment on column attempts.state is
    'unknown: it was sent and nobody answered; it is claimed or expires, and never sent again.';
comment on column attempts.provider is 'Where it was sent.';
comment on column attempts.model_id is 'The model''s id in the catalogue.';
comment on column attempts.model_ref is 'The model in the provider''s words.';
comment on column attempts.input is 'The input in the provider''s words; null where the job has a request_ref.';
comment on column attempts.credential_version is 'The credential it was sent with; looking and canceling use the same.';
comment on column attempts.estimated_cost is 'What it was expected to cost at the provider, in USD.';
comment on column attempts.provider_job_id is 'The provider''s own id, once it is known.';
comment on column attempts.submits is 'How often somebody won the claim to send it.';
comment on column attempts.claim is
    'The token of the claim that won last: who holds it may ask again, and give it back. The job''s own id of its creator.';
comment on column attempts.lease_until is 'Until when its sender may be at it.';
comment on column attempts.retry_at is 'When a deferred attempt may be sent again.';
comment on column attempts.created_at is 'When it was recorded.';
comment on column attempts.submitted_at is 'When the provider accepted it.';
comment on column attempts.ended_at is 'When the provider had done with it.';
comment on column attempts.failure_kind is 'Why it failed: a word of lib/domain/provider.py.';
comment on column attempts.failure_message is 'The provider''s own words.';
comment on column attempts.outputs is 'Where the provider keeps what it made; these addresses die.';
comment on column attempts.billed_seconds is 'The seconds that the provider bills.';
comment on column attempts.cost is 'What the provider says that it cost, in USD; null where it says nothing.';
create unique index attempts_by_provider_job on attempts (provider, provider_job_id, credential_version)
    where provider_job_id is not null;
create index attempts_by_creation on attempts (provider, created_at);
comment on index attempts_by_provider_job is
    'Which attempt a provider''s id belongs to: to one of each key, for a provider may count in each account anew.';
comment on index attempts_by_creation is 'Attempts that a search at the provider must not take for another''s.';

create table outputs (
    job_id        uuid not null references jobs on delete cascade,
    output_index  integer not null check (output_index >= 0),
    output_id     uuid not null unique check (uuid_is_time_ordered(output_id)),
    object_key    text not null check (length(object_key) between 1 and 1024),
    content_type  text not null,
    size_bytes    bigint not null check (size_bytes > 0),
    sha256        text check (sha256 ~ '^[0-9a-f]{64}$'),
    width         integer check (width > 0),
    height        integer check (height > 0),
    duration_s    numeric(12, 3) check (duration_s >= 0),
    thumbnail_key text,
    created_at    timestamptz not null,
    primary key (job_id, output_index)
);
comment on table outputs is 'What was stored of a completed job.';
comment on column outputs.job_id is 'The job.';
comment on column outputs.output_index is 'From 0, in the provider''s order.';
comment on column outputs.output_id is 'UUIDv7; GET /media/{outputId} finds it by this.';
comment on column outputs.object_key is 'Its key in the media bucket.';
comment on column outputs.content_type is 'What its bytes say it is.';
comment on column outputs.size_bytes is 'Bytes.';
comment on column outputs.sha256 is 'Of its bytes, where they passed through one worker.';
comment on column outputs.width is 'Pixels, decoded.';
comment on column outputs.height is 'Pixels, decoded.';
comment on column outputs.duration_s is 'Seconds, decoded.';
comment on column outputs.thumbnail_key is 'Key of its small picture.';
comment on column outputs.created_at is 'When it was stored.';

create table elements (
    element_id    uuid primary key check (uuid_is_time_ordered(element_id)),
    job_id        uuid not null references jobs on delete cascade,
    type          text not null check (type in ('video', 'image', 'audio', 'text')),
    source_url    text check (length(source_url) between 1 and 4096),
    content       text check (length(content) <= 100000),
    track         integer not null default 0 check (track between 0 and 1000),
    element_order integer not null check (element_order between 0 and 100000),
    start_s       numeric(12, 3) not null default 0 check (start_s >= 0),
    duration_s    numeric(12, 3) check (duration_s > 0),
    x_position    text not null default '0' check (length(x_position) <= 20),
    y_position    text not null default '0' check (length(y_position) <= 20),
    width         text check (length(width) <= 20),
    height        text check (length(height) <= 20),
    fit_mode      text not null default 'contain' check (fit_mode in ('contain', 'cover', 'fill', 'none')),
    volume        numeric(5, 3) check (volume between 0 and 10),
    downloaded    boolean not null default false,
    processed     boolean not null default false,
    local_path    text check (length(local_path) <= 4096),
    source_size   bigint check (source_size >= 0),
    error_message text,
    created_at    timestamptz not null,
    updated_at    timestamptz not null,
    unique (job_id, track, element_order),
    constraint elements_have_something_to_show check ((source_url is null) <> (content is null)),
    constraint elements_are_processed_once_they_are_here check (not processed or downloaded or source_url is null)
);
comment on table elements is 'What a composed job is put together from.';
comment on column elements.element_id is 'UUIDv7.';
comment on column elements.job_id is 'The composed job.';
comment on column elements.type is 'video, image, audio or text.';
comment on column elements.source_url is 'Where its media is; null for text.';
comment on column elements.content is 'The words of a text.';
comment on column elements.track is 'The layer, from 0 at the bottom.';
comment on column elements.element_order is 'The place within its track.';
comment on column elements.start_s is 'Seconds from the start of the whole.';
comment on column elements.duration_s is 'Seconds that it is shown; null means as long as it lasts.';
comment on column elements.x_position is 'From the left, in pixels or percent, such as 10%.';
comment on column elements.y_position is 'From the top, in pixels or percent.';
comment on column elements.width is 'In pixels or percent; null means its own.';
comment on column elements.height is 'In pixels or percent; null means its own.';
comment on column elements.fit_mode is 'How it fills its box: contain, cover, fill or none.';
comment on column elements.volume is 'Of its sound; 1 is as it came.';
comment on column elements.downloaded is 'Its media is with the worker.';
comment on column elements.processed is 'It is part of the result.';
comment on column elements.local_path is 'Where the worker keeps it.';
comment on column elements.source_size is 'Bytes of its media.';
comment on column elements.error_message is 'Why it could not be used.';
comment on column elements.created_at is 'When it was recorded.';
comment on column elements.updated_at is 'When its processing last changed.';

create table job_transitions (
    job_id  uuid not null references jobs on delete cascade,
    version integer not null check (version > 0),
    attempt integer not null,
    status  text not null,
    step    text not null,
    event   text not null,
    at      timestamptz not null,
    details jsonb not null default '{}',
    xid     xid8 not null default pg_current_xact_id(),
    primary key (job_id, version)
);
comment on table job_transitions is 'Every transition of every job: one row for each version.';
comment on column job_transitions.job_id is 'The job.';
comment on column job_transitions.version is 'The version that it made.';
comment on column job_transitions.attempt is 'The attempt of that moment.';
comment on column job_transitions.status is 'The status that it led to.';
comment on column job_transitions.step is 'The step that it led to.';
comment on column job_transitions.event is 'What happened.';
comment on column job_transitions.at is 'When.';
comment on column job_transitions.details is 'What is known beyond that.';
comment on column job_transitions.xid is
    'Its transaction: by it a subscriber finds what it has not seen, whatever commits in what order.';
create index job_transitions_by_xid on job_transitions (xid);
comment on index job_transitions_by_xid is 'What subscribers have not seen.';

create table processing_timeline (
    job_id       uuid not null references jobs on delete cascade,
    timeline_id  uuid not null check (uuid_is_time_ordered(timeline_id)),
    attempt      integer not null default 1 check (attempt > 0),
    step         text not null check (length(step) between 1 and 100),
    step_order   integer not null check (step_order between 0 and 1000),
    started_at   timestamptz not null,
    ended_at     timestamptz check (ended_at >= started_at),
    success      boolean,
    progress     numeric(5, 2) check (progress between 0 and 100),
    details      jsonb not null default '{}' check (jsonb_typeof(details) = 'object'),
    cpu_usage    numeric(7, 2) check (cpu_usage >= 0),
    memory_usage bigint check (memory_usage >= 0),
    primary key (job_id, timeline_id),
    constraint processing_timeline_ends_with_a_verdict check ((ended_at is null) = (success is null))
);
comment on table processing_timeline is 'The work on every job, step by step.';
comment on column processing_timeline.job_id is 'The job.';
comment on column processing_timeline.timeline_id is 'UUIDv7; unique within the job.';
comment on column processing_timeline.attempt is 'The attempt that it belongs to.';
comment on column processing_timeline.step is
    'submitting, generating, downloading or uploading in the gateway''s own work; any word in that of others.';
comment on column processing_timeline.step_order is 'Its place among the steps of the job, from 0.';
comment on column processing_timeline.started_at is 'When it began.';
comment on column processing_timeline.ended_at is 'When it ended; null while it runs.';
comment on column processing_timeline.success is 'Whether it did what it should; null while it runs.';
comment on column processing_timeline.progress is 'How far the whole job was then, in percent.';
comment on column processing_timeline.details is 'What is known beyond that, as an object.';
comment on column processing_timeline.cpu_usage is
    'Percent of one processor that our side used, where it did the work.';
comment on column processing_timeline.memory_usage is 'Peak bytes that our side used, where it did the work.';
create unique index processing_timeline_open on processing_timeline (job_id, attempt, step) where ended_at is null;
comment on index processing_timeline_open is 'A step runs once at a time; what a job has open.';

create table storage_operations (
    job_id       uuid not null references jobs on delete cascade,
    operation_id uuid not null check (uuid_is_time_ordered(operation_id)),
    output_index integer check (output_index >= 0),
    operation    text not null check (operation in ('download', 'upload', 'delete', 'copy', 'read')),
    bucket       text not null check (length(bucket) between 1 and 255),
    object_key   text not null check (length(object_key) between 1 and 1024),
    region       text check (length(region) <= 50),
    success      boolean not null,
    file_size    bigint check (file_size >= 0),
    duration_ms  numeric(14, 3) check (duration_ms >= 0),
    error_code   text check (length(error_code) <= 100),
    metadata     jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    at           timestamptz not null,
    primary key (job_id, operation_id),
    constraint storage_operations_fail_for_a_reason check (success or error_code is not null)
);
comment on table storage_operations is 'What was moved to and from the media bucket.';
comment on column storage_operations.job_id is 'The job.';
comment on column storage_operations.operation_id is
    'UUIDv7; unique within the job, so that what is told twice is kept once.';
comment on column storage_operations.output_index is 'The output; null where it is none.';
comment on column storage_operations.operation is 'download (from the provider), upload, delete, copy or read.';
comment on column storage_operations.bucket is 'The bucket; for a download the host.';
comment on column storage_operations.object_key is 'The key that it was about.';
comment on column storage_operations.region is 'The bucket''s region.';
comment on column storage_operations.success is 'Whether it worked.';
comment on column storage_operations.file_size is 'Bytes that were moved.';
comment on column storage_operations.duration_ms is 'Milliseconds that it took.';
comment on column storage_operations.error_code is 'Why it failed.';
comment on column storage_operations.metadata is 'What is known beyond that, as an object.';
comment on column storage_operations.at is 'When it ended.';

create table url_access_logs (
    access_id   uuid primary key check (uuid_is_time_ordered(access_id)),
    output_id   uuid not null,
    job_id      uuid not null,
    user_id     text not null,
    access_type text not null check (access_type in ('redirect', 'download', 'thumbnail')),
    client_ip   inet,
    user_agent  text check (length(user_agent) <= 500),
    request_id  text check (length(request_id) <= 200),
    accessed_at timestamptz not null
);
comment on table url_access_logs is 'Who was given the address of which output. It outlives the job.';
comment on column url_access_logs.access_id is
    'UUIDv7, made by whoever saw it, so that what is told twice is kept once.';
comment on column url_access_logs.output_id is 'The output.';
comment on column url_access_logs.job_id is 'Its job.';
comment on column url_access_logs.user_id is 'Who asked.';
comment on column url_access_logs.access_type is 'redirect: sent to a signed address.';
comment on column url_access_logs.client_ip is 'Where the request came from.';
comment on column url_access_logs.user_agent is 'What the client called itself.';
comment on column url_access_logs.request_id is 'Finds the request in the log.';
comment on column url_access_logs.accessed_at is 'When.';
create index url_access_logs_by_job on url_access_logs (job_id, access_id desc);
comment on index url_access_logs_by_job is 'Accesses to the outputs of a job, newest first.';

create table system_metrics (
    metric_id   uuid primary key check (uuid_is_time_ordered(metric_id)),
    name        text not null check (length(name) between 1 and 100),
    value       double precision not null,
    unit        text not null check (length(unit) between 1 and 30),
    dimensions  jsonb not null default '{}' check (jsonb_typeof(dimensions) = 'object'),
    measured_at timestamptz not null
);
comment on table system_metrics is 'How the gateway did, as each sweep found it.';
comment on column system_metrics.metric_id is 'UUIDv7.';
comment on column system_metrics.name is 'What was measured.';
comment on column system_metrics.value is 'The figure.';
comment on column system_metrics.unit is 'Of the figure: count, seconds, bytes, percent.';
comment on column system_metrics.dimensions is 'What it was measured of, as an object.';
comment on column system_metrics.measured_at is 'When.';
create index system_metrics_by_name on system_metrics (name, metric_id desc);
comment on index system_metrics_by_name is 'One figure over time, newest first.';

create table security_events (
    event_id   uuid primary key check (uuid_is_time_ordered(event_id)),
    kind       text not null check (kind in ('access_refused', 'rate_limited', 'wrong_key', 'forged_webhook')),
    user_id    text check (length(user_id) <= 200),
    job_id     uuid,
    client_ip  inet,
    user_agent text check (length(user_agent) <= 500),
    request_id text check (length(request_id) <= 200),
    details    jsonb not null default '{}' check (jsonb_typeof(details) = 'object'),
    at         timestamptz not null
);
comment on table security_events is 'What somebody tried and was refused.';
comment on column security_events.event_id is
    'UUIDv7, made by whoever saw it, so that what is told twice is kept once.';
comment on column security_events.kind is 'access_refused, rate_limited, wrong_key or forged_webhook.';
comment on column security_events.user_id is 'Who it was, where that is known.';
comment on column security_events.job_id is 'The job that it was about.';
comment on column security_events.client_ip is 'Where it came from.';
comment on column security_events.user_agent is 'What the client called itself.';
comment on column security_events.request_id is 'Finds the request in the log.';
comment on column security_events.details is 'What is known beyond that; never a key.';
comment on column security_events.at is 'When.';

create table idempotency_keys (
    user_id      text not null references users,
    key          text not null check (length(key) between 1 and 255),
    request_hash text not null,
    job_id       uuid not null,
    status_code  integer check (status_code between 100 and 599),
    response     jsonb,
    created_at   timestamptz not null,
    expires_at   timestamptz not null check (expires_at > created_at),
    primary key (user_id, key),
    constraint idempotency_keys_answer_is_whole check ((status_code is null) = (response is null))
);
comment on table idempotency_keys is 'The first answer to each Idempotency-Key of a user.';
comment on column idempotency_keys.user_id is 'Whose key it is.';
comment on column idempotency_keys.key is 'The header''s value.';
comment on column idempotency_keys.request_hash is 'Tells another body with the same key.';
comment on column idempotency_keys.job_id is 'The job that the first request made.';
comment on column idempotency_keys.status_code is 'Of the first answer; null while it is under way.';
comment on column idempotency_keys.response is 'The body of the first answer.';
comment on column idempotency_keys.created_at is 'When the first request came.';
comment on column idempotency_keys.expires_at is 'From then on the key is free again.';
create index idempotency_keys_by_job on idempotency_keys (job_id);
create index idempotency_keys_expired on idempotency_keys (expires_at);
comment on index idempotency_keys_by_job is 'The key whose answer is recorded with a transition.';
comment on index idempotency_keys_expired is 'What the sweep removes.';

create table outbox (
    outbox_id    bigint generated always as identity primary key,
    topic        text not null check (topic in ('advance', 'store', 'submit')),
    job_id       uuid not null references jobs on delete cascade,
    user_id      text not null,
    payload      jsonb not null,
    available_at timestamptz not null,
    leased_until timestamptz not null,
    created_at   timestamptz not null
);
comment on table outbox is 'What must be sent because of a committed transition. A row is deleted once it was sent.';
comment on column outbox.outbox_id is 'By it the sender forgets the message.';
comment on column outbox.topic is 'The queue: advance, store or submit.';
comment on column outbox.job_id is 'The job that it is about.';
comment on column outbox.user_id is 'The job''s user: queues are fair between users.';
comment on column outbox.payload is 'The message.';
comment on column outbox.available_at is 'Not to be delivered before.';
comment on column outbox.leased_until is 'Until then somebody is about to send it.';
comment on column outbox.created_at is 'When the transition was committed.';
create index outbox_unsent on outbox (leased_until);
create index outbox_by_job on outbox (job_id);
comment on index outbox_unsent is 'Messages that their sender left behind.';
comment on index outbox_by_job is 'What goes with a job that is removed, however many messages wait.';

create table database_options (
    only_row boolean primary key default true check (only_row),
    notify   boolean not null default true
);
comment on table database_options is 'What an operator chooses for this database; one row.';
comment on column database_options.only_row is 'There is one row.';
comment on column database_options.notify is
    'Whether changes are told by NOTIFY; subscribers ask again and again where they are not.';
insert into database_options default values;

create table health_probe (
    only_row   boolean primary key default true check (only_row),
    written_at timestamptz not null
);
comment on table health_probe is 'One row, written to learn whether the database takes writes.';
comment on column health_probe.only_row is 'There is one row.';
comment on column health_probe.written_at is 'The last time that somebody tried.';
insert into health_probe (written_at) values (now());
