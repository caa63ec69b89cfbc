-- One function for each transition: the job, its attempt, its history, the steps of its work and the outbox change
-- together, in one round trip. Each locks the job first. A call repeated with the same evidence changes nothing. All
-- that change a job answer
--   {"outcome": text, "changed": boolean, "job": job_snapshot, "outbox": [{"id", "topic", "group", "payload", "delay"}]}
-- and, if an attempt ended, or its cost was told later, "ended": {...}.
-- p_now is the caller's clock; the database's own clock decides nothing. jobs.created_at has whole milliseconds, as on
-- the wire: a cursor of a list is made of it. All run as their caller: what it may not see is not there for them.
--
-- Here: what all transitions share, and those that need no provider's word. 007 has the submit, 008 what a provider
-- says and what is stored of it; both and this file use the steps of 009.

create function ended_attempt(p_job_id uuid) returns jsonb
    language sql stable
    return (
        select jsonb_build_object('ended', jsonb_build_object(
            'attempt', a.attempt, 'provider', a.provider, 'modelId', a.model_id, 'state', a.state,
            'code', a.failure_kind, 'credential', split_part(a.credential_version, ':', 1),
            'seconds', extract(epoch from a.ended_at - a.created_at), 'submits', a.submits,
            'estimatedCost', a.estimated_cost, 'cost', a.cost))
        from attempts a
        where a.job_id = p_job_id and a.ended_at is not null and a.xmin = pg_current_xact_id()::xid
        order by a.attempt desc limit 1);
comment on function ended_attempt is
    'The attempt that this very transaction ended, or heard the cost of, as the log has it: nothing of its input, its '
    'key or its address.';

create function transition_result(
    p_outcome text, p_changed boolean, p_job jobs, p_outbox jsonb default '[]'
) returns jsonb
    language sql stable
    return jsonb_build_object('outcome', p_outcome, 'changed', p_changed,
                              'job', case when p_job.job_id is null then null else job_snapshot(p_job) end,
                              'outbox', p_outbox)
           || case when p_changed then coalesce(ended_attempt(p_job.job_id), '{}') else '{}' end;
comment on function transition_result is 'The answer that every transition function gives.';

create function ring(p_channel text, p_job_id uuid) returns void
    language plpgsql set search_path = public, pg_temp as $$
begin
    if (select notify from database_options) then
        perform pg_notify(p_channel, p_job_id::text);
    end if;
end
$$;
comment on function ring is 'Tells listeners that a job changed, and no more: who hears it must be allowed to look.';

create function save_transition(p_job jobs, p_event text, p_now timestamptz, p_details jsonb default '{}') returns jobs
    language plpgsql set search_path = public, pg_temp as $$
declare
    saved jobs;
begin
    update jobs set
        status = p_job.status, step = p_job.step, version = p_job.version + 1, attempt = p_job.attempt,
        model_id = p_job.model_id, provider = p_job.provider, warnings = p_job.warnings, fallbacks = p_job.fallbacks,
        waiting = case when not status_is_final(p_job.status) then p_job.waiting end,
        estimated_time_s = p_job.estimated_time_s,
        provider_job_id = p_job.provider_job_id, cancel_requested = p_job.cancel_requested,
        error_code = p_job.error_code, error_message = left(p_job.error_message, 2000),
        error_retryable = p_job.error_retryable, updated_at = greatest(p_now, p_job.updated_at),
        submitted_at = p_job.submitted_at, started_at = p_job.started_at,
        completed_at = case when status_is_final(p_job.status) then greatest(p_now, p_job.created_at) end,
        storing_deadline_at = p_job.storing_deadline_at,
        due_at = case when not status_is_final(p_job.status) then p_job.due_at end
    where job_id = p_job.job_id
    returning * into strict saved;
    insert into job_transitions (job_id, version, attempt, status, step, event, at, details)
    values (saved.job_id, saved.version, saved.attempt, saved.status, saved.step, p_event, p_now, p_details);
    if status_is_final(saved.status) then
        perform end_all_steps(saved.job_id, saved.status = 'completed', p_now);
    end if;
    perform ring('vsl_jobs', saved.job_id);
    return saved;
end
$$;
comment on function save_transition is
    'Writes the changed job as its next version, with its line in the history; a job that has ended has no open steps.';

create function emit(
    p_job jobs, p_topic text, p_payload jsonb, p_now timestamptz, p_delay_s numeric default 0
) returns jsonb
    language sql set search_path = public, pg_temp as $$
    insert into outbox (topic, job_id, user_id, payload, available_at, leased_until, created_at)
    values (p_topic, p_job.job_id, p_job.user_id, p_payload, p_now + make_interval(secs => p_delay_s::double precision),
            p_now + interval '60 seconds', p_now)
    returning jsonb_build_array(jsonb_build_object(
        'id', outbox_id, 'topic', topic, 'group', user_id, 'payload', payload, 'delay', p_delay_s));
