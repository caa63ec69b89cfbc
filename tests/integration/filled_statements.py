"""The SQL of `filled_record`."""

USERS = """
insert into users (user_id, created_at) select 'user-' || n, %(until)s from generate_series(0, %(users)s - 1) n
"""
JOBS = """
insert into jobs (job_id, short_id, kind, user_id, client_ip, media_type, model_id, provider, parameters, status, step,
                  estimated_time_s, estimated_cost, error_code, created_at, updated_at, started_at, completed_at,
                  deadline_at, due_at)
select
    uuid_at(created_at), lpad(n::text, 11, 'x'), case when composed then 'composition' else 'generation' end,
    'user-' || n %% %(users)s, ('198.51.100.' || n %% 50)::inet,
    case when composed then 'video' else (array['image', 'video', 'audio', 'text'])[1 + n %% 4] end,
    case when composed then 'composition' else 'model-' || n %% 4 end,
    case when composed then 'gateway' else 'replicate' end, jsonb_build_object('prompt', 'a picture of ' || n),
    fate, case fate when 'pending' then 'submitted' when 'processing' then 'generating' else 'storing' end,
    10 + n %% 50, round((n %% 100) / 1000.0, 6), case when fate = 'failed' then 'provider_error' end,
    created_at, created_at + took, created_at + took / 4,
    case when fate in ('completed', 'failed', 'canceled') then created_at + took end,
    created_at + interval '10 minutes',
    case when fate in ('pending', 'processing') then created_at + took + interval '1 minute' end
from (
    select n, n %% 20 = 7 as composed,
           date_trunc('milliseconds', %(until)s - random() * %(span)s::interval) as created_at,
           random() * random() * interval '3 minutes' + interval '1 second' as took,
           case when n %% 30 = 0 then (array['pending', 'processing'])[1 + (n / 30) %% 2]
                when random() < 0.08 then 'failed' when random() < 0.03 then 'canceled' else 'completed' end as fate
    from generate_series(1, %(jobs)s) n) drawn
"""
ATTEMPTS = """
insert into attempts (job_id, attempt, state, provider, model_id, model_ref, input, credential_version, provider_job_id,
                      created_at, submitted_at, ended_at, estimated_cost)
select job_id, 1, case status when 'completed' then 'succeeded' when 'pending' then 'submitted'
                              when 'processing' then 'running' else status end,
       provider, model_id, 'someone/' || model_id, parameters, 'platform', 'prediction-' || job_id, created_at,
       created_at + interval '0.3 seconds', completed_at, estimated_cost
from jobs where kind = 'generation'
"""
TRANSITIONS = """
insert into job_transitions (job_id, version, attempt, status, step, event, at)
select job_id, 1, 1, 'pending', 'queued', 'created', created_at from jobs
"""
STEPS = """
insert into processing_timeline (job_id, timeline_id, attempt, step, step_order, started_at, ended_at, success, details)
select job_id, uuid_at(started), 1, step, place, started,
       case when place < 1 or completed_at is not null then started + took end,
       case when place < 1 or completed_at is not null then place < 1 or status = 'completed' or random() < 0.5 end,
       '{}'
from (
    select j.job_id, j.status, j.completed_at, s.step, s.place,
           j.created_at + s.place * interval '2 seconds' as started,
           random() * random() * interval '40 seconds' as took
    from jobs j, (values ('submitting', 0), ('generating', 1), ('downloading', 2), ('uploading', 3)) s(step, place)
    where s.place < 2 or j.status = 'completed') drawn
"""
OPERATIONS = """
insert into storage_operations (job_id, operation_id, output_index, operation, bucket, object_key, success, file_size,
                                duration_ms, error_code, at)
select job_id, uuid_at(completed_at), 0, operation,
       case operation when 'download' then 'replicate.delivery' else 'media' end,
       'media/' || job_id, works, case when works or random() < 0.3 then (random() * 10000000)::bigint end,
       case when random() < 0.95 then round((random() * random() * 5000)::numeric, 3) when works then 0 end,
       case when not works then 'slow_down' end, completed_at
from (
    select j.job_id, j.completed_at, o.operation, random() < 0.95 as works
    from jobs j, (values ('download'), ('upload'), ('read')) o(operation)
    where j.status = 'completed' and (o.operation <> 'read' or j.short_id like '%%7')) drawn
"""
OUTPUTS = """
insert into outputs (job_id, output_index, output_id, object_key, content_type, size_bytes, thumbnail_key, created_at)
select job_id, i, uuid_at(completed_at), 'media/' || job_id || '/' || i, 'image/png', 1 + (random() * 1000000)::bigint,
       'thumbs/' || job_id, completed_at
from jobs, generate_series(0, 1) i where status = 'completed' and (i = 0 or short_id like '%%5')
"""
ELEMENTS = """
insert into elements (element_id, job_id, type, source_url, element_order, downloaded, processed, created_at,
                      updated_at)
select uuid_at(created_at), job_id, 'video', 'https://media.example/' || i, i, i < 2, i < 1, created_at, created_at
from jobs, generate_series(0, 2) i where kind = 'composition'
"""
ACCESSES = """
insert into url_access_logs (access_id, output_id, job_id, user_id, access_type, client_ip, accessed_at)
select uuid_at(o.created_at), o.output_id, o.job_id, j.user_id, 'redirect', j.client_ip, o.created_at
from outputs o join jobs j on j.job_id = o.job_id
"""
METRICS = """
insert into system_metrics (metric_id, name, value, unit, dimensions, measured_at)
select uuid_at(at), name, random() * 100, 'count', jsonb_build_object('shard', shard), at
from (select name, shard, %(until)s - minutes * interval '5 minutes' as at
      from generate_series(0, 1999) minutes, (values ('jobs_in_flight'), ('jobs_overdue'), ('outbox_unsent')) n(name),
           generate_series(0, 1) shard) drawn
"""
EVENTS = """
insert into security_events (event_id, kind, user_id, client_ip, at)
select uuid_at(at), (array['access_refused', 'rate_limited', 'wrong_key', 'forged_webhook'])[1 + n %% 4],
       'user-1', '203.0.113.9', at
from (select n, %(until)s - n * interval '1 minute' as at from generate_series(1, 2000) n) drawn
"""
ADMIN = """
insert into users (user_id, access_role, created_at) values (%(admin)s, 'admin', %(until)s)
"""
STATEMENTS = (
    USERS,
    ADMIN,
    JOBS,
    ATTEMPTS,
    TRANSITIONS,
    STEPS,
    OPERATIONS,
    OUTPUTS,
    ELEMENTS,
    ACCESSES,
    METRICS,
    EVENTS,
)
