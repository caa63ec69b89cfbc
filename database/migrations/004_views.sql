-- Views for people and for reports. Each shows its reader what the tables below it would show: security_invoker.

create view job_summary with (security_invoker = true) as
select
    j.job_id, j.short_id, j.kind, j.user_id, j.media_type, j.model_id, j.provider, j.provider_job_id,
    j.status, j.step, j.version, j.attempt, j.cancel_requested,
    j.output_format, j.width, j.height, j.estimated_duration_s, j.response_type, j.client_ip, j.user_agent,
    j.estimated_time_s, j.estimated_cost, j.error_code, j.error_message, j.error_retryable,
    j.created_at, j.updated_at, j.submitted_at, j.started_at, j.completed_at, j.deadline_at,
    extract(epoch from j.completed_at - j.created_at) as total_seconds,
    o.outputs, o.output_bytes,
    e.elements, e.elements_processed,
    t.steps, t.steps_failed, t.current_step,
    s.storage_operations, s.storage_failures, s.storage_bytes
from jobs j
cross join lateral (
    select count(*) as outputs, coalesce(sum(size_bytes), 0)::bigint as output_bytes
    from outputs where outputs.job_id = j.job_id) o
cross join lateral (
    select count(*) as elements, count(*) filter (where processed) as elements_processed
    from elements where elements.job_id = j.job_id) e
cross join lateral (
    select count(*) as steps, count(*) filter (where not success) as steps_failed,
           (array_agg(step order by started_at desc, step_order desc) filter (where ended_at is null))[1] as current_step
    from processing_timeline where processing_timeline.job_id = j.job_id) t
cross join lateral (
    select count(*) as storage_operations, count(*) filter (where not success) as storage_failures,
           coalesce(sum(file_size) filter (where success), 0)::bigint as storage_bytes
    from storage_operations where storage_operations.job_id = j.job_id) s;
comment on view job_summary is 'A job with what belongs to it, counted.';

create view job_status_realtime with (security_invoker = true) as
select
    j.job_id, j.user_id, j.status, j.step, j.version, j.attempt, j.cancel_requested, j.updated_at, j.due_at,
    t.step as current_step, t.started_at as current_step_started_at, t.progress,
    j.error_code
from jobs j
left join lateral (
    select step, started_at, progress from processing_timeline
    where processing_timeline.job_id = j.job_id and ended_at is null
    order by started_at desc, step_order desc limit 1) t on true;
comment on view job_status_realtime is 'How a job stands at this moment, in few columns.';

create view active_jobs with (security_invoker = true) as
select
    j.job_id, j.short_id, j.kind, j.user_id, j.media_type, j.model_id, j.provider, j.provider_job_id,
    j.status, j.step, j.attempt, j.cancel_requested, j.created_at, j.updated_at, j.deadline_at, j.due_at,
    j.estimated_time_s,
    extract(epoch from now() - j.created_at) as age_seconds,
    case
        when now() > coalesce(j.storing_deadline_at, j.deadline_at) or j.due_at < now() - interval '10 minutes' then 'stuck'
        when now() - j.created_at > make_interval(
                secs => greatest(2 * j.estimated_time_s, j.estimated_time_s + 30)::double precision)
            then 'slow'
        else 'on_time'
    end as health
from jobs j
where j.due_at is not null;
comment on view active_jobs is
    'Jobs that have not ended: on_time; slow, over twice its estimate and 30 s; stuck, past its deadline or 10 '
    'minutes overdue.';

create view daily_job_stats with (security_invoker = true) as
select
    day_of(d.began) as day, d.media_type, d.jobs, d.completed, d.failed, d.canceled, d.in_flight,
    round(d.completed::numeric / nullif(d.completed + d.failed, 0), 6) as success_rate,
    d.average_seconds, d.estimated_cost
from (
    select
        date_bin('1 day', created_at, timestamptz '1970-01-01 00:00:00+00') as began, media_type,
        count(*) as jobs,
        count(*) filter (where status = 'completed') as completed,
        count(*) filter (where status = 'failed') as failed,
        count(*) filter (where status = 'canceled') as canceled,
        count(*) filter (where completed_at is null) as in_flight,
        avg(date_part('epoch', completed_at - created_at)) filter (where status = 'completed') as average_seconds,
        sum(estimated_cost) as estimated_cost
    from jobs
    group by 1, 2) d;
comment on view daily_job_stats is
    'Jobs by the day (UTC) of their creation and by media type; the success rate is of those that completed or failed.';

create view storage_performance with (security_invoker = true) as
select
    day_of(at) as day, operation, bucket,
    count(*) as operations,
    count(*) filter (where not success) as failures,
    round(count(*) filter (where success)::numeric / count(*), 6) as success_rate,
    coalesce(sum(file_size) filter (where success), 0)::bigint as bytes,
    avg(duration_ms)::double precision as average_ms,
    percentile_cont(0.5) within group (order by duration_ms::double precision) as p50_ms,
    percentile_cont(0.95) within group (order by duration_ms::double precision) as p95_ms,
    percentile_cont(0.99) within group (order by duration_ms::double precision) as p99_ms,
    (sum(file_size) filter (where success and duration_ms > 0)
        / nullif(sum(duration_ms) filter (where success and file_size is not null and duration_ms > 0), 0) * 1000
    )::double precision as bytes_per_second
from storage_operations
group by day_of(at), operation, bucket;
comment on view storage_performance is 'What was moved to and from the bucket, by day (UTC), operation and bucket.';

create view generations with (security_invoker = true) as
select
    j.job_id as id, j.short_id, j.user_id, j.media_type as type, j.status, j.model_id as model, j.provider,
    j.parameters ->> 'prompt' as prompt, j.parameters, j.error_code, j.error_message,
    o.object_key as asset_key, o.thumbnail_key, o.content_type, o.size_bytes, o.width, o.height, o.duration_s,
    j.created_at, j.updated_at, j.started_at as processing_started_at, j.completed_at
from jobs j
left join outputs o on o.job_id = j.job_id and o.output_index = 0
where j.kind = 'generation';
comment on view generations is
    'Jobs by the names of the schema document: one row for each generation, with its first output.';
