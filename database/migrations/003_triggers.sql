-- A job changes only along the transition table, whoever writes; its version grows by one with each visible change.

create function jobs_guard() returns trigger
    language plpgsql set search_path = public, pg_temp as $$
begin
    if (new.job_id, new.short_id, new.kind, new.user_id, new.created_at)
            <> (old.job_id, old.short_id, old.kind, old.user_id, old.created_at)
        or new.guest_token is distinct from old.guest_token then
        raise exception 'a job''s ids, kind, owner and creation time never change (job %)', old.job_id
            using errcode = 'integrity_constraint_violation';
    end if;
    if new.version not in (old.version, old.version + 1) then
        raise exception 'a job''s version grows by one (job %, % to %)', old.job_id, old.version, new.version
            using errcode = 'integrity_constraint_violation';
    end if;
    if (new.status, new.step) <> (old.status, old.step) then
        if not can_move(old.status, old.step, new.status, new.step) then
            raise exception 'a job cannot go from % (%) to % (%) (job %)',
                old.status, old.step, new.status, new.step, old.job_id
                using errcode = 'integrity_constraint_violation';
        end if;
        if new.version = old.version then
            raise exception 'a transition needs a new version (job %)', old.job_id
                using errcode = 'integrity_constraint_violation';
        end if;
    end if;
    return new;
end
$$;
comment on function jobs_guard is 'Refuses every change of a job that the transition table does not allow.';

create trigger jobs_guard before update on jobs for each row execute function jobs_guard();
comment on trigger jobs_guard on jobs is 'The transition table holds for everybody.';

create function history_guard() returns trigger
    language plpgsql set search_path = public, pg_temp as $$
begin
    raise exception '% keeps what happened: its rows never change', tg_table_name
        using errcode = 'integrity_constraint_violation';
end
$$;
comment on function history_guard is 'Refuses every change of a row that tells what happened.';

create trigger job_transitions_never_change before update on job_transitions
    for each row execute function history_guard();
comment on trigger job_transitions_never_change on job_transitions is
    'History is added to and expires; it is not rewritten.';

create function timeline_guard() returns trigger
    language plpgsql set search_path = public, pg_temp as $$
begin
    if old.ended_at is not null
        or (new.job_id, new.timeline_id, new.attempt, new.step, new.step_order, new.started_at)
            <> (old.job_id, old.timeline_id, old.attempt, old.step, old.step_order, old.started_at) then
        raise exception 'a step ends once, and what it is never changes (job %, step %)', old.job_id, old.step
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end
$$;
comment on function timeline_guard is 'Refuses to change a step that has ended, or what a step is.';

create trigger processing_timeline_guard before update on processing_timeline
    for each row execute function timeline_guard();
comment on trigger processing_timeline_guard on processing_timeline is 'A step ends once.';
