-- One function for each transition: the job, its attempt, its timeline and the outbox change together, in one
-- round trip. Each locks the job first. A call repeated with the same evidence changes nothing. All answer
--   {"outcome": text, "changed": boolean, "job": job_snapshot, "outbox": [{"id", "topic", "group", "payload", "delay"}]}
-- p_now is the caller's clock; the database's own clock decides nothing. jobs.created_at has whole milliseconds, as on
-- the wire: a cursor of a list is made of it.

create function transition_result(p_outcome text, p_changed boolean, p_job jobs, p_outbox jsonb default '[]')
    returns jsonb language sql stable
    return jsonb_build_object('outcome', p_outcome, 'changed', p_changed,
                              'job', case when p_job.job_id is null then null else job_snapshot(p_job) end,
                              'outbox', p_outbox);
comment on function transition_result is 'The answer that every transition function gives.';

create function save_transition(p_job jobs, p_event text, p_now timestamptz, p_details jsonb default '{}')
    returns jobs language plpgsql as $$
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
    insert into processing_timeline (job_id, version, attempt, status, step, event, at, details)
    values (saved.job_id, saved.version, saved.attempt, saved.status, saved.step, p_event, p_now, p_details);
    return saved;
end
$$;
comment on function save_transition is 'Writes the changed job as its next version, with its line in the timeline.';

create function emit(p_job jobs, p_topic text, p_payload jsonb, p_now timestamptz, p_delay_s numeric default 0)
    returns jsonb language sql as $$
    insert into outbox (topic, job_id, user_id, payload, available_at, leased_until, created_at)
    values (p_topic, p_job.job_id, p_job.user_id, p_payload, p_now + make_interval(secs => p_delay_s),
            p_now + interval '60 seconds', p_now)
    returning jsonb_build_array(jsonb_build_object(
        'id', outbox_id, 'topic', topic, 'group', user_id, 'payload', payload, 'delay', p_delay_s));
$$;
comment on function emit is 'Puts a message into the outbox; its sender has 60 s before the sweep sends it instead.';

create function emit_check(p_job jobs, p_now timestamptz, p_delay_s numeric default 0)
    returns jsonb language sql as $$
    select emit(p_job, 'advance', jsonb_build_object('kind', 'check', 'jobId', p_job.job_id), p_now, p_delay_s);
$$;
comment on function emit_check is 'Asks a worker to look at the job and do what is due.';

create function record_answer(p_job_id uuid, p_answer jsonb) returns void language sql as $$
    update idempotency_keys
    set status_code = (p_answer ->> 'statusCode')::integer, response = p_answer -> 'body'
    where job_id = p_job_id and response is null and p_answer is not null;
$$;
comment on function record_answer is 'Keeps the first answer to the creating request, for replays of its Idempotency-Key.';

create function create_job(p jsonb, p_now timestamptz) returns jsonb language plpgsql as $$
declare
    j jobs;
    k idempotency_keys;
    v_attempt jsonb := p -> 'attempt';
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
    insert into jobs (job_id, short_id, user_id, media_type, model_id, provider, parameters, request_ref, status, step,
                      estimated_time_s, estimated_cost, warnings, created_at, updated_at, deadline_at, due_at)
    values ((p ->> 'jobId')::uuid, p ->> 'shortId', p ->> 'userId', p ->> 'mediaType', p ->> 'modelId', p ->> 'provider',
            p -> 'parameters', p ->> 'requestRef', 'pending', 'queued',
            (p ->> 'estimatedTime')::numeric, (p ->> 'estimatedCost')::numeric, coalesce(p -> 'warnings', '[]'),
            date_trunc('milliseconds', p_now), p_now, (p ->> 'deadlineAt')::timestamptz, (v_attempt ->> 'leaseUntil')::timestamptz)
    on conflict (job_id) do nothing
    returning * into j;
    if not found then
        select * into strict j from jobs where job_id = (p ->> 'jobId')::uuid;
        return transition_result('created', false, j);  -- this very call, sent again after a lost answer
    end if;
    insert into attempts (job_id, attempt, state, provider, model_ref, input, credential_version, lease_until, created_at)
    values (j.job_id, 1, 'submitting', j.provider, v_attempt ->> 'modelRef', v_attempt -> 'input',
            v_attempt ->> 'credentialVersion', (v_attempt ->> 'leaseUntil')::timestamptz, p_now);
    insert into processing_timeline (job_id, version, attempt, status, step, event, at)
    values (j.job_id, j.version, 1, j.status, j.step, 'created', p_now);
    return transition_result('created', true, j);
