-- Fills an empty record. Statements end with a semicolon at the end of a line; values are named as psycopg names them.

insert into users (user_id, created_at)
select 'user-' || n, %(now)s::timestamptz - interval '1 year' from generate_series(0, %(users)s - 1) n;

create temporary table plan as
select n, uuid_from(at) as floor_id,
       (left(uuid_from(at)::text, 15) || lpad(to_hex(n %% 4096), 3, '0') || '-8000-' || lpad(to_hex(n), 12, '0'))::uuid as job_id,
       at, case when n %% 40 = 0 then 'user-0' else 'user-' || 1 + (n::bigint * 7919) %% (%(users)s - 1) end as user_id,
       case when n > %(jobs)s - greatest(10, %(jobs)s / %(flight)s) then case when n %% 2 = 0 then 'pending' else 'processing' end
            when n %% 100 < 96 then 'completed' when n %% 100 < 99 then 'failed' else 'canceled' end as status,
       (array['image', 'image', 'image', 'video', 'audio', 'text'])[1 + n %% 6] as media_type,
       (array['flux-schnell', 'sdxl', 'flux-dev', 'wan-video', 'musicgen', 'llama'])[1 + n %% 6] as model_id,
       2 + ((n::bigint * 7919) %% 2000) / 100.0 as seconds
from (select n, date_trunc('milliseconds',
                           %(now)s::timestamptz - make_interval(secs => (%(jobs)s - n) * 86400.0 * %(days)s / %(jobs)s)) as at
      from generate_series(1, %(jobs)s) n) as times;

insert into jobs (job_id, short_id, user_id, client_ip, user_agent, media_type, model_id, provider, provider_job_id, parameters,
                  status, step, version, estimated_time_s, estimated_cost, error_code, error_message, error_retryable,
                  created_at, updated_at, submitted_at, started_at, completed_at, deadline_at, due_at)
select job_id, lpad(to_hex(n), 11, '0'), user_id, ('10.' || n %% 250 || '.' || n / 250 %% 250 || '.7')::inet, 'curl/8.5.0',
       media_type, model_id, 'replicate', 'prediction-' || n,
       jsonb_build_object('prompt', 'a lighthouse number ' || n || ' at dawn, oil on canvas', 'seed', n), status,
       case status when 'pending' then 'submitted' when 'processing' then 'generating' when 'completed' then 'storing'
                   else 'generating' end,
       case when status in ('pending', 'processing') then 2 else 5 end, 5, 0.003,
       case when status = 'failed' then 'model_error' end, case when status = 'failed' then 'The model failed.' end,
       case when status = 'failed' then false end,
       at, at, at + interval '0.3 seconds', at + interval '0.9 seconds',
       case when status not in ('pending', 'processing') then at + make_interval(secs => seconds::double precision) end,
       at + interval '30 minutes', case when status in ('pending', 'processing') then at + interval '90 seconds' end
from plan order by n;

insert into attempts (job_id, attempt, state, provider, model_id, model_ref, input, credential_version, provider_job_id, created_at,
                      submitted_at, ended_at, billed_seconds)
select job_id, 1, case status when 'completed' then 'succeeded' when 'pending' then 'submitted' when 'processing' then 'running'
                              else status end,
       'replicate', 'flux-schnell', 'black-forest-labs/flux-schnell', jsonb_build_object('prompt', 'a lighthouse number ' || n), 'platform',
       'prediction-' || n, at, at + interval '0.3 seconds',
       case when status not in ('pending', 'processing') then at + make_interval(secs => seconds::double precision - 0.5) end,
       case when status = 'completed' then seconds - 1 end
from plan order by n;

insert into job_transitions (job_id, version, attempt, status, step, event, at)
select job_id, version, 1, t.status, t.step, t.event, at + make_interval(secs => t.share * seconds::double precision)
from plan cross join lateral (values
    (1, 'pending', 'queued', 'created', 0.0), (2, 'pending', 'submitted', 'submitted', 0.1),
    (3, 'processing', 'generating', 'generating', 0.2), (4, 'processing', 'storing', 'generated', 0.8),
    (5, plan.status, 'storing', plan.status, 1.0)) as t (version, status, step, event, share)
where plan.status not in ('pending', 'processing') or version <= 2
order by n, version;

insert into processing_timeline (job_id, timeline_id, step, step_order, started_at, ended_at, success, cpu_usage, memory_usage)
select job_id, (left(floor_id::text, 15) || '00' || t.place || '-8000-' || lpad(to_hex(n), 12, '0'))::uuid, t.step, t.place,
       at + make_interval(secs => t.since * seconds::double precision),
       case when plan.status not in ('pending', 'processing') then at + make_interval(secs => t.until * seconds::double precision) end,
       case when plan.status not in ('pending', 'processing') then plan.status = 'completed' or t.place = 0 end,
       case when t.place <> 1 then 1 + n %% 60 end, case when t.place <> 1 then 60000000 + n %% 1000 * 50000 end
from plan cross join lateral (values
    (0, 'submitting', 0.0, 0.1), (1, 'generating', 0.1, 0.8), (2, 'downloading', 0.8, 0.95), (3, 'uploading', 0.85, 1.0)
    ) as t (place, step, since, until)
where (plan.status in ('pending', 'processing') and t.place = 1) or (plan.status = 'completed')
   or (plan.status in ('failed', 'canceled') and t.place <= 1)
order by n, t.place;

insert into outputs (job_id, output_index, output_id, object_key, content_type, size_bytes, width, height, created_at)
select job_id, 0, job_id, 'media/' || user_id || '/' || job_id || '/0.webp', 'image/webp', 20000 + n %% 100000, 1024, 1024,
       at + make_interval(secs => seconds::double precision)
from plan where status = 'completed' order by n;

insert into storage_operations (job_id, operation_id, output_index, operation, bucket, object_key, region, success, file_size,
                                duration_ms, at)
select job_id, (left(floor_id::text, 15) || '00' || t.place || '-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 0, t.operation,
       t.bucket, 'media/' || user_id || '/' || job_id || '/0.webp', t.region, true, 20000 + n %% 100000, 20 + n %% 300,
       at + make_interval(secs => seconds::double precision)
from plan cross join lateral (values (1, 'download', 'replicate.delivery', null), (2, 'upload', 'vsl-media', 'eu-central-1')
    ) as t (place, operation, bucket, region)
where status = 'completed' order by n, t.place;

drop table plan;
