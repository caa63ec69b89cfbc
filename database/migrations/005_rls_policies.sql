-- Who may do what. The group roles are made by lib/stores/postgres/roles.py before the first migration:
--   vsl_owner    owns everything; migrations and care
--   vsl_api      answers callers; sees what the actor of the transaction may see (act_as)
--   vsl_worker   workers and the sweep; sees everything
--   vsl_analyst  reads everything but secrets
-- FORCE makes the policies hold for the owner too. Without an actor vsl_api sees nothing.

do $$
declare
    v_table text;
    v_secret constant text[] := array['api_keys', 'idempotency_keys', 'outbox'];
begin
    foreach v_table in array array[
        'users', 'api_keys', 'jobs', 'attempts', 'outputs', 'elements', 'job_transitions', 'processing_timeline',
        'storage_operations', 'url_access_logs', 'system_metrics', 'security_events', 'idempotency_keys', 'outbox'] loop
        execute format('alter table %I enable row level security', v_table);
        execute format('alter table %I force row level security', v_table);
        execute format('create policy %I on %I to vsl_owner using (true) with check (true)', v_table || '_owner', v_table);
        execute format('create policy %I on %I to vsl_worker using (true) with check (true)', v_table || '_worker', v_table);
        if v_table <> all (v_secret) then
            execute format('create policy %I on %I for select to vsl_analyst using (true)', v_table || '_analyst', v_table);
            execute format('grant select on %I to vsl_analyst', v_table);
        end if;
    end loop;
end
$$;

-- Workers: all that transitions, storing, logs and expiry take; nothing of keys.
grant select, insert (user_id, created_at) on users to vsl_worker;
grant select, insert, update on attempts, elements to vsl_worker;
grant select, insert, update, delete on jobs, idempotency_keys, outbox, processing_timeline to vsl_worker;
grant select, insert on outputs to vsl_worker;
grant select, insert, delete on job_transitions, storage_operations, url_access_logs, system_metrics,
    security_events to vsl_worker;
grant select on database_options, schema_migrations to vsl_api, vsl_worker, vsl_analyst;
grant select, update on health_probe to vsl_api, vsl_worker;

-- Callers: what they ask for and what becomes of it. Kind and role of a user are never theirs to choose.
grant select, insert (user_id, created_at) on users to vsl_api;
grant select (key_id, user_id, key_hash, rate_limit_per_hour, revoked_at) on api_keys to vsl_api;
grant select, insert, update on jobs, attempts, processing_timeline to vsl_api;
grant select, insert on job_transitions to vsl_api;
grant select, insert on elements to vsl_api;
grant select on outputs, storage_operations, url_access_logs, system_metrics, security_events to vsl_api;
grant select, insert, update, delete on idempotency_keys to vsl_api;
grant select, insert, delete on outbox to vsl_api;
grant select on job_summary, job_status_realtime, active_jobs, daily_job_stats, storage_performance, generations
    to vsl_api, vsl_worker, vsl_analyst;

create policy users_api on users to vsl_api
    using (user_id = (select actor_user_id()))
    with check (user_id = (select actor_user_id()) and kind = 'registered' and access_role = 'user');

create policy api_keys_api on api_keys for select to vsl_api using (key_hash = (select actor_key_hash()));
create policy users_api_of_a_key on users for select to vsl_api
    using ((select actor_key_hash()) is not null and user_id in (select k.user_id from api_keys k));

create policy jobs_api on jobs to vsl_api
    using (user_id = (select actor_user_id()) and guest_token is not distinct from (select actor_guest_token()))
    with check (user_id = (select actor_user_id()) and guest_token is not distinct from (select actor_guest_token()));
create policy jobs_api_admin on jobs for select to vsl_api using ((select actor_is_admin()));

create policy idempotency_keys_api on idempotency_keys to vsl_api
    using (user_id = (select actor_user_id())) with check (user_id = (select actor_user_id()));
create policy outbox_api on outbox to vsl_api
    using (user_id = (select actor_user_id()))
    with check (user_id = (select actor_user_id()) and payload ->> 'jobId' = job_id::text and exists (
        select from jobs j where j.job_id = outbox.job_id and j.user_id = (select actor_user_id())));

-- What belongs to a job is seen with it, and written by its user only.
do $$
declare
    v_table text;
begin
    foreach v_table in array array['attempts', 'outputs', 'elements', 'job_transitions', 'processing_timeline',
                                   'storage_operations'] loop
        -- An admin sees all jobs: asked once for each statement, not once for each row of a report.
        execute format('create policy %I on %I for select to vsl_api using ((select actor_is_admin()) or exists ('
                       'select from jobs j where j.job_id = %I.job_id))', v_table || '_api', v_table, v_table);
    end loop;
    foreach v_table in array array['attempts', 'elements', 'job_transitions', 'processing_timeline'] loop
        execute format('create policy %I on %I for insert to vsl_api with check (exists ('
                       'select from jobs j where j.job_id = %I.job_id and j.user_id = (select actor_user_id())))',
                       v_table || '_api_add', v_table, v_table);
    end loop;
    foreach v_table in array array['attempts', 'processing_timeline'] loop
        execute format('create policy %I on %I for update to vsl_api using (exists ('
                       'select from jobs j where j.job_id = %I.job_id and j.user_id = (select actor_user_id())))',
                       v_table || '_api_change', v_table, v_table);
    end loop;
end
$$;

create policy url_access_logs_api_admin on url_access_logs for select to vsl_api using ((select actor_is_admin()));
create policy system_metrics_api_admin on system_metrics for select to vsl_api using ((select actor_is_admin()));
create policy security_events_api_admin on security_events for select to vsl_api using ((select actor_is_admin()));

grant execute on function uuid_at, uuid_time, uuid_is_time_ordered, step_rank, status_is_final, can_move, wire_time, day_of,
    job_outputs, job_snapshot, jobs_guard, history_guard, timeline_guard to vsl_api, vsl_worker;
grant execute on function uuid_time, uuid_is_time_ordered, step_rank, status_is_final, wire_time, day_of to vsl_analyst;
grant execute on function act_as, actor_user_id, actor_guest_token, actor_key_hash, actor_is_admin to vsl_api;