$$;
comment on function emit is 'Puts a message into the outbox; its sender has 60 s before the sweep sends it instead.';

create function emit_check(p_job jobs, p_now timestamptz, p_delay_s numeric default 0) returns jsonb
    language sql set search_path = public, pg_temp as $$
    select emit(p_job, 'advance', jsonb_build_object('kind', 'check', 'jobId', p_job.job_id), p_now, p_delay_s);
$$;
comment on function emit_check is 'Asks a worker to look at the job and do what is due.';

create function emit_work(p_job jobs, p_synchronous boolean, p_now timestamptz) returns jsonb
    language sql set search_path = public, pg_temp as $$
    select emit(p_job, case when p_synchronous then 'submit' else 'advance' end, jsonb_build_object(
        'kind', case when p_synchronous then 'submit' else 'check' end, 'jobId', p_job.job_id), p_now);
$$;
comment on function emit_work is
    'Asks a worker to send a queued attempt: one of those that wait for their provider''s answer, where it is the result.';

create function emit_cancel(p_job jobs, p_attempt attempts, p_provider_job_id text, p_now timestamptz) returns jsonb
    language sql set search_path = public, pg_temp as $$
    select emit(p_job, 'advance', jsonb_build_object(
        'kind', 'cancel_remote', 'jobId', p_job.job_id, 'attempt', p_attempt.attempt, 'providerJobId', p_provider_job_id,
        'provider', p_attempt.provider, 'modelRef', p_attempt.model_ref,
        'credentialVersion', p_attempt.credential_version), p_now);
$$;
comment on function emit_cancel is
    'Asks a worker to cancel at the provider what nobody waits for, with the credential that made it.';

create function record_answer(p_job_id uuid, p_answer jsonb) returns void
    language sql set search_path = public, pg_temp as $$
    update idempotency_keys
    set status_code = (p_answer ->> 'statusCode')::integer, response = p_answer -> 'body'
    where job_id = p_job_id and response is null and p_answer is not null
      and user_id = (select j.user_id from jobs j where j.job_id = p_job_id);
$$;
comment on function record_answer is
    'Keeps the first answer to the creating request, for replays of its Idempotency-Key: with the key of the job''s user.';

create function insert_outputs(p_job_id uuid, p_outputs jsonb, p_now timestamptz) returns void
    language sql set search_path = public, pg_temp as $$
    insert into outputs (job_id, output_index, output_id, object_key, content_type, size_bytes, sha256, width, height,
                         duration_s, thumbnail_key, created_at)
    select p_job_id, o.index, coalesce(o."outputId", uuid_at(p_now)), o.key, o."contentType", o."fileSize", o.sha256,
           o.width, o.height, o.duration, o."thumbnailKey", p_now
    from jsonb_to_recordset(p_outputs) as o(
        index integer, "outputId" uuid, key text, "contentType" text, "fileSize" bigint, sha256 text, width integer,
        height integer, duration numeric, "thumbnailKey" text);
$$;
comment on function insert_outputs is 'What was stored of a job.';

create function end_attempt(p_job jobs, p_state text, p_kind text, p_message text, p_now timestamptz) returns void
    language sql set search_path = public, pg_temp as $$
    update attempts set state = p_state, lease_until = null, retry_at = null, ended_at = p_now,
           failure_kind = p_kind, failure_message = left(p_message, 2000)
    where job_id = p_job.job_id and attempt = p_job.attempt
      and state not in ('succeeded', 'failed', 'canceled', 'refused');
$$;
comment on function end_attempt is 'Ends the job''s current attempt unless it has ended.';

create function next_attempt(p_job jobs, p_code text, p_now timestamptz) returns jsonb
    language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs := p_job;
    v_next jsonb;
    v_credential jsonb;