end
$$;
comment on function create_job is 'The job, attempt 1 under a lease and the idempotency key; or what that key already stands for.';

create function record_submitted(
    p_job_id uuid, p_attempt integer, p_provider_job_id text, p_now timestamptz, p_due_at timestamptz,
    p_answer jsonb default null, p_poll_after_s numeric default null
) returns jsonb language plpgsql as $$
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
    if exists (select from attempts where provider = a.provider and provider_job_id = p_provider_job_id) then
        return transition_result('taken', false, j);
    end if;
    update attempts set
        provider_job_id = p_provider_job_id, submitted_at = p_now, lease_until = null, retry_at = null,
        state = case when status_is_final(j.status) then state else 'submitted' end
    where job_id = p_job_id and attempt = p_attempt and state in ('queued', 'submitting', 'unknown');
    if status_is_final(j.status) then
        update attempts set provider_job_id = p_provider_job_id where job_id = p_job_id and attempt = p_attempt;
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
    p_job_id uuid, p_attempt integer, p_retry_at timestamptz, p_reason text, p_now timestamptz, p_answer jsonb default null
) returns jsonb language plpgsql as $$
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
    returns jsonb language plpgsql as $$
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
    return transition_result('claimed', true, j);
end
$$;
comment on function claim_attempt is 'Compare-and-set queued to submitting: whoever wins may send, and nobody else.';

create function mark_submit_unknown(
    p_job_id uuid, p_attempt integer, p_due_at timestamptz, p_now timestamptz, p_answer jsonb default null
) returns jsonb language plpgsql as $$
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
    j := save_transition(j, 'submit_unknown', p_now);
    return transition_result('unknown', true, j,
        emit_check(j, p_now, greatest(0, ceil(extract(epoch from p_due_at - p_now)))::numeric));
end
$$;
comment on function mark_submit_unknown is 'It was sent and nobody answered: it is not sent again, but claimed or expired.';

create function end_attempt(p_job jobs, p_state text, p_kind text, p_message text, p_now timestamptz)
    returns void language sql as $$
    update attempts set state = p_state, lease_until = null, retry_at = null, ended_at = p_now,
           failure_kind = p_kind, failure_message = left(p_message, 2000)
    where job_id = p_job.job_id and attempt = p_job.attempt
      and state not in ('succeeded', 'failed', 'canceled', 'refused');
$$;
comment on function end_attempt is 'Ends the job''s current attempt unless it has ended.';

create function fail_job(
    p_job_id uuid, p_code text, p_message text, p_retryable boolean, p_now timestamptz,
    p_attempt_state text default 'failed', p_answer jsonb default null
) returns jsonb language plpgsql as $$
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
    select * into strict a from attempts where job_id = j.job_id and attempt = j.attempt;
    if a.state in ('submitted', 'running') then
        -- The provider may still be working for a job that nobody waits for.
        messages := emit(j, 'advance', jsonb_build_object(
            'kind', 'cancel_remote', 'jobId', j.job_id, 'attempt', j.attempt, 'providerJobId', a.provider_job_id), p_now);
    end if;
    if a.state <> 'unknown' then
        perform end_attempt(j, p_attempt_state, p_code, p_message, p_now);
    end if;
    j.status := 'failed';
    j.error_code := p_code;
    j.error_message := p_message;
    j.error_retryable := p_retryable;
    j := save_transition(j, 'failed', p_now, jsonb_build_object('code', p_code));
    return transition_result('failed', true, j, messages);
end
$$;
comment on function fail_job is 'The job fails with a reason. An attempt that nobody answered stays unknown, so that a late claim is seen.';

create function request_cancel(p_job_id uuid, p_user_id text, p_now timestamptz) returns jsonb language plpgsql as $$
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
    select * into strict a from attempts where job_id = j.job_id and attempt = j.attempt;
    if a.state = 'queued' then
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

