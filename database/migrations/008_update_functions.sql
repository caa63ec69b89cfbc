-- What a provider says about an attempt, when to ask it again, and the storing of what it made.

create function end_generating(
    p_job jobs, p_attempt attempts, p_success boolean, p_now timestamptz, p_details jsonb
) returns void
    language plpgsql set search_path = public, pg_temp as $$
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

create function apply_progress(
    p_job jobs, p_attempt attempts, p_state text, p_step text, p_now timestamptz
) returns jsonb
    language plpgsql set search_path = public, pg_temp as $$
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
comment on function apply_progress is
    'The provider has the attempt in its queue or runs it; repeated news changes nothing.';

create function apply_update(p jsonb, p_now timestamptz) returns jsonb
    language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
    a attempts;
    v_status text := p ->> 'status';
    v_remote text := p ->> 'providerJobId';
    v_kind text;
    v_next jsonb;
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
        if exists (select from attempts where provider = a.provider and provider_job_id = v_remote
                   and credential_version = a.credential_version) then
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
        if v_status in ('queued', 'running') then
            -- Running for nobody: its job is over, or another attempt is at work after all.
            return transition_result('final', false, j, case
                when v_claimed or a.ended_at is null then emit_cancel(j, a, v_remote, p_now) else '[]' end);
        elsif v_status <> 'unknown' then
            -- The job stays as it was told. The attempt keeps the first word of its end, and of what it cost.
            update attempts set
                state = case when ended_at is null then v_status else state end,
                failure_kind = case when ended_at is null then p #>> '{failure,kind}' else failure_kind end,
                failure_message = case when ended_at is null then left(p #>> '{failure,message}', 2000)
                                       else failure_message end,
                lease_until = null, retry_at = null, ended_at = coalesce(ended_at, p_now),
                billed_seconds = coalesce(billed_seconds, (p ->> 'billedSeconds')::numeric),
                cost = coalesce(cost, (p ->> 'costUsd')::numeric)
            where job_id = a.job_id and attempt = a.attempt
              and (ended_at is null or (cost is null and p ->> 'costUsd' is not null)
                   or (billed_seconds is null and p ->> 'billedSeconds' is not null));
            if found then
                return transition_result('final', false, j) || coalesce(ended_attempt(j.job_id), '{}');
            end if;
        end if;
        return transition_result('final', false, j);
    end if;
    if j.step = 'storing' then
        return transition_result('unchanged', false, j);
    end if;
    j.due_at := greatest(j.due_at, coalesce((p ->> 'dueAt')::timestamptz, j.due_at));
    j.waiting := null;
    case v_status
    when 'queued', 'unknown' then
        return apply_progress(j, a, 'submitted', 'submitted', p_now);
    when 'running' then
        return apply_progress(j, a, 'running', 'generating', p_now);
    when 'succeeded' then
        update attempts set state = 'succeeded', lease_until = null, retry_at = null, ended_at = p_now,
               outputs = p -> 'outputs', billed_seconds = (p ->> 'billedSeconds')::numeric,
               cost = (p ->> 'costUsd')::numeric
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
        update attempts set billed_seconds = (p ->> 'billedSeconds')::numeric, cost = (p ->> 'costUsd')::numeric
        where job_id = j.job_id and attempt = j.attempt;
        perform end_attempt(j, v_status, v_kind, p #>> '{failure,message}', p_now);
        perform end_step(j.job_id, j.attempt, 'submitting', true, p_now);
        perform end_generating(j, a, false, p_now, jsonb_build_object('status', v_status, 'kind', v_kind));
        if (case when a.credential_version = 'platform' then p #>> '{failure,fallBack}'
                 else p #>> '{failure,fallBackFromOwnKey}' end)::boolean then
            v_next := next_attempt(j, coalesce(v_kind, 'provider_unknown_error'), p_now);
            if v_next is not null then
                return v_next;
            end if;
        end if;
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
comment on function apply_update is
    'The one mouth: an answer, a webhook or a poll about an attempt, applied by the same rules. Of an attempt that its job '
    'does not wait for any more only the end and the cost are kept.';

create function begin_check(p_job_id uuid, p_poll_seq integer, p_now timestamptz, p_due_at timestamptz) returns jsonb
    language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
    a attempts;
    v_final boolean;
begin
    select * into j from jobs where job_id = p_job_id for update;
    if not found then
        return transition_result('unknown_job', false, null);
    end if;
    v_final := status_is_final(j.status);
    select * into a from attempts where job_id = j.job_id and attempt = j.attempt;
    if v_final and (not found or a.ended_at is not null) then
        return transition_result('final', false, j);
    elsif not v_final and p_poll_seq <> j.poll_seq then
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
    if not v_final then
        update jobs set poll_seq = poll_seq + 1, due_at = greatest(due_at, p_due_at)
        where job_id = p_job_id returning * into j;
    end if;
    return transition_result(case when v_final then 'final' else 'work' end, false, j)
           || jsonb_build_object('work', jsonb_build_object(
        'pollSeq', j.poll_seq, 'requestRef', j.request_ref, 'deadlineAt', wire_time(j.deadline_at),
        'storingDeadlineAt', wire_time(j.storing_deadline_at),
        'attempt', jsonb_build_object(
            'attempt', a.attempt, 'state', a.state, 'provider', a.provider, 'modelId', a.model_id,
            'modelRef', a.model_ref, 'input', a.input,
            'credentialVersion', a.credential_version, 'providerJobId', a.provider_job_id, 'submits', a.submits,
            'leaseUntil', wire_time(a.lease_until), 'retryAt', wire_time(a.retry_at),
            'createdAt', wire_time(a.created_at))));
end
$$;
comment on function begin_check is
    'Takes the turn to look at a job (compare-and-set on poll_seq) and tells all that decides what is due; of a job that has '
    'ended it tells the attempt that has not.';

create function emit_next_check(
    p_job_id uuid, p_topic text, p_poll_seq integer, p_delay_s numeric, p_now timestamptz
) returns jsonb
    language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
begin
    select * into j from jobs where job_id = p_job_id and not status_is_final(status) for update;
    if not found then
        return transition_result('final', false, null);
    end if;
    if p_topic = 'submit' then
        -- A message that waits in a long queue must not be joined by one more from each sweep.
        update jobs set due_at = greatest(due_at, least(p_now + greatest(p_now - created_at, interval '60 seconds'),
                                                        greatest(deadline_at, p_now + interval '60 seconds')))
        where job_id = p_job_id;
    end if;
    if p_topic in ('store', 'submit') then
        return transition_result('emitted', false, j, emit(j, p_topic, jsonb_build_object(
            'kind', p_topic, 'jobId', j.job_id), p_now, p_delay_s));
    end if;
    update jobs set due_at = greatest(due_at, p_now + make_interval(secs => p_delay_s + 60)) where job_id = p_job_id;
    return transition_result('emitted', false, j, emit(j, 'advance', jsonb_strip_nulls(jsonb_build_object(
        'kind', 'check', 'jobId', j.job_id, 'pollSeq', p_poll_seq)), p_now, p_delay_s));
end
$$;
comment on function emit_next_check is
    'Schedules the next look at a job, its storing again, or its submit by a worker that waits for the answer.';

create function set_due(p_job_id uuid, p_due_at timestamptz) returns void
    language sql set search_path = public, pg_temp as $$
    update jobs set due_at = p_due_at where job_id = p_job_id and not status_is_final(status);
$$;
comment on function set_due is 'When the sweep looks at the job if nothing else happens.';

create function begin_storing(p_job_id uuid, p_now timestamptz, p_due_at timestamptz) returns jsonb
    language plpgsql set search_path = public, pg_temp as $$
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
comment on function begin_storing is
    'What is to be stored, a new due time while the worker is at it, and the two steps that it begins.';

create function complete_job(p_job_id uuid, p_outputs jsonb, p_now timestamptz, p_work jsonb default '{}') returns jsonb
    language plpgsql set search_path = public, pg_temp as $$
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

-- The function that sends an attempt applies its answer, where that says more than that it was accepted.
grant execute on function end_generating, apply_progress, apply_update to vsl_api, vsl_worker;
grant execute on function begin_check, emit_next_check, set_due, begin_storing, complete_job to vsl_worker;
