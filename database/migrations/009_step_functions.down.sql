drop function update_element_status;
drop function add_job_element;
drop function record_work;
drop function log_storage_operation;
drop function end_all_steps;
drop function end_step;
drop function start_processing_step;
drop function complete_processing_step;