create function apply_update(p jsonb, p_now timestamptz) returns jsonb language plpgsql as $$
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
        j.storing_deadline_at := (p ->> 'storingDeadlineAt')::timestamptz;
        j.due_at := (p ->> 'storingDueAt')::timestamptz;
        j := save_transition(j, 'generated', p_now, jsonb_build_object('source', p ->> 'source'));
        return transition_result('storing', true, j,
            emit(j, 'store', jsonb_build_object('kind', 'store', 'jobId', j.job_id), p_now));
    when 'failed', 'canceled' then
        v_kind := p #>> '{failure,kind}';
        update attempts set billed_seconds = (p ->> 'billedSeconds')::numeric where job_id = j.job_id and attempt = j.attempt;
        perform end_attempt(j, v_status, v_kind, p #>> '{failure,message}', p_now);
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
    returns jsonb language plpgsql as $$
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
    return transition_result(p_step, true, j, case when j.cancel_requested then emit_check(j, p_now) else '[]' end);
end
$$;
comment on function apply_progress is 'The provider has the attempt in its queue or runs it; repeated news changes nothing.';

create function begin_check(p_job_id uuid, p_poll_seq integer, p_now timestamptz, p_due_at timestamptz)
    returns jsonb language plpgsql as $$
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
    returns jsonb language plpgsql as $$
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

create function set_due(p_job_id uuid, p_due_at timestamptz) returns void language sql as $$
    update jobs set due_at = p_due_at where job_id = p_job_id and not status_is_final(status);
$$;
comment on function set_due is 'When the sweep looks at the job if nothing else happens.';

create function begin_storing(p_job_id uuid, p_now timestamptz, p_due_at timestamptz) returns jsonb language plpgsql as $$
declare
    j jobs;
    a attempts;
begin
    update jobs set due_at = p_due_at where job_id = p_job_id and status = 'processing' and step = 'storing'
    returning * into j;
    if not found then
        select * into j from jobs where job_id = p_job_id;
        return transition_result(case when found then 'not_storing' else 'unknown_job' end, false, j);
    end if;
    select * into strict a from attempts where job_id = j.job_id and attempt = j.attempt;
    return transition_result('storing', false, j) || jsonb_build_object('work', jsonb_build_object(
        'outputs', coalesce(a.outputs, '[]'), 'storingDeadlineAt', wire_time(j.storing_deadline_at),
        'attempt', a.attempt, 'provider', a.provider, 'providerJobId', a.provider_job_id));
end
$$;
comment on function begin_storing is 'What is to be stored, and a new due time while the worker is at it.';

create function complete_job(p_job_id uuid, p_outputs jsonb, p_now timestamptz) returns jsonb language plpgsql as $$
declare
    j jobs;
begin
    select * into j from jobs where job_id = p_job_id for update;
    if not found then
        return transition_result('unknown_job', false, null);
    end if;
    if status_is_final(j.status) or j.step <> 'storing' then
        return transition_result(case when status_is_final(j.status) then 'final' else 'not_storing' end, false, j);
    end if;
    insert into outputs (job_id, output_index, object_key, content_type, size_bytes, sha256, width, height, duration_s,
                         thumbnail_key, created_at)
    select p_job_id, o.index, o.key, o."contentType", o."fileSize", o.sha256, o.width, o.height, o.duration,
           o."thumbnailKey", p_now
    from jsonb_to_recordset(p_outputs) as o(
        index integer, key text, "contentType" text, "fileSize" bigint, sha256 text, width integer, height integer,
        duration numeric, "thumbnailKey" text);
    j.status := 'completed';
    j := save_transition(j, 'completed', p_now, jsonb_build_object('outputs', jsonb_array_length(p_outputs)));
    return transition_result('completed', true, j);
end
$$;
comment on function complete_job is 'All outputs are stored: the job is complete.';

create function take_due_jobs(p_now timestamptz, p_limit integer, p_lease_until timestamptz)
    returns table (job_id uuid, user_id text) language sql as $$
    update jobs set due_at = p_lease_until
    where jobs.job_id in (
        select d.job_id from jobs d where d.due_at <= p_now order by d.due_at limit p_limit for update skip locked)
    returning jobs.job_id, jobs.user_id;
$$;
comment on function take_due_jobs is 'Leases the jobs that are due to one sweep; two sweeps never take the same.';

create function take_outbox(p_now timestamptz, p_limit integer, p_lease_until timestamptz) returns jsonb language sql as $$
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

create function forget_sent(p_ids bigint[]) returns void language sql as $$
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
    returns setof text language sql stable as $$
    select provider_job_id from attempts
    where provider = p_provider and created_at between p_after and p_before and provider_job_id is not null;
$$;
comment on function claimed_predictions is 'Predictions that belong to attempts of that time: recover must not take them for another''s.';
