-- The work on a job as it is told: its steps, what was moved to and from the bucket, and the elements of a composed one.

create function complete_processing_step(
    p_job_id uuid, p_timeline_id uuid, p_success boolean, p_now timestamptz, p_progress numeric default null,
    p_details jsonb default '{}', p_cpu_usage numeric default null, p_memory_usage bigint default null
) returns boolean
    language plpgsql set search_path = public, pg_temp as $$
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
comment on function complete_processing_step is
    'Ends a step with its verdict and figures; false if it had ended, or is unknown.';

create function start_processing_step(
    p_job_id uuid, p_step text, p_step_order integer, p_now timestamptz, p_details jsonb default '{}',
    p_attempt integer default null
) returns uuid
    language plpgsql set search_path = public, pg_temp as $$
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
comment on function start_processing_step is
    'Begins a step of a job that has not ended, and gives its id; null if there is none such. A step that was left '
    'open ends unsuccessfully.';

create function end_step(
    p_job_id uuid, p_attempt integer, p_step text, p_success boolean, p_now timestamptz, p_details jsonb default '{}',
    p_usage jsonb default null
) returns void
    language sql set search_path = public, pg_temp as $$
    select complete_processing_step(
        job_id, timeline_id, p_success, p_now, null, p_details, (p_usage ->> 'cpuUsage')::numeric,
        (p_usage ->> 'memoryUsage')::bigint)
    from processing_timeline
    where job_id = p_job_id and attempt = p_attempt and step = p_step and ended_at is null;
$$;
comment on function end_step is 'Ends a step by its name, if it is open.';

create function end_all_steps(p_job_id uuid, p_success boolean, p_now timestamptz) returns void
    language sql set search_path = public, pg_temp as $$
    select complete_processing_step(job_id, timeline_id, p_success, p_now) from processing_timeline
    where job_id = p_job_id and ended_at is null;
$$;
comment on function end_all_steps is 'Nothing of a job that has ended is under way.';

create function log_storage_operation(p jsonb, p_now timestamptz) returns uuid
    language plpgsql set search_path = public, pg_temp as $$
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
comment on function log_storage_operation is
    'Keeps what was moved to or from the bucket, once for each operationId; null if there is no such job.';

create function record_work(p_job_id uuid, p_work jsonb, p_now timestamptz) returns void
    language plpgsql set search_path = public, pg_temp as $$
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
comment on function record_work is
    'What a worker did for a job: steps that ended, and what was moved. Told twice, it is kept once.';

create function add_job_element(p jsonb, p_now timestamptz) returns uuid
    language plpgsql set search_path = public, pg_temp as $$
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
comment on function add_job_element is
    'Adds an element to a composed job that has not ended, once for each elementId; null if there is none such.';

create function update_element_status(p jsonb, p_now timestamptz) returns boolean
    language plpgsql set search_path = public, pg_temp as $$
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

grant execute on function complete_processing_step, start_processing_step, end_step, end_all_steps, add_job_element
    to vsl_api, vsl_worker;
grant execute on function log_storage_operation, record_work, update_element_status to vsl_worker;