begin
    if j.cancel_requested or p_now >= j.deadline_at then
        return null;
    end if;
    loop
        v_next := j.fallbacks -> 0;
        if v_next is null then
            return null;
        end if;
        j.fallbacks := j.fallbacks - 0;
        v_credential := choose_credential(j.user_id, v_next ->> 'provider', v_next ->> 'credentials');
        exit when v_credential ->> 'outcome' in ('own', 'platform');
    end loop;
    insert into attempts (job_id, attempt, state, provider, model_id, model_ref, input, credential_version, estimated_cost,
                          submits, created_at)
    values (j.job_id, j.attempt + 1, 'queued', v_next ->> 'provider', v_next ->> 'modelId', v_next ->> 'modelRef',
            v_next -> 'input', v_credential ->> 'version', (v_next ->> 'estimatedCost')::numeric, 0, p_now);
    j.warnings := j.warnings || coalesce(v_next -> 'warnings', '[]') || to_jsonb(format(
        '%s failed (%s): %s is tried instead', j.model_id, p_code, v_next ->> 'modelId'));
    j.attempt := j.attempt + 1;
    j.model_id := v_next ->> 'modelId';
    j.provider := v_next ->> 'provider';
    j.estimated_time_s := (v_next ->> 'estimatedTime')::numeric;
    j.provider_job_id := null;
    j.submitted_at := null;
    j.waiting := null;
    j.due_at := p_now + interval '60 seconds';
    j := save_transition(j, 'fell_back', p_now, jsonb_build_object(
        'code', p_code, 'fromModel', p_job.model_id, 'fromProvider', p_job.provider, 'toModel', j.model_id,
        'toProvider', j.provider));
    return transition_result('fell_back', true, j, emit_work(j, (v_next ->> 'synchronous')::boolean, p_now));
end
$$;
comment on function next_attempt is
    'The next planned fallback, queued as a new attempt; null if there is none that can be used, or nobody waits for it. '
    'Only for an attempt that has ended and provably cost nothing.';

create function created_before(p_job jobs) returns jsonb
    language sql stable
    return transition_result('created', false, p_job) || jsonb_build_object('credential', (
        select jsonb_build_object('version', credential_version) from attempts where job_id = p_job.job_id and attempt = 1));
comment on function created_before is 'The answer to a creating call that is sent again after its answer was lost.';

create function create_job(p jsonb, p_now timestamptz) returns jsonb
    language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
    k idempotency_keys;
    v_attempt jsonb := p -> 'attempt';
    v_credential jsonb;
    v_element jsonb;
