drop function complete_job;
drop function begin_storing;
drop function set_due;
drop function emit_next_check;
drop function begin_check;
drop function apply_update;
drop function apply_progress;
drop function end_generating;
