-- A job changes only along the transition table, whoever writes; its version grows by one with each visible change.

create function jobs_guard() returns trigger
    language plpgsql as $$
begin
    if new.job_id <> old.job_id or new.user_id <> old.user_id or new.created_at <> old.created_at then
        raise exception 'a job''s id, owner and creation time never change (job %)', old.job_id
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
