-- Pure helpers: the order of steps, what may follow what, and a job as the mirrors hold it.

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
comment on function can_move is 'The transition table of lib/domain/job.py, which is its source; a test compares the two.';

create function wire_time(p_at timestamptz) returns text
    language sql immutable strict parallel safe
    return to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
comment on function wire_time is 'ISO 8601 in UTC with milliseconds.';

create function job_outputs(p_job_id uuid) returns jsonb
    language sql stable
    return (
        select coalesce(jsonb_agg(jsonb_build_object(
            'index', output_index, 'key', object_key, 'contentType', content_type, 'fileSize', size_bytes,
            'sha256', sha256, 'width', width, 'height', height, 'duration', duration_s, 'thumbnailKey', thumbnail_key
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
        'deadlineAt', wire_time(j.deadline_at), 'warnings', j.warnings,
        'error', case when j.error_code is null then null else jsonb_build_object(
            'code', j.error_code, 'message', j.error_message, 'retryable', j.error_retryable) end,
        'outputs', case when j.status = 'completed' then job_outputs(j.job_id) else '[]'::jsonb end
    );
comment on function job_snapshot is 'A job''s status fields as the mirrors hold them (lib/domain/snapshot.py).';
