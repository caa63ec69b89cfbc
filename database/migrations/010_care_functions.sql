-- For the sweep and for operators: what is due or was left behind, what others saw, figures, retention, health.

create function take_due_jobs(
    p_now timestamptz, p_limit integer, p_lease_until timestamptz
) returns table (job_id uuid, user_id text)
    language sql set search_path = public, pg_temp as $$
    update jobs set due_at = p_lease_until
    where jobs.job_id in (
        select d.job_id from jobs d where d.due_at <= p_now order by d.due_at limit p_limit for update skip locked)
    returning jobs.job_id, jobs.user_id;
$$;
comment on function take_due_jobs is 'Leases the jobs that are due to one sweep; two sweeps never take the same.';

create function take_outbox(p_now timestamptz, p_limit integer, p_lease_until timestamptz) returns jsonb
    language sql set search_path = public, pg_temp as $$
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

create function forget_sent(p_ids bigint[]) returns void
    language sql set search_path = public, pg_temp as $$
    delete from outbox where outbox_id = any(p_ids);
$$;
comment on function forget_sent is 'These messages were sent.';

create function find_output(p_output_id uuid) returns jsonb
    language sql stable
    return (
        select jsonb_build_object(
            'outputId', o.output_id, 'jobId', o.job_id, 'userId', j.user_id, 'index', o.output_index,
            'key', o.object_key, 'contentType', o.content_type, 'thumbnailKey', o.thumbnail_key,
            'fileSize', o.size_bytes)
        from outputs o join jobs j on j.job_id = o.job_id where o.output_id = p_output_id
    );
comment on function find_output is 'A stored output and whose it is, or null.';

create function log_url_access(p jsonb) returns boolean
    language plpgsql set search_path = public, pg_temp as $$
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

create function log_security_event(p jsonb) returns boolean
    language plpgsql set search_path = public, pg_temp as $$
begin
    if p ->> 'kind' = 'access_refused' and p ->> 'jobId' is not null and not exists (
        select from jobs where job_id = (p ->> 'jobId')::uuid and user_id <> coalesce(p ->> 'userId', '')) then
        return false;  -- there is no such job: somebody mistyped
    end if;
    insert into security_events (event_id, kind, user_id, job_id, client_ip, user_agent, request_id, details, at)
    values ((p ->> 'eventId')::uuid, p ->> 'kind', left(p ->> 'userId', 200), (p ->> 'jobId')::uuid,
            (p ->> 'clientIp')::inet, left(p ->> 'userAgent', 500), left(p ->> 'requestId', 200),
            coalesce(p -> 'details', '{}'), (p ->> 'at')::timestamptz)
    on conflict (event_id) do nothing;
    return found;
end
$$;
comment on function log_security_event is
    'Keeps what somebody was refused, once for each eventId; a job that does not exist cannot be refused.';

create function uuid_from(p_at timestamptz) returns uuid
    language sql immutable strict parallel safe
    return (lpad(to_hex(floor(extract(epoch from p_at) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid;
comment on function uuid_from is 'The least UUIDv7 of a moment: what is below it is older.';

create function record_system_metrics(p_now timestamptz, p_more jsonb default '[]') returns integer
    language plpgsql set search_path = public, pg_temp as $$
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
comment on function record_system_metrics is
    'Measures the gateway and keeps the figures, with those that the caller brings; how many they were.';

create function remove_expired(p_what text, p_before timestamptz, p_limit integer) returns integer
    language plpgsql set search_path = public, pg_temp as $$
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
    when 'provider_credentials' then
        return wipe_retired_credentials(p_limit, p_before);
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
    'Removes up to p_limit rows that are older than p_before, oldest first, and says how many. What belongs to a job '
    'is as old as the job; a job goes with all that belongs to it. Of users'' keys it wipes what no job needs.';

create function check_write() returns boolean
    language sql set search_path = public, pg_temp as $$
    update health_probe set written_at = clock_timestamp() returning true;
$$;
comment on function check_write is 'Whether the database takes writes.';

grant execute on function forget_sent, find_output, uuid_from, check_write to vsl_api, vsl_worker;
grant execute on function take_due_jobs, take_outbox, log_url_access, log_security_event, record_system_metrics,
    remove_expired to vsl_worker;
grant execute on function uuid_from to vsl_analyst;
