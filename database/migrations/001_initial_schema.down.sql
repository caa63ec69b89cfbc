drop table outbox, idempotency_keys, processing_timeline, outputs, attempts, jobs, api_keys, users;
