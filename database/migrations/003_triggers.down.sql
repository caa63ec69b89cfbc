drop trigger jobs_guard on jobs;
drop function jobs_guard();
