drop function find_job_by_provider;
drop function claimed_predictions;
drop function mark_submit_unknown;
drop function defer_submit;
drop function record_submitted;
drop function claim_attempt;
