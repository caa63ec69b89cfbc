drop view generations, storage_performance, daily_job_stats, active_jobs, job_status_realtime, job_summary;
