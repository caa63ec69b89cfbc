drop function job_snapshot(jobs);
drop function job_outputs(uuid);
drop function wire_time(timestamptz);
drop function can_move(text, text, text, text);
drop function status_is_final(text);
drop function step_rank(text);