begin
    insert into users (user_id, created_at) values (p ->> 'userId', p_now) on conflict do nothing;
    if p ? 'idempotencyKey' then
        delete from idempotency_keys
        where user_id = p ->> 'userId' and key = p ->> 'idempotencyKey' and expires_at <= p_now;
        insert into idempotency_keys (user_id, key, request_hash, job_id, created_at, expires_at)
        values (p ->> 'userId', p ->> 'idempotencyKey', p ->> 'requestHash', (p ->> 'jobId')::uuid, p_now,
                (p ->> 'idempotencyExpiresAt')::timestamptz)
        on conflict do nothing;
        if not found then
            select * into strict k from idempotency_keys
            where user_id = p ->> 'userId' and key = p ->> 'idempotencyKey';
            select * into j from jobs where job_id = k.job_id;
            if k.job_id = (p ->> 'jobId')::uuid then
                return created_before(j);
            elsif k.request_hash <> p ->> 'requestHash' then
                return transition_result('mismatch', false, null);
            elsif k.response is not null then
                return transition_result('replay', false, j)
                    || jsonb_build_object('answer', jsonb_build_object('statusCode', k.status_code, 'body', k.response));
            elsif exists (select from attempts where job_id = j.job_id and state = 'submitting' and lease_until > p_now) then
                return transition_result('in_progress', false, j);
            end if;
            return transition_result('existing', false, j);
        end if;
    end if;
    if v_attempt is not null then
        -- Chosen in this very transaction: a key that is replaced meanwhile is either of this job or not.
        v_credential := choose_credential(p ->> 'userId', p ->> 'provider', v_attempt ->> 'credentials');
        if v_credential ->> 'outcome' not in ('own', 'platform') then
            delete from idempotency_keys where user_id = p ->> 'userId' and job_id = (p ->> 'jobId')::uuid;
            return transition_result('credential_' || (v_credential ->> 'outcome'), false, null);
        end if;
    end if;
    insert into jobs (job_id, short_id, kind, user_id, guest_token, client_ip, user_agent, media_type, model_id, provider,
                      parameters, request_ref, output_format, width, height, estimated_duration_s, response_type,
                      status, step, estimated_time_s, estimated_cost, warnings, fallbacks, created_at, updated_at,
                      deadline_at, due_at)
    values ((p ->> 'jobId')::uuid, p ->> 'shortId', case when v_attempt is null then 'composition' else 'generation' end,
            p ->> 'userId', p ->> 'guestToken', (p ->> 'clientIp')::inet, left(p ->> 'userAgent', 500),
            p ->> 'mediaType', p ->> 'modelId', p ->> 'provider', p -> 'parameters', p ->> 'requestRef',
            p ->> 'outputFormat', (p ->> 'width')::integer, (p ->> 'height')::integer,
            (p ->> 'estimatedDuration')::numeric, coalesce(p ->> 'responseType', 'async'), 'pending', 'queued',
            (p ->> 'estimatedTime')::numeric, (p ->> 'estimatedCost')::numeric, coalesce(p -> 'warnings', '[]'),
            coalesce(p -> 'fallbacks', '[]'), date_trunc('milliseconds', p_now), p_now, (p ->> 'deadlineAt')::timestamptz,
            case when v_attempt is null then (p ->> 'deadlineAt')::timestamptz
                 else coalesce((v_attempt ->> 'leaseUntil')::timestamptz, p_now + interval '60 seconds') end)
    on conflict (job_id) do nothing
    returning * into j;
    if not found then
        select * into j from jobs where job_id = (p ->> 'jobId')::uuid;
        if j.job_id is null then
            raise exception 'the job id % is taken', p ->> 'jobId' using errcode = 'unique_violation';
        end if;
        return created_before(j);
    end if;
    insert into job_transitions (job_id, version, attempt, status, step, event, at)
    values (j.job_id, j.version, 1, j.status, j.step, 'created', p_now);
    if v_attempt is not null then
        insert into attempts (job_id, attempt, state, provider, model_id, model_ref, input, credential_version,
                              estimated_cost, submits, claim, lease_until, created_at)
        values (j.job_id, 1, case when v_attempt ? 'leaseUntil' then 'submitting' else 'queued' end, j.provider, j.model_id,
                v_attempt ->> 'modelRef', v_attempt -> 'input', v_credential ->> 'version', j.estimated_cost,
                case when v_attempt ? 'leaseUntil' then 1 else 0 end,
                case when v_attempt ? 'leaseUntil' then j.job_id end, (v_attempt ->> 'leaseUntil')::timestamptz, p_now);
        if v_attempt ? 'leaseUntil' then
            perform start_processing_step(j.job_id, 'submitting', 0, p_now);
        else
            perform record_answer(j.job_id, p -> 'answer');
            perform ring('vsl_jobs', j.job_id);
            return transition_result('created', true, j, emit_work(j, true, p_now))
                || jsonb_build_object('credential', v_credential);
        end if;
    end if;
    for v_element in select * from jsonb_array_elements(coalesce(p -> 'elements', '[]')) loop
        if add_job_element(v_element || jsonb_build_object('jobId', j.job_id), p_now) is null then
            raise exception 'the element id % is taken', v_element ->> 'elementId' using errcode = 'unique_violation';
        end if;
    end loop;
    perform ring('vsl_jobs', j.job_id);
    return transition_result('created', true, j) || jsonb_build_object('credential', v_credential);
end
$$;
comment on function create_job is
    'The job, attempt 1 with the credential that applies, under a lease or, without one, queued for a worker that waits '
    'for its answer (or the elements of a composed job), and the idempotency key; or what that key already stands for.';

create function fail_job(
    p_job_id uuid, p_code text, p_message text, p_retryable boolean, p_now timestamptz,
    p_attempt_state text default 'failed', p_answer jsonb default null, p_usage jsonb default null,
    p_unbilled boolean default false, p_attempt integer default null
) returns jsonb
    language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
    a attempts;
    v_next jsonb;
    messages jsonb := '[]';
begin
    select * into j from jobs where job_id = p_job_id for update;
    if not found then
        return transition_result('unknown_job', false, null);
    end if;
    if status_is_final(j.status) then
        return transition_result('final', false, j);
    elsif j.attempt <> p_attempt then
        return transition_result('other_attempt', false, j);  -- told twice or late: the job has another by now
    end if;
    select * into a from attempts where job_id = j.job_id and attempt = j.attempt;
    if a.state in ('submitted', 'running') then
        -- The provider may still be working for a job that nobody waits for.
        messages := emit_cancel(j, a, a.provider_job_id, p_now);
    end if;
    if a.state <> 'unknown' then
        perform end_attempt(j, p_attempt_state, p_code, p_message, p_now);
    end if;
    perform end_step(j.job_id, j.attempt, 'submitting', false, p_now, jsonb_build_object('code', p_code), p_usage);
    if p_unbilled and a.state in ('queued', 'submitting') then
        v_next := next_attempt(j, p_code, p_now);
        if v_next is not null then
            perform record_answer(p_job_id, p_answer);
            return v_next;
        end if;
    end if;
    j.status := 'failed';
    j.error_code := p_code;
    j.error_message := p_message;
    j.error_retryable := p_retryable;
    j := save_transition(j, 'failed', p_now, jsonb_build_object('code', p_code));
    return transition_result('failed', true, j, messages);
