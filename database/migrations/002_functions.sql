-- Pure helpers: ids, who acts, the order of steps, what may follow what, and a job as the mirrors hold it.

create function uuid_at(p_at timestamptz) returns uuid
    language sql volatile strict parallel safe
    begin atomic
        select encode(set_byte(b, 6, get_byte(b, 6) | 48), 'hex')::uuid
        from (select overlay(uuid_send(gen_random_uuid())
                             placing substr(int8send(floor(extract(epoch from p_at) * 1000)::bigint), 3)
                             from 1 for 6) as b) as random;
    end;
comment on function uuid_at is 'A new UUIDv7 of this moment (RFC 9562, section 5.7).';

create function act_as(p_user_id text, p_guest_token text default null, p_key_hash text default null) returns boolean
    language sql volatile
    begin atomic
        select set_config('vsl.user_id', coalesce(p_user_id, ''), true) is not null
           and set_config('vsl.guest_token', coalesce(p_guest_token, ''), true) is not null
           and set_config('vsl.key_hash', coalesce(p_key_hash, ''), true) is not null;
    end;
comment on function act_as is
    'Who acts in this transaction: a user, a guest with a token, or somebody who presents a key.';

create function actor_user_id() returns text
    language sql stable parallel safe
    return nullif(current_setting('vsl.user_id', true), '');
comment on function actor_user_id is 'The user for whom this transaction acts, or null.';

create function actor_guest_token() returns text
    language sql stable parallel safe
    return nullif(current_setting('vsl.guest_token', true), '');
comment on function actor_guest_token is 'The token of the guest for whom this transaction acts, or null.';

create function actor_key_hash() returns text
    language sql stable parallel safe
    return nullif(current_setting('vsl.key_hash', true), '');
comment on function actor_key_hash is 'The hash of the key that is being looked up, or null.';

create function actor_is_admin() returns boolean
    language sql stable parallel safe
    return exists (select from users where user_id = actor_user_id() and access_role = 'admin')
       and actor_guest_token() is null;
comment on function actor_is_admin is 'Whether the record knows the actor as an admin; no setting can claim it.';

create function step_rank(p_step text) returns integer
    language sql immutable strict parallel safe
    return array_position(array['queued', 'submitting', 'submitted', 'generating', 'storing'], p_step);
comment on function step_rank is 'How far a step is, from 1; steps never move back.';

create function status_is_final(p_status text) returns boolean
    language sql immutable strict parallel safe
    return p_status in ('completed', 'failed', 'canceled');
comment on function status_is_final is 'Whether a job in this status never changes again.';

create function can_move(p_status text, p_step text, p_new_status text, p_new_step text) returns boolean
    language sql immutable strict parallel safe
    return case
        when status_is_final(p_status) then false
        when status_is_final(p_new_status) then p_new_step = p_step
        else step_rank(p_new_step) >= step_rank(p_step)
    end;
comment on function can_move is
    'The transition table of lib/domain/job.py, which is its source; a test compares the two.';

create function wire_time(p_at timestamptz) returns text
    language sql immutable strict parallel safe
    return to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
comment on function wire_time is 'ISO 8601 in UTC with milliseconds.';

create function day_of(p_at timestamptz) returns date
    language sql immutable strict parallel safe
    return (p_at at time zone 'UTC')::date;
comment on function day_of is 'The day in UTC.';

create function job_outputs(p_job_id uuid) returns jsonb
    language sql stable
    return (
        select coalesce(jsonb_agg(jsonb_build_object(
            'outputId', output_id, 'index', output_index, 'key', object_key, 'contentType', content_type,
            'fileSize', size_bytes, 'sha256', sha256, 'width', width, 'height', height, 'duration', duration_s,
            'thumbnailKey', thumbnail_key
        ) order by output_index), '[]')
        from outputs where job_id = p_job_id
    );
comment on function job_outputs is 'The stored outputs of a job, by object key.';

create function job_snapshot(j jobs) returns jsonb
    language sql stable
    return jsonb_build_object(
        'jobId', j.job_id, 'shortId', j.short_id, 'userId', j.user_id, 'version', j.version,
        'status', j.status, 'step', j.step, 'mediaType', j.media_type, 'modelId', j.model_id,
        'provider', j.provider, 'providerJobId', j.provider_job_id, 'attempt', j.attempt,
        'cancelRequested', j.cancel_requested, 'estimatedTime', j.estimated_time_s, 'estimatedCost', j.estimated_cost,
        'createdAt', wire_time(j.created_at), 'updatedAt', wire_time(j.updated_at),
        'submittedAt', wire_time(j.submitted_at), 'startedAt', wire_time(j.started_at),
        'completedAt', wire_time(j.completed_at), 'dueAt', wire_time(j.due_at),
        'deadlineAt', wire_time(j.deadline_at), 'warnings', j.warnings, 'waiting', j.waiting,
        'guestToken', j.guest_token,
        'error', case when j.error_code is null then null else jsonb_build_object(
            'code', j.error_code, 'message', j.error_message, 'retryable', j.error_retryable) end,
        'outputs', case when j.status = 'completed' then job_outputs(j.job_id) else '[]'::jsonb end
    );
comment on function job_snapshot is 'A job''s status fields as the mirrors hold them (lib/domain/snapshot.py).';
