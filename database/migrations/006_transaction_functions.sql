-- One function for each transition: the job, its attempt, its history, the steps of its work and the outbox change
-- together, in one round trip. Each locks the job first. A call repeated with the same evidence changes nothing. All
-- that change a job answer
--   {"outcome": text, "changed": boolean, "job": job_snapshot, "outbox": [{"id", "topic", "group", "payload", "delay"}]}
-- p_now is the caller's clock; the database's own clock decides nothing. jobs.created_at has whole milliseconds, as on
-- the wire: a cursor of a list is made of it. All run as their caller: what it may not see is not there for them.

create function uuid_from(p_at timestamptz) returns uuid
    language sql immutable strict parallel safe
    return (lpad(to_hex(floor(extract(epoch from p_at) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid;
comment on function uuid_from is 'The least UUIDv7 of a moment: what is below it is older.';

create function ring(p_channel text, p_job_id uuid) returns void language plpgsql set search_path = public, pg_temp as $$
begin
    if (select notify from database_options) then
        perform pg_notify(p_channel, p_job_id::text);
    end if;
end
$$;
comment on function ring is 'Tells listeners that a job changed, and no more: who hears it must be allowed to look.';

-- The steps of the work.

create function complete_processing_step(
    p_job_id uuid, p_timeline_id uuid, p_success boolean, p_now timestamptz, p_progress numeric default null,
    p_details jsonb default '{}', p_cpu_usage numeric default null, p_memory_usage bigint default null
) returns boolean language plpgsql set search_path = public, pg_temp as $$
begin
    update processing_timeline set
        ended_at = greatest(p_now, started_at), success = p_success, progress = coalesce(p_progress, progress),
        details = details || coalesce(p_details, '{}'), cpu_usage = coalesce(p_cpu_usage, cpu_usage),
        memory_usage = coalesce(p_memory_usage, memory_usage)
    where job_id = p_job_id and timeline_id = p_timeline_id and ended_at is null;
    if not found then
        return false;
    end if;
    perform ring('vsl_steps', p_job_id);
    return true;
end
$$;
comment on function complete_processing_step is 'Ends a step with its verdict and figures; false if it had ended, or is unknown.';

create function start_processing_step(
    p_job_id uuid, p_step text, p_step_order integer, p_now timestamptz, p_details jsonb default '{}',
    p_attempt integer default null
) returns uuid language plpgsql set search_path = public, pg_temp as $$
declare
    v_attempt integer;
    v_final boolean;
    v_open uuid;
    v_id uuid := uuid_at(p_now);
begin
    select coalesce(p_attempt, attempt), status_is_final(status) into v_attempt, v_final
    from jobs where job_id = p_job_id for no key update;
    if not found or v_final then
        return null;
    end if;
    select timeline_id into v_open from processing_timeline
    where job_id = p_job_id and attempt = v_attempt and step = p_step and ended_at is null;
    if found then
        -- Whoever was at it did not live to say so.
        perform complete_processing_step(p_job_id, v_open, false, p_now, p_details => '{"superseded": true}');
    end if;
    insert into processing_timeline (job_id, timeline_id, attempt, step, step_order, started_at, details)
    values (p_job_id, v_id, v_attempt, p_step, p_step_order, p_now, coalesce(p_details, '{}'));
    perform ring('vsl_steps', p_job_id);
    return v_id;
end
$$;
comment on function start_processing_step is 'Begins a step of a job that has not ended, and gives its id; null if there is none such. A step that was left open ends unsuccessfully.';

create function end_step(
    p_job_id uuid, p_attempt integer, p_step text, p_success boolean, p_now timestamptz, p_details jsonb default '{}',
    p_usage jsonb default null
) returns void language sql set search_path = public, pg_temp as $$
    select complete_processing_step(
        job_id, timeline_id, p_success, p_now, null, p_details, (p_usage ->> 'cpuUsage')::numeric,
        (p_usage ->> 'memoryUsage')::bigint)
    from processing_timeline
    where job_id = p_job_id and attempt = p_attempt and step = p_step and ended_at is null;
$$;
comment on function end_step is 'Ends a step by its name, if it is open.';

create function end_all_steps(p_job_id uuid, p_success boolean, p_now timestamptz) returns void language sql set search_path = public, pg_temp as $$
    select complete_processing_step(job_id, timeline_id, p_success, p_now) from processing_timeline
    where job_id = p_job_id and ended_at is null;
$$;
comment on function end_all_steps is 'Nothing of a job that has ended is under way.';

create function log_storage_operation(p jsonb, p_now timestamptz) returns uuid language plpgsql set search_path = public, pg_temp as $$
declare
    v_id uuid := coalesce((p ->> 'operationId')::uuid, uuid_at(p_now));
begin
    insert into storage_operations (job_id, operation_id, output_index, operation, bucket, object_key, region, success,
                                    file_size, duration_ms, error_code, metadata, at)
    select j.job_id, v_id, (p ->> 'outputIndex')::integer, p ->> 'operation', p ->> 'bucket', p ->> 'key', p ->> 'region',
           (p ->> 'success')::boolean, (p ->> 'fileSize')::bigint, (p ->> 'durationMs')::numeric,
           left(p ->> 'errorCode', 100), coalesce(p -> 'metadata', '{}'), coalesce((p ->> 'at')::timestamptz, p_now)
    from jobs j where j.job_id = (p ->> 'jobId')::uuid
    on conflict (job_id, operation_id) do nothing;
    return case when found or exists (
        select from storage_operations where job_id = (p ->> 'jobId')::uuid and operation_id = v_id) then v_id end;
end
$$;
comment on function log_storage_operation is 'Keeps what was moved to or from the bucket, once for each operationId; null if there is no such job.';

create function record_work(p_job_id uuid, p_work jsonb, p_now timestamptz) returns void language plpgsql set search_path = public, pg_temp as $$
declare
    v_step jsonb;
    v_operation jsonb;
begin
    for v_step in select * from jsonb_array_elements(coalesce(p_work -> 'steps', '[]')) loop
        perform complete_processing_step(
            p_job_id, (v_step ->> 'timelineId')::uuid, (v_step ->> 'success')::boolean,
            coalesce((v_step ->> 'endedAt')::timestamptz, p_now), (v_step ->> 'progress')::numeric,
            coalesce(v_step -> 'details', '{}'), (v_step ->> 'cpuUsage')::numeric, (v_step ->> 'memoryUsage')::bigint);
    end loop;
    for v_operation in select * from jsonb_array_elements(coalesce(p_work -> 'operations', '[]')) loop
        perform log_storage_operation(v_operation || jsonb_build_object('jobId', p_job_id), p_now);
    end loop;
end
$$;
comment on function record_work is 'What a worker did for a job: steps that ended, and what was moved. Told twice, it is kept once.';

-- What composed jobs are made of.

create function add_job_element(p jsonb, p_now timestamptz) returns uuid language plpgsql set search_path = public, pg_temp as $$
declare
    v_id uuid := coalesce((p ->> 'elementId')::uuid, uuid_at(p_now));
begin
    insert into elements (element_id, job_id, type, source_url, content, track, element_order, start_s, duration_s,
                          x_position, y_position, width, height, fit_mode, volume, created_at, updated_at)
    select v_id, j.job_id, p ->> 'type', p ->> 'sourceUrl', p ->> 'content', coalesce((p ->> 'track')::integer, 0),
           (p ->> 'elementOrder')::integer, coalesce((p ->> 'start')::numeric, 0), (p ->> 'duration')::numeric,
           coalesce(p ->> 'xPosition', '0'), coalesce(p ->> 'yPosition', '0'), p ->> 'width', p ->> 'height',
           coalesce(p ->> 'fitMode', 'contain'), (p ->> 'volume')::numeric, p_now, p_now
    from jobs j
    where j.job_id = (p ->> 'jobId')::uuid and j.kind = 'composition' and not status_is_final(j.status)
    on conflict (element_id) do nothing;
    return case when found or exists (
        select from elements where element_id = v_id and job_id = (p ->> 'jobId')::uuid) then v_id end;
end
$$;
comment on function add_job_element is 'Adds an element to a composed job that has not ended, once for each elementId; null if there is none such.';

create function update_element_status(p jsonb, p_now timestamptz) returns boolean language plpgsql set search_path = public, pg_temp as $$
begin
    update elements set
        downloaded = coalesce((p ->> 'downloaded')::boolean, downloaded),
        processed = coalesce((p ->> 'processed')::boolean, processed),
        local_path = coalesce(p ->> 'localPath', local_path),
        source_size = coalesce((p ->> 'sourceSize')::bigint, source_size),
        error_message = coalesce(left(p ->> 'errorMessage', 2000), error_message),
        updated_at = greatest(p_now, updated_at)
    where element_id = (p ->> 'elementId')::uuid;
    return found;
end
$$;
comment on function update_element_status is 'How far an element has come; false if there is none such.';

-- Transitions.

create function transition_result(p_outcome text, p_changed boolean, p_job jobs, p_outbox jsonb default '[]')
    returns jsonb language sql stable
    return jsonb_build_object('outcome', p_outcome, 'changed', p_changed,
                              'job', case when p_job.job_id is null then null else job_snapshot(p_job) end,
                              'outbox', p_outbox);
comment on function transition_result is 'The answer that every transition function gives.';

create function save_transition(p_job jobs, p_event text, p_now timestamptz, p_details jsonb default '{}')
    returns jobs language plpgsql set search_path = public, pg_temp as $$
declare
    saved jobs;
begin
    update jobs set
        status = p_job.status, step = p_job.step, version = p_job.version + 1, attempt = p_job.attempt,
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
comment on function save_transition is 'Writes the changed job as its next version, with its line in the history; a job that has ended has no open steps.';

create function emit(p_job jobs, p_topic text, p_payload jsonb, p_now timestamptz, p_delay_s numeric default 0)
    returns jsonb language sql set search_path = public, pg_temp as $$
    insert into outbox (topic, job_id, user_id, payload, available_at, leased_until, created_at)
    values (p_topic, p_job.job_id, p_job.user_id, p_payload, p_now + make_interval(secs => p_delay_s::double precision),
            p_now + interval '60 seconds', p_now)
    returning jsonb_build_array(jsonb_build_object(
        'id', outbox_id, 'topic', topic, 'group', user_id, 'payload', payload, 'delay', p_delay_s));
$$;
comment on function emit is 'Puts a message into the outbox; its sender has 60 s before the sweep sends it instead.';

create function emit_check(p_job jobs, p_now timestamptz, p_delay_s numeric default 0)
    returns jsonb language sql set search_path = public, pg_temp as $$
    select emit(p_job, 'advance', jsonb_build_object('kind', 'check', 'jobId', p_job.job_id), p_now, p_delay_s);
$$;
comment on function emit_check is 'Asks a worker to look at the job and do what is due.';

create function record_answer(p_job_id uuid, p_answer jsonb) returns void language sql set search_path = public, pg_temp as $$
    update idempotency_keys
    set status_code = (p_answer ->> 'statusCode')::integer, response = p_answer -> 'body'
    where job_id = p_job_id and response is null and p_answer is not null;
$$;
comment on function record_answer is 'Keeps the first answer to the creating request, for replays of its Idempotency-Key.';

create function insert_outputs(p_job_id uuid, p_outputs jsonb, p_now timestamptz) returns void language sql set search_path = public, pg_temp as $$
    insert into outputs (job_id, output_index, output_id, object_key, content_type, size_bytes, sha256, width, height,
                         duration_s, thumbnail_key, created_at)
    select p_job_id, o.index, coalesce(o."outputId", uuid_at(p_now)), o.key, o."contentType", o."fileSize", o.sha256,
           o.width, o.height, o.duration, o."thumbnailKey", p_now
    from jsonb_to_recordset(p_outputs) as o(
        index integer, "outputId" uuid, key text, "contentType" text, "fileSize" bigint, sha256 text, width integer,
        height integer, duration numeric, "thumbnailKey" text);
$$;
comment on function insert_outputs is 'What was stored of a job.';

create function create_job(p jsonb, p_now timestamptz) returns jsonb language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
    k idempotency_keys;
    v_attempt jsonb := p -> 'attempt';
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
                return transition_result('created', false, j);  -- this very call, sent again after a lost answer
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
    insert into jobs (job_id, short_id, kind, user_id, guest_token, client_ip, user_agent, media_type, model_id, provider,
                      parameters, request_ref, output_format, width, height, estimated_duration_s, response_type,
                      status, step, estimated_time_s, estimated_cost, warnings, created_at, updated_at, deadline_at, due_at)
    values ((p ->> 'jobId')::uuid, p ->> 'shortId', case when v_attempt is null then 'composition' else 'generation' end,
            p ->> 'userId', p ->> 'guestToken', (p ->> 'clientIp')::inet, left(p ->> 'userAgent', 500),
            p ->> 'mediaType', p ->> 'modelId', p ->> 'provider', p -> 'parameters', p ->> 'requestRef',
            p ->> 'outputFormat', (p ->> 'width')::integer, (p ->> 'height')::integer,
            (p ->> 'estimatedDuration')::numeric, coalesce(p ->> 'responseType', 'async'), 'pending', 'queued',
            (p ->> 'estimatedTime')::numeric, (p ->> 'estimatedCost')::numeric, coalesce(p -> 'warnings', '[]'),
            date_trunc('milliseconds', p_now), p_now, (p ->> 'deadlineAt')::timestamptz,
            coalesce((v_attempt ->> 'leaseUntil')::timestamptz, (p ->> 'deadlineAt')::timestamptz))
    on conflict (job_id) do nothing
    returning * into j;
    if not found then
        select * into j from jobs where job_id = (p ->> 'jobId')::uuid;
        if j.job_id is null then
            raise exception 'the job id % is taken', p ->> 'jobId' using errcode = 'unique_violation';
        end if;
        return transition_result('created', false, j);  -- this very call, sent again after a lost answer
    end if;
    insert into job_transitions (job_id, version, attempt, status, step, event, at)
    values (j.job_id, j.version, 1, j.status, j.step, 'created', p_now);
    if v_attempt is not null then
        insert into attempts (job_id, attempt, state, provider, model_ref, input, credential_version, lease_until, created_at)
        values (j.job_id, 1, 'submitting', j.provider, v_attempt ->> 'modelRef', v_attempt -> 'input',
                v_attempt ->> 'credentialVersion', (v_attempt ->> 'leaseUntil')::timestamptz, p_now);
        perform start_processing_step(j.job_id, 'submitting', 0, p_now);
    end if;
    for v_element in select * from jsonb_array_elements(coalesce(p -> 'elements', '[]')) loop
        if add_job_element(v_element || jsonb_build_object('jobId', j.job_id), p_now) is null then
            raise exception 'the element id % is taken', v_element ->> 'elementId' using errcode = 'unique_violation';
        end if;
    end loop;
    perform ring('vsl_jobs', j.job_id);
    return transition_result('created', true, j);
end
$$;
comment on function create_job is 'The job, attempt 1 under a lease (or the elements of a composed job) and the idempotency key; or what that key already stands for.';

create function record_submitted(
    p_job_id uuid, p_attempt integer, p_provider_job_id text, p_now timestamptz, p_due_at timestamptz,
    p_answer jsonb default null, p_poll_after_s numeric default null, p_usage jsonb default null
) returns jsonb language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
    a attempts;
    messages jsonb := '[]';
begin
    select * into j from jobs where job_id = p_job_id for update;
    if not found then
        return transition_result('unknown_job', false, null);
    end if;
    select * into strict a from attempts where job_id = p_job_id and attempt = p_attempt;
    perform record_answer(p_job_id, p_answer);
    if a.provider_job_id is not null then
        -- A webhook claimed the attempt before our answer arrived, or this is a repetition.
        if a.provider_job_id = p_provider_job_id then
            return transition_result('known', false, j);
        end if;
        return transition_result('conflict', false, j, emit(j, 'advance', jsonb_build_object(
            'kind', 'cancel_remote', 'jobId', j.job_id, 'attempt', p_attempt, 'providerJobId', p_provider_job_id), p_now));
    end if;
    begin
        update attempts set
            provider_job_id = p_provider_job_id, submitted_at = p_now,
            lease_until = case when state = 'submitting' and status_is_final(j.status) then lease_until end, retry_at = null,
            state = case when state in ('queued', 'submitting', 'unknown') and not status_is_final(j.status)
                         then 'submitted' else state end
        where job_id = p_job_id and attempt = p_attempt;
    exception when unique_violation then
        return transition_result('taken', false, j);  -- the index sees the attempts of other users, too
    end;
    perform end_step(p_job_id, p_attempt, 'submitting', true, p_now,
                     jsonb_build_object('providerJobId', p_provider_job_id), p_usage);
    if status_is_final(j.status) then
        return transition_result('final', false, j, emit(j, 'advance', jsonb_build_object(
            'kind', 'cancel_remote', 'jobId', j.job_id, 'attempt', p_attempt, 'providerJobId', p_provider_job_id), p_now));
    end if;
    if p_attempt <> j.attempt then
        return transition_result('old_attempt', false, j);
    end if;
    j.provider_job_id := p_provider_job_id;
    j.submitted_at := p_now;
    j.due_at := p_due_at;
    if step_rank(j.step) < step_rank('submitted') then
        j.step := 'submitted';
    end if;
    j := save_transition(j, 'submitted', p_now, jsonb_build_object('providerJobId', p_provider_job_id));
    perform start_processing_step(p_job_id, 'generating', 1, p_now, p_attempt => p_attempt);
    if j.cancel_requested then
        messages := messages || emit_check(j, p_now);
    elsif p_poll_after_s is not null then
        messages := messages || emit(j, 'advance', jsonb_build_object(
            'kind', 'check', 'jobId', j.job_id, 'pollSeq', j.poll_seq), p_now, p_poll_after_s);
    end if;
    return transition_result('submitted', true, j, messages);
end
$$;
comment on function record_submitted is 'The provider accepted the attempt; legal in any state of the job.';

create function defer_submit(
    p_job_id uuid, p_attempt integer, p_retry_at timestamptz, p_reason text, p_now timestamptz, p_answer jsonb default null,
    p_usage jsonb default null
) returns jsonb language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
    v_look_at timestamptz;
begin
    select * into j from jobs where job_id = p_job_id for update;
    if not found then
        return transition_result('unknown_job', false, null);
    end if;
    perform record_answer(p_job_id, p_answer);
    update attempts set state = 'queued', lease_until = null, retry_at = p_retry_at, failure_message = p_reason
    where job_id = p_job_id and attempt = p_attempt and state in ('submitting', 'unknown') and provider_job_id is null;
    if not found or status_is_final(j.status) then
        return transition_result('unchanged', false, j);
    end if;
    perform end_step(p_job_id, p_attempt, 'submitting', false, p_now, jsonb_build_object('reason', p_reason), p_usage);
    if j.cancel_requested then
        perform end_attempt(j, 'canceled', null, null, p_now);
        j.status := 'canceled';
        j := save_transition(j, 'canceled', p_now);
        return transition_result('canceled', true, j);
    end if;
    v_look_at := least(p_retry_at, greatest(j.deadline_at, p_now));  -- a provider may ask for a day
    j.due_at := v_look_at + interval '60 seconds';
    j := save_transition(j, 'submit_deferred', p_now, jsonb_build_object('reason', p_reason, 'retryAt', wire_time(p_retry_at)));
    return transition_result('deferred', true, j,
        emit_check(j, p_now, greatest(0, ceil(extract(epoch from v_look_at - p_now)))::numeric));
end
$$;
comment on function defer_submit is 'The provider did not take the attempt yet (429, an outage): a worker submits it later, unless it was to be canceled.';

create function claim_attempt(p_job_id uuid, p_attempt integer, p_lease_until timestamptz, p_now timestamptz)
    returns jsonb language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
begin
    select * into j from jobs where job_id = p_job_id for update;
    if not found then
        return transition_result('unknown_job', false, null);
    end if;
    if status_is_final(j.status) or j.cancel_requested or j.attempt <> p_attempt then
        return transition_result('not_claimed', false, j);
    end if;
    update attempts set state = 'submitting', lease_until = p_lease_until, retry_at = null, submits = submits + 1
    where job_id = p_job_id and attempt = p_attempt and state = 'queued';
    if not found then
        return transition_result('not_claimed', false, j);
    end if;
    j.due_at := p_lease_until;
    if step_rank(j.step) < step_rank('submitting') then
        j.step := 'submitting';
    end if;
    j := save_transition(j, 'submitting', p_now);
    perform start_processing_step(p_job_id, 'submitting', 0, p_now, p_attempt => p_attempt);
    return transition_result('claimed', true, j);
end
$$;
comment on function claim_attempt is 'Compare-and-set queued to submitting: whoever wins may send, and nobody else.';

create function mark_submit_unknown(
    p_job_id uuid, p_attempt integer, p_due_at timestamptz, p_now timestamptz, p_answer jsonb default null,
    p_usage jsonb default null
) returns jsonb language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
begin
    select * into j from jobs where job_id = p_job_id for update;
    if not found then
        return transition_result('unknown_job', false, null);
    end if;
    perform record_answer(p_job_id, p_answer);
    update attempts set state = 'unknown', lease_until = null
    where job_id = p_job_id and attempt = p_attempt and state = 'submitting' and provider_job_id is null;
    if not found or status_is_final(j.status) then
        return transition_result('unchanged', false, j);
    end if;
    j.due_at := p_due_at;
    if step_rank(j.step) < step_rank('submitting') then
        j.step := 'submitting';
    end if;
    perform end_step(p_job_id, p_attempt, 'submitting', false, p_now, '{"reason": "nobody answered"}', p_usage);
    j := save_transition(j, 'submit_unknown', p_now);
    return transition_result('unknown', true, j,
        emit_check(j, p_now, greatest(0, ceil(extract(epoch from p_due_at - p_now)))::numeric));
end
$$;
comment on function mark_submit_unknown is 'It was sent and nobody answered: it is not sent again, but claimed or expired.';

create function end_attempt(p_job jobs, p_state text, p_kind text, p_message text, p_now timestamptz)
    returns void language sql set search_path = public, pg_temp as $$
    update attempts set state = p_state, lease_until = null, retry_at = null, ended_at = p_now,
           failure_kind = p_kind, failure_message = left(p_message, 2000)
    where job_id = p_job.job_id and attempt = p_job.attempt
      and state not in ('succeeded', 'failed', 'canceled', 'refused');
$$;
comment on function end_attempt is 'Ends the job''s current attempt unless it has ended.';

create function fail_job(
    p_job_id uuid, p_code text, p_message text, p_retryable boolean, p_now timestamptz,
    p_attempt_state text default 'failed', p_answer jsonb default null, p_usage jsonb default null
) returns jsonb language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
    a attempts;
    messages jsonb := '[]';
begin
    select * into j from jobs where job_id = p_job_id for update;
    if not found then
        return transition_result('unknown_job', false, null);
    end if;
    perform record_answer(p_job_id, p_answer);
    if status_is_final(j.status) then
        return transition_result('final', false, j);
    end if;
    select * into a from attempts where job_id = j.job_id and attempt = j.attempt;
    if a.state in ('submitted', 'running') then
        -- The provider may still be working for a job that nobody waits for.
        messages := emit(j, 'advance', jsonb_build_object(
            'kind', 'cancel_remote', 'jobId', j.job_id, 'attempt', j.attempt, 'providerJobId', a.provider_job_id), p_now);
    end if;
    if a.state <> 'unknown' then
        perform end_attempt(j, p_attempt_state, p_code, p_message, p_now);
    end if;
    perform end_step(j.job_id, j.attempt, 'submitting', false, p_now, jsonb_build_object('code', p_code), p_usage);
    j.status := 'failed';
    j.error_code := p_code;
    j.error_message := p_message;
    j.error_retryable := p_retryable;
    j := save_transition(j, 'failed', p_now, jsonb_build_object('code', p_code));
    return transition_result('failed', true, j, messages);
end
$$;
comment on function fail_job is 'The job fails with a reason. An attempt that nobody answered stays unknown, so that a late claim is seen.';

create function request_cancel(p_job_id uuid, p_user_id text, p_now timestamptz) returns jsonb language plpgsql set search_path = public, pg_temp as $$
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
comment on function request_cancel is 'Cancels what was not submitted; otherwise notes the wish, asks the provider, and lets the evidence decide.';

create function end_generating(p_job jobs, p_attempt attempts, p_success boolean, p_now timestamptz, p_details jsonb)
    returns void language plpgsql set search_path = public, pg_temp as $$
begin
    if not exists (select from processing_timeline
                   where job_id = p_job.job_id and attempt = p_attempt.attempt and step = 'generating') then
        -- The first word of the provider was its last: it began when it took the attempt.
        perform start_processing_step(p_job.job_id, 'generating', 1, coalesce(p_attempt.submitted_at, p_now),
                                      p_attempt => p_attempt.attempt);
    end if;
    perform end_step(p_job.job_id, p_attempt.attempt, 'generating', p_success, p_now, p_details);
end
$$;
comment on function end_generating is 'The provider has done with an attempt.';

create function apply_update(p jsonb, p_now timestamptz) returns jsonb language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
    a attempts;
    v_status text := p ->> 'status';
    v_remote text := p ->> 'providerJobId';
    v_kind text;
    v_claimed boolean := false;
begin
    select * into j from jobs where job_id = (p ->> 'jobId')::uuid for update;
    if not found then
        return transition_result('unknown_job', false, null);
    end if;
    select * into a from attempts where job_id = j.job_id and attempt = (p ->> 'attempt')::integer;
    if not found then
        return transition_result('unknown_attempt', false, j);
    end if;
    if a.provider_job_id is distinct from v_remote and a.provider_job_id is not null then
        return transition_result('other_prediction', false, j);
    end if;
    if a.provider_job_id is null then
        if a.state in ('failed', 'canceled', 'refused') and not status_is_final(j.status) then
            return transition_result('attempt_ended', false, j);
        end if;
        if exists (select from attempts where provider = a.provider and provider_job_id = v_remote) then
            return transition_result('other_prediction', false, j);
        end if;
        -- The first word about an attempt whose submit was never answered claims it.
        update attempts set provider_job_id = v_remote, submitted_at = coalesce(submitted_at, p_now)
        where job_id = a.job_id and attempt = a.attempt returning * into a;
        v_claimed := true;
        if not status_is_final(j.status) and a.attempt = j.attempt then
            j.provider_job_id := v_remote;
            j.submitted_at := coalesce(j.submitted_at, p_now);
        end if;
    end if;
    if status_is_final(j.status) or a.attempt <> j.attempt then
        if a.state not in ('succeeded', 'failed', 'canceled', 'refused') and v_status in ('succeeded', 'failed', 'canceled') then
            update attempts set state = v_status, lease_until = null, retry_at = null, ended_at = p_now,
                   billed_seconds = (p ->> 'billedSeconds')::numeric
            where job_id = a.job_id and attempt = a.attempt;
        elsif v_status in ('queued', 'running')
            and (v_claimed or a.state not in ('succeeded', 'failed', 'canceled', 'refused')) then
            return transition_result('final', false, j, emit(j, 'advance', jsonb_build_object(
                'kind', 'cancel_remote', 'jobId', j.job_id, 'attempt', a.attempt, 'providerJobId', v_remote), p_now));
        end if;
        return transition_result('final', false, j);
    end if;
    if j.step = 'storing' then
        return transition_result('unchanged', false, j);
    end if;
    j.due_at := greatest(j.due_at, coalesce((p ->> 'dueAt')::timestamptz, j.due_at));
    case v_status
    when 'queued', 'unknown' then
        return apply_progress(j, a, 'submitted', 'submitted', p_now);
    when 'running' then
        return apply_progress(j, a, 'running', 'generating', p_now);
    when 'succeeded' then
        update attempts set state = 'succeeded', lease_until = null, retry_at = null, ended_at = p_now,
               outputs = p -> 'outputs', billed_seconds = (p ->> 'billedSeconds')::numeric
        where job_id = j.job_id and attempt = j.attempt;
        j.status := 'processing';
        j.step := 'storing';
        j.started_at := coalesce(j.started_at, p_now);
        perform end_step(j.job_id, j.attempt, 'submitting', true, p_now);
        perform end_generating(j, a, true, p_now, jsonb_build_object('billedSeconds', p -> 'billedSeconds'));
        j.storing_deadline_at := (p ->> 'storingDeadlineAt')::timestamptz;
        j.due_at := (p ->> 'storingDueAt')::timestamptz;
        j := save_transition(j, 'generated', p_now, jsonb_build_object('source', p ->> 'source'));
        return transition_result('storing', true, j,
            emit(j, 'store', jsonb_build_object('kind', 'store', 'jobId', j.job_id), p_now));
    when 'failed', 'canceled' then
        v_kind := p #>> '{failure,kind}';
        update attempts set billed_seconds = (p ->> 'billedSeconds')::numeric where job_id = j.job_id and attempt = j.attempt;
        perform end_attempt(j, v_status, v_kind, p #>> '{failure,message}', p_now);
        perform end_step(j.job_id, j.attempt, 'submitting', true, p_now);
        perform end_generating(j, a, false, p_now, jsonb_build_object('status', v_status, 'kind', v_kind));
        if v_status = 'canceled' and j.cancel_requested then
            j.status := 'canceled';
        elsif v_status = 'canceled' and p_now >= j.deadline_at - interval '5 seconds' then
            j.status := 'failed';
            j.error_code := 'deadline_exceeded';
            j.error_message := 'The provider did not finish before the job''s deadline.';
            j.error_retryable := true;
        else
            j.status := 'failed';
            j.error_code := coalesce(v_kind, 'provider_unknown_error');
            j.error_message := coalesce(p #>> '{failure,message}', 'The provider gave no reason.');
            j.error_retryable := coalesce((p #>> '{failure,retryable}')::boolean, false);
        end if;
        j := save_transition(j, j.status, p_now, jsonb_build_object('source', p ->> 'source'));
        return transition_result(j.status, true, j);
    else
        raise exception 'no such remote status: %', v_status using errcode = 'invalid_parameter_value';
    end case;
end
$$;
comment on function apply_update is 'The one mouth: an answer, a webhook or a poll about an attempt, applied by the same rules.';

create function apply_progress(p_job jobs, p_attempt attempts, p_state text, p_step text, p_now timestamptz)
    returns jsonb language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs := p_job;
    before jobs;
begin
    select * into strict before from jobs where job_id = p_job.job_id;
    if not (p_state = 'submitted' and p_attempt.state = 'running') then
        update attempts set state = p_state, lease_until = null, retry_at = null
        where job_id = j.job_id and attempt = j.attempt and state <> p_state;
    end if;
    if step_rank(j.step) < step_rank(p_step) then
        j.step := p_step;
        if p_step = 'generating' then
            j.status := 'processing';
            j.started_at := coalesce(j.started_at, p_now);
        end if;
    end if;
    if j.step = before.step and j.provider_job_id is not distinct from before.provider_job_id then
        update jobs set due_at = j.due_at where job_id = j.job_id;
        return transition_result('unchanged', false, j);
    end if;
    j := save_transition(j, case when j.step = before.step then 'claimed' else p_step end, p_now);
    perform end_step(j.job_id, j.attempt, 'submitting', true, p_now);
    if not exists (select from processing_timeline
                   where job_id = j.job_id and attempt = j.attempt and step = 'generating') then
        perform start_processing_step(j.job_id, 'generating', 1, p_now);
    end if;
    return transition_result(p_step, true, j, case when j.cancel_requested then emit_check(j, p_now) else '[]' end);
end
$$;
comment on function apply_progress is 'The provider has the attempt in its queue or runs it; repeated news changes nothing.';

create function begin_check(p_job_id uuid, p_poll_seq integer, p_now timestamptz, p_due_at timestamptz)
    returns jsonb language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
    a attempts;
begin
    select * into j from jobs where job_id = p_job_id for update;
    if not found then
        return transition_result('unknown_job', false, null);
    end if;
    if status_is_final(j.status) then
        return transition_result('final', false, j);
    end if;
    if p_poll_seq is not null and p_poll_seq <> j.poll_seq then
        return transition_result('stale_poll', false, j);
    end if;
    if j.kind = 'composition' then
        if p_now < j.deadline_at then
            update jobs set due_at = j.deadline_at where job_id = p_job_id;
            return transition_result('not_due', false, j);
        end if;
        j.status := 'failed';
        j.error_code := 'deadline_exceeded';
        j.error_message := 'The job was not finished before its deadline.';
        j.error_retryable := true;
        j := save_transition(j, 'failed', p_now, jsonb_build_object('code', j.error_code));
        return transition_result('failed', true, j);
    end if;
    update jobs set poll_seq = poll_seq + 1, due_at = greatest(due_at, p_due_at) where job_id = p_job_id returning * into j;
    select * into strict a from attempts where job_id = j.job_id and attempt = j.attempt;
    return transition_result('work', false, j) || jsonb_build_object('work', jsonb_build_object(
        'pollSeq', j.poll_seq, 'requestRef', j.request_ref, 'deadlineAt', wire_time(j.deadline_at),
        'storingDeadlineAt', wire_time(j.storing_deadline_at),
        'attempt', jsonb_build_object(
            'attempt', a.attempt, 'state', a.state, 'provider', a.provider, 'modelRef', a.model_ref, 'input', a.input,
            'credentialVersion', a.credential_version, 'providerJobId', a.provider_job_id, 'submits', a.submits,
            'leaseUntil', wire_time(a.lease_until), 'retryAt', wire_time(a.retry_at), 'createdAt', wire_time(a.created_at))));
end
$$;
comment on function begin_check is 'Takes the turn to look at a job (compare-and-set on poll_seq) and tells all that decides what is due.';

create function emit_next_check(p_job_id uuid, p_topic text, p_poll_seq integer, p_delay_s numeric, p_now timestamptz)
    returns jsonb language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
begin
    select * into j from jobs where job_id = p_job_id and not status_is_final(status) for update;
    if not found then
        return transition_result('final', false, null);
    end if;
    if p_topic = 'store' then
        return transition_result('emitted', false, j, emit(j, 'store', jsonb_build_object(
            'kind', 'store', 'jobId', j.job_id), p_now, p_delay_s));
    end if;
    update jobs set due_at = greatest(due_at, p_now + make_interval(secs => p_delay_s + 60)) where job_id = p_job_id;
    return transition_result('emitted', false, j, emit(j, 'advance', jsonb_strip_nulls(jsonb_build_object(
        'kind', 'check', 'jobId', j.job_id, 'pollSeq', p_poll_seq)), p_now, p_delay_s));
end
$$;
comment on function emit_next_check is 'Schedules the next look at a job, or its storing again.';

create function set_due(p_job_id uuid, p_due_at timestamptz) returns void language sql set search_path = public, pg_temp as $$
    update jobs set due_at = p_due_at where job_id = p_job_id and not status_is_final(status);
$$;
comment on function set_due is 'When the sweep looks at the job if nothing else happens.';

create function begin_storing(p_job_id uuid, p_now timestamptz, p_due_at timestamptz) returns jsonb language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
    a attempts;
begin
    update jobs set due_at = p_due_at
    where job_id = p_job_id and kind = 'generation' and status = 'processing' and step = 'storing'
    returning * into j;
    if not found then
        select * into j from jobs where job_id = p_job_id;
        return transition_result(case when found then 'not_storing' else 'unknown_job' end, false, j);
    end if;
    select * into strict a from attempts where job_id = j.job_id and attempt = j.attempt;
    return transition_result('storing', false, j) || jsonb_build_object('work', jsonb_build_object(
        'outputs', coalesce(a.outputs, '[]'), 'storingDeadlineAt', wire_time(j.storing_deadline_at),
        'attempt', a.attempt, 'provider', a.provider, 'providerJobId', a.provider_job_id,
        'steps', jsonb_build_object(
            'downloading', start_processing_step(j.job_id, 'downloading', 2, p_now),
            'uploading', start_processing_step(j.job_id, 'uploading', 3, p_now))));
end
$$;
comment on function begin_storing is 'What is to be stored, a new due time while the worker is at it, and the two steps that it begins.';

create function complete_job(p_job_id uuid, p_outputs jsonb, p_now timestamptz, p_work jsonb default '{}')
    returns jsonb language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
begin
    select * into j from jobs where job_id = p_job_id for update;
    if not found then
        return transition_result('unknown_job', false, null);
    end if;
    perform record_work(p_job_id, p_work, p_now);
    if status_is_final(j.status) or j.step <> 'storing' then
        return transition_result(case when status_is_final(j.status) then 'final' else 'not_storing' end, false, j);
    end if;
    perform insert_outputs(p_job_id, p_outputs, p_now);
    j.status := 'completed';
    j := save_transition(j, 'completed', p_now, jsonb_build_object('outputs', jsonb_array_length(p_outputs)));
    return transition_result('completed', true, j);
end
$$;
comment on function complete_job is 'All outputs are stored: the job is complete.';

create function greatest_step(p_step text, p_other text) returns text
    language sql immutable strict parallel safe
    return case when step_rank(p_step) >= step_rank(p_other) then p_step else p_other end;
comment on function greatest_step is 'The later of two steps.';

create function update_job_status(p jsonb, p_now timestamptz) returns jsonb language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
    v_status text := p ->> 'status';
    v_step text;
begin
    select * into j from jobs where job_id = (p ->> 'jobId')::uuid for update;
    if not found then
        return transition_result('unknown_job', false, null);
    end if;
    v_step := case when status_is_final(v_status) then j.step
                   else coalesce(p ->> 'step', case v_status when 'processing' then greatest_step(j.step, 'generating') end, j.step) end;
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
    j := save_transition(j, coalesce(p ->> 'event', case when status_is_final(v_status) then v_status else v_step end), p_now,
                         coalesce(p -> 'details', '{}'));
    return transition_result(case when status_is_final(v_status) then v_status else v_step end, true, j);
end
$$;
comment on function update_job_status is 'Moves a composed job along the transition table, with its line in the history; completing brings its outputs.';

create function take_due_jobs(p_now timestamptz, p_limit integer, p_lease_until timestamptz)
    returns table (job_id uuid, user_id text) language sql set search_path = public, pg_temp as $$
    update jobs set due_at = p_lease_until
    where jobs.job_id in (
        select d.job_id from jobs d where d.due_at <= p_now order by d.due_at limit p_limit for update skip locked)
    returning jobs.job_id, jobs.user_id;
$$;
comment on function take_due_jobs is 'Leases the jobs that are due to one sweep; two sweeps never take the same.';

create function take_outbox(p_now timestamptz, p_limit integer, p_lease_until timestamptz) returns jsonb language sql set search_path = public, pg_temp as $$
    with taken as (
        update outbox set leased_until = p_lease_until
        where outbox_id in (
            select o.outbox_id from outbox o where o.leased_until <= p_now
            order by o.leased_until limit p_limit for update skip locked)
        returning outbox_id, topic, user_id, payload, available_at
    )
    select coalesce(jsonb_agg(jsonb_build_object(
        'id', outbox_id, 'topic', topic, 'group', user_id, 'payload', payload,
        'delay', greatest(0, ceil(extract(epoch from available_at - p_now))))), '[]') from taken;
$$;
comment on function take_outbox is 'Leases messages that their sender left behind.';

create function forget_sent(p_ids bigint[]) returns void language sql set search_path = public, pg_temp as $$
    delete from outbox where outbox_id = any(p_ids);
$$;
comment on function forget_sent is 'These messages were sent.';

create function find_job(p_job_id uuid) returns jsonb language sql stable
    return (select job_snapshot(j) from jobs j where j.job_id = p_job_id);
comment on function find_job is 'The snapshot of a job, or null.';

create function find_job_by_provider(p_provider text, p_provider_job_id text) returns jsonb language sql stable
    return (select jsonb_build_object('jobId', job_id, 'attempt', attempt) from attempts
            where provider = p_provider and provider_job_id = p_provider_job_id);
comment on function find_job_by_provider is 'Which attempt a provider''s own job id belongs to, or null.';

create function claimed_predictions(p_provider text, p_after timestamptz, p_before timestamptz)
    returns setof text language sql stable set search_path = public, pg_temp as $$
    select provider_job_id from attempts
    where provider = p_provider and created_at between p_after and p_before and provider_job_id is not null;
$$;
comment on function claimed_predictions is 'Predictions that belong to attempts of that time: recover must not take them for another''s.';

-- Logs and care.

create function find_output(p_output_id uuid) returns jsonb language sql stable
    return (select jsonb_build_object('outputId', o.output_id, 'jobId', o.job_id, 'userId', j.user_id, 'index', o.output_index,
                                      'key', o.object_key, 'contentType', o.content_type, 'thumbnailKey', o.thumbnail_key,
                                      'fileSize', o.size_bytes)
            from outputs o join jobs j on j.job_id = o.job_id where o.output_id = p_output_id);
comment on function find_output is 'A stored output and whose it is, or null.';

create function log_url_access(p jsonb) returns boolean language plpgsql set search_path = public, pg_temp as $$
begin
    insert into url_access_logs (access_id, output_id, job_id, user_id, access_type, client_ip, user_agent, request_id,
                                 accessed_at)
    values ((p ->> 'accessId')::uuid, (p ->> 'outputId')::uuid, (p ->> 'jobId')::uuid, p ->> 'userId',
            coalesce(p ->> 'accessType', 'redirect'), (p ->> 'clientIp')::inet, left(p ->> 'userAgent', 500),
            left(p ->> 'requestId', 200), (p ->> 'at')::timestamptz)
    on conflict (access_id) do nothing;
    return found;
end
$$;
comment on function log_url_access is 'Keeps who was given which address, once for each accessId.';

create function log_security_event(p jsonb) returns boolean language plpgsql set search_path = public, pg_temp as $$
begin
    if p ->> 'kind' = 'access_refused' and p ->> 'jobId' is not null and not exists (
        select from jobs where job_id = (p ->> 'jobId')::uuid and user_id <> coalesce(p ->> 'userId', '')) then
        return false;  -- there is no such job: somebody mistyped
    end if;
    insert into security_events (event_id, kind, user_id, job_id, client_ip, user_agent, request_id, details, at)
    values ((p ->> 'eventId')::uuid, p ->> 'kind', left(p ->> 'userId', 200), (p ->> 'jobId')::uuid, (p ->> 'clientIp')::inet,
            left(p ->> 'userAgent', 500), left(p ->> 'requestId', 200), coalesce(p -> 'details', '{}'),
            (p ->> 'at')::timestamptz)
    on conflict (event_id) do nothing;
    return found;
end
$$;
comment on function log_security_event is 'Keeps what somebody was refused, once for each eventId; a job that does not exist cannot be refused.';

create function record_system_metrics(p_now timestamptz, p_more jsonb default '[]') returns integer language plpgsql set search_path = public, pg_temp as $$
declare
    v_count integer;
    -- What has to look at all jobs in flight is measured every few minutes: a sweep must not cost more than what is due.
    v_all constant boolean := not exists (
        select from system_metrics where name = 'database_bytes' and metric_id > uuid_from(p_now - interval '4 minutes'));
begin
    insert into system_metrics (metric_id, name, value, unit, dimensions, measured_at)
    select uuid_at(p_now), name, value, unit, dimensions, p_now
    from (
        select 'jobs_in_flight' as name, count(*)::double precision as value, 'count' as unit,
               jsonb_build_object('status', status, 'step', step) as dimensions
        from jobs where v_all and due_at is not null group by status, step
        union all
        select 'jobs_overdue', count(*), 'count', '{}' from jobs where due_at < p_now
        union all
        select 'oldest_due_seconds', greatest(0, coalesce(extract(epoch from p_now - min(due_at)), 0)), 'seconds', '{}'
        from jobs where due_at is not null
        union all
        select 'jobs_of_the_hour', count(*), 'count', jsonb_build_object('status', status)
        from jobs where v_all and created_at > p_now - interval '1 hour' group by status
        union all
        select 'outbox_unsent', count(*), 'count', '{}' from outbox where leased_until <= p_now
        union all
        select 'database_connections', count(*), 'count', '{}' from pg_stat_activity where datname = current_database()
        union all
        select 'database_bytes', pg_database_size(current_database()), 'bytes', '{}' where v_all
        union all
        select m.name, m.value, m.unit, coalesce(m.dimensions, '{}')
        from jsonb_to_recordset(p_more) as m(name text, value double precision, unit text, dimensions jsonb)
    ) as measured;
    get diagnostics v_count = row_count;
    return v_count;
end
$$;
comment on function record_system_metrics is 'Measures the gateway and keeps the figures, with those that the caller brings; how many they were.';

create function remove_expired(p_what text, p_before timestamptz, p_limit integer) returns integer language plpgsql set search_path = public, pg_temp as $$
declare
    v_before constant uuid := uuid_from(p_before);
    v_count integer;
begin
    case p_what
    when 'processing_timeline' then
        delete from processing_timeline d using (
            select job_id, timeline_id from processing_timeline where job_id < v_before and ended_at is not null
            order by job_id, timeline_id limit p_limit for update skip locked) x
        where d.job_id = x.job_id and d.timeline_id = x.timeline_id;
    when 'job_transitions' then
        delete from job_transitions d using (
            select t.job_id, t.version from job_transitions t where t.job_id < v_before
            order by t.job_id, t.version limit p_limit) x
        where d.job_id = x.job_id and d.version = x.version;
    when 'storage_operations' then
        delete from storage_operations d using (
            select job_id, operation_id from storage_operations where job_id < v_before
            order by job_id, operation_id limit p_limit) x
        where d.job_id = x.job_id and d.operation_id = x.operation_id;
    when 'url_access_logs' then
        delete from url_access_logs where access_id in (
            select access_id from url_access_logs where access_id < v_before order by access_id limit p_limit);
    when 'system_metrics' then
        delete from system_metrics where metric_id in (
            select metric_id from system_metrics where metric_id < v_before order by metric_id limit p_limit);
    when 'security_events' then
        delete from security_events where event_id in (
            select event_id from security_events where event_id < v_before order by event_id limit p_limit);
    when 'idempotency_keys' then
        delete from idempotency_keys where (user_id, key) in (
            select user_id, key from idempotency_keys where expires_at <= p_before
            order by expires_at limit p_limit for update skip locked);
    when 'jobs' then
        delete from jobs where job_id in (
            select job_id from jobs where job_id < v_before and completed_at < p_before
            order by job_id limit p_limit for update skip locked);
    else
        raise exception 'nothing expires that is called %', p_what using errcode = 'invalid_parameter_value';
    end case;
    get diagnostics v_count = row_count;
    return v_count;
end
$$;
comment on function remove_expired is
    'Removes up to p_limit rows that are older than p_before, oldest first, and says how many. What belongs to a job is as old as the job; a job goes with all that belongs to it.';

create function check_write() returns boolean language sql set search_path = public, pg_temp as $$
    update health_probe set written_at = clock_timestamp() returning true;
$$;
comment on function check_write is 'Whether the database takes writes.';

grant execute on function uuid_from, ring, start_processing_step, complete_processing_step, end_step, end_all_steps,
    log_storage_operation, add_job_element, transition_result, save_transition, emit, emit_check, record_answer,
    insert_outputs, create_job, record_submitted, defer_submit, mark_submit_unknown, end_attempt, fail_job, request_cancel,
    emit_next_check, set_due, forget_sent, find_job, find_output, check_write, update_job_status, greatest_step
    to vsl_api, vsl_worker;
grant execute on function record_work, update_element_status, claim_attempt, end_generating, apply_update, apply_progress,
    begin_check, begin_storing, complete_job, take_due_jobs, take_outbox, find_job_by_provider, claimed_predictions,
    log_url_access, log_security_event, record_system_metrics, remove_expired
    to vsl_worker;
