drop table health_probe, database_options, outbox, idempotency_keys, security_events, system_metrics, url_access_logs,
    storage_operations, processing_timeline, job_transitions, elements, outputs, attempts, jobs, api_keys, users;
drop function uuid_is_time_ordered(uuid);
drop function uuid_time(uuid);
alter default privileges grant execute on functions to public;
