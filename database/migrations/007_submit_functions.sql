-- An attempt on its way to the provider: claimed, sent, accepted, deferred, or never answered.

create function claim_attempt(
    p_job_id uuid, p_attempt integer, p_claim uuid, p_lease_until timestamptz, p_now timestamptz
) returns jsonb
    language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
begin
    select * into j from jobs where job_id = p_job_id for update;
    if not found then
        return transition_result('unknown_job', false, null);
    end if;
    if exists (select from attempts
               where job_id = p_job_id and attempt = p_attempt and state = 'submitting' and claim = p_claim) then
        return transition_result('claimed', false, j);  -- this very call, sent again after a lost answer
    end if;
    if status_is_final(j.status) or j.cancel_requested or j.attempt <> p_attempt then
        return transition_result('not_claimed', false, j);
    end if;
    update attempts set state = 'submitting', claim = p_claim, lease_until = p_lease_until, retry_at = null,
                        submits = submits + 1
    where job_id = p_job_id and attempt = p_attempt and state = 'queued';
    if not found then
        return transition_result('not_claimed', false, j);
    end if;
    j.due_at := p_lease_until;
    j.waiting := null;
    if step_rank(j.step) < step_rank('submitting') then
        j.step := 'submitting';
    end if;
    j := save_transition(j, 'submitting', p_now);
    perform start_processing_step(p_job_id, 'submitting', 0, p_now, p_attempt => p_attempt);
    return transition_result('claimed', true, j);
end
$$;
comment on function claim_attempt is
    'Compare-and-set queued to submitting: whoever wins may send, and nobody else. Asked again with the token that won, '
    'it says so again, until the lease is over.';

create function record_submitted(
    p_job_id uuid, p_attempt integer, p_provider_job_id text, p_now timestamptz, p_due_at timestamptz,
    p_answer jsonb default null, p_poll_after_s numeric default null, p_usage jsonb default null
) returns jsonb
    language plpgsql set search_path = public, pg_temp as $$
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
        return transition_result('conflict', false, j, emit_cancel(j, a, p_provider_job_id, p_now));
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
        return transition_result('final', false, j, emit_cancel(j, a, p_provider_job_id, p_now));
    end if;
    if p_attempt <> j.attempt then
        return transition_result('old_attempt', false, j);
    end if;
    j.provider_job_id := p_provider_job_id;
    j.submitted_at := p_now;
    j.waiting := null;
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
    p_job_id uuid, p_attempt integer, p_retry_at timestamptz, p_reason text, p_now timestamptz,
    p_answer jsonb default null, p_usage jsonb default null, p_claim uuid default null, p_code text default null,
    p_fall_back boolean default false, p_doubtful boolean default false
) returns jsonb
    language plpgsql set search_path = public, pg_temp as $$
declare
    j jobs;
    v_next jsonb;
    v_look_at timestamptz;
begin
    select * into j from jobs where job_id = p_job_id for update;
    if not found then
        return transition_result('unknown_job', false, null);
    end if;
    perform record_answer(p_job_id, p_answer);
    update attempts set state = 'queued', lease_until = null, retry_at = p_retry_at, failure_message = p_reason
    where job_id = p_job_id and attempt = p_attempt and state in ('submitting', 'unknown') and provider_job_id is null
      and (p_claim is null or claim = p_claim);
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
    if p_doubtful and j.attempt = p_attempt then
        j.fallbacks := '[]';  -- sent again it is the same job; made elsewhere it might be paid for twice
    end if;
    if p_fall_back and j.attempt = p_attempt and jsonb_array_length(j.fallbacks) > 0 then
        v_next := next_attempt(j, p_code, p_now);
        if v_next is not null then
            update attempts set state = 'refused', retry_at = null, ended_at = p_now, failure_kind = p_code
            where job_id = p_job_id and attempt = p_attempt;
            return v_next;
        end if;
    end if;
    if p_code is not null then
        j.waiting := jsonb_build_object('code', p_code, 'reason', left(p_reason, 500), 'until', wire_time(p_retry_at));
    end if;
    v_look_at := least(p_retry_at, greatest(j.deadline_at, p_now));  -- a provider may ask for a day
    j.due_at := v_look_at + interval '60 seconds';
    j := save_transition(j, 'submit_deferred', p_now,
                         jsonb_build_object('reason', p_reason, 'retryAt', wire_time(p_retry_at)));
    return transition_result('deferred', true, j,
        emit_check(j, p_now, greatest(0, ceil(extract(epoch from v_look_at - p_now)))::numeric));
end
$$;
comment on function defer_submit is
    'The provider did not take the attempt yet (429, an outage): a worker submits it later, unless it was to be '
    'canceled, or falls back to what was planned. Doubtful: the provider may have taken it all the same, and knows it '
    'again by its id; then nothing else is ever tried for the job. With a claim: whoever won it sent nothing and gives it '
    'back, unless another has won since.';

create function mark_submit_unknown(
    p_job_id uuid, p_attempt integer, p_due_at timestamptz, p_now timestamptz, p_answer jsonb default null,
    p_usage jsonb default null
) returns jsonb
    language plpgsql set search_path = public, pg_temp as $$
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
comment on function mark_submit_unknown is
    'It was sent and nobody answered: it is not sent again, but claimed or expired.';

create function claimed_predictions(p_provider text, p_after timestamptz, p_before timestamptz) returns setof text
    language sql stable set search_path = public, pg_temp as $$
    select provider_job_id from attempts
    where provider = p_provider and created_at between p_after and p_before and provider_job_id is not null;
$$;
comment on function claimed_predictions is
    'Predictions that belong to attempts of that time: recover must not take them for another''s.';

create function find_job_by_provider(p_provider text, p_provider_job_id text) returns jsonb
    language sql stable
    return (select jsonb_build_object('jobId', job_id, 'attempt', attempt) from attempts
            where provider = p_provider and provider_job_id = p_provider_job_id and credential_version = 'platform');
comment on function find_job_by_provider is
    'Which attempt of the operator''s own account a provider''s job id belongs to, or null: who signs with a key that a '
    'user brought speaks for no job but those of the address that it was given.';

grant execute on function record_submitted, defer_submit, mark_submit_unknown to vsl_api, vsl_worker;
grant execute on function claim_attempt, claimed_predictions, find_job_by_provider to vsl_worker;
