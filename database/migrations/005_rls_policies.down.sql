do $$
declare
    v_policy record;
    v_name text;
begin
    for v_policy in select p.polname, c.relname from pg_policy p join pg_class c on c.oid = p.polrelid
                    where c.relnamespace = 'public'::regnamespace and c.relowner = current_user::regrole loop
        execute format('drop policy %I on %I', v_policy.polname, v_policy.relname);
    end loop;
    for v_name in select relname from pg_class
                  where relnamespace = 'public'::regnamespace and relowner = current_user::regrole and relkind = 'r' loop
        execute format('alter table %I no force row level security', v_name);
        execute format('alter table %I disable row level security', v_name);
    end loop;
    for v_name in select relname from pg_class
                  where relnamespace = 'public'::regnamespace and relowner = current_user::regrole
                    and relkind in ('r', 'v') loop
        execute format('revoke all on %I from vsl_api, vsl_worker, vsl_analyst', v_name);
    end loop;
    for v_name in select oid::regprocedure::text from pg_proc
                  where pronamespace = 'public'::regnamespace and proowner = current_user::regrole loop
        execute format('revoke all on function %s from vsl_api, vsl_worker, vsl_analyst', v_name);
    end loop;
end
$$;