end
$$;
comment on function fail_job is
    'The job fails with a reason; where its attempt was refused and provably cost nothing, a planned fallback is tried '
    'instead, and p_answer is what whoever asked was told. With p_attempt: only while that one is the job''s. An attempt '
    'that nobody answered stays unknown, so that a late claim is seen.';

create function request_cancel(p_job_id uuid, p_user_id text, p_now timestamptz) returns jsonb
    language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
    a attempts;
begin
    select * into j from jobs where job_id = p_job_id and user_id = p_user_id for update;
    if not found then
        return transition_result('not_found', false, null);
    end if;
    if status_is_final(j.status) then
        return transition_result('final', false, j);
    end if;
    select * into a from attempts where job_id = j.job_id and attempt = j.attempt;
    if not found or a.state = 'queued' then
        perform end_attempt(j, 'canceled', null, null, p_now);
        j.status := 'canceled';
        j.cancel_requested := true;
        j := save_transition(j, 'canceled', p_now);
        return transition_result('canceled', true, j);
    end if;
    if j.cancel_requested then
        return transition_result('requested', false, j);
    end if;
    j.cancel_requested := true;
    j := save_transition(j, 'cancel_requested', p_now);
    return transition_result('requested', true, j, emit_check(j, p_now));
end
$$;
comment on function request_cancel is
    'Cancels what was not submitted; otherwise notes the wish, asks the provider, and lets the evidence decide.';

create function greatest_step(p_step text, p_other text) returns text
    language sql immutable strict parallel safe
    return case when step_rank(p_step) >= step_rank(p_other) then p_step else p_other end;
comment on function greatest_step is 'The later of two steps.';

create function update_job_status(p jsonb, p_now timestamptz) returns jsonb
    language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
    v_status text := p ->> 'status';
    v_step text;
    v_outcome text;
begin
    select * into j from jobs where job_id = (p ->> 'jobId')::uuid for update;
    if not found then
        return transition_result('unknown_job', false, null);
    end if;
    v_step := case
        when status_is_final(v_status) then j.step
        when p ->> 'step' is not null then p ->> 'step'
        when v_status = 'processing' then greatest_step(j.step, 'generating')
        else j.step
    end;
    if j.kind <> 'composition' then
        return transition_result('not_composed', false, j);  -- a generation moves by evidence alone
    elsif (p ->> 'expectedVersion')::integer <> j.version then
        return transition_result('other_version', false, j);
    elsif v_status = j.status and v_step = j.step then
        return transition_result('unchanged', false, j);
    elsif v_status = 'completed' and j.step <> 'storing' and can_move(j.status, j.step, 'processing', 'storing') then
        j.status := 'processing';
        j.step := 'storing';
        j := save_transition(j, 'storing', p_now);
        v_step := j.step;
    elsif not can_move(j.status, j.step, v_status, v_step) then
        return transition_result(case when status_is_final(j.status) then 'final' else 'not_allowed' end, false, j);
    end if;
    perform insert_outputs(j.job_id, coalesce(p -> 'outputs', '[]'), p_now);
    j.status := v_status;
    j.step := v_step;
    if v_status = 'processing' then
        j.started_at := coalesce(j.started_at, p_now);
    elsif v_status = 'failed' then
        j.error_code := coalesce(p #>> '{error,code}', 'composition_failed');
        j.error_message := coalesce(p #>> '{error,message}', 'The composition failed.');
        j.error_retryable := coalesce((p #>> '{error,retryable}')::boolean, false);
    end if;
    v_outcome := case when status_is_final(v_status) then v_status else v_step end;
    j := save_transition(j, coalesce(p ->> 'event', v_outcome), p_now, coalesce(p -> 'details', '{}'));
    return transition_result(v_outcome, true, j);
end
$$;
comment on function update_job_status is
    'Moves a composed job along the transition table, with its line in the history; completing brings its outputs.';

create function find_job(p_job_id uuid) returns jsonb
    language sql stable
    return (select job_snapshot(j) from jobs j where j.job_id = p_job_id);
comment on function find_job is 'The snapshot of a job, or null.';

grant execute on function ended_attempt, transition_result, ring, save_transition, emit, emit_check, emit_work, emit_cancel,
    record_answer, end_attempt, next_attempt, created_before, create_job, fail_job, request_cancel, find_job to vsl_api, vsl_worker;
grant execute on function insert_outputs, greatest_step, update_job_status to vsl_worker;
