drop trigger processing_timeline_guard on processing_timeline;
drop trigger job_transitions_never_change on job_transitions;
drop trigger jobs_guard on jobs;
drop function timeline_guard();
drop function history_guard();
drop function jobs_guard();
