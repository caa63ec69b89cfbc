"""Figures over many jobs.

A range is one of creation times, along `jobs_by_creation`; the steps and storage operations of those jobs are found by
primary key. A job's id tells its time to the minute: their keys are bounded by it, and read in one go. `offset 0` keeps
the planner from looking them up job by job, which the estimated price of their policies would make it do.
"""

from datetime import datetime
from typing import Any

from lib.domain.analytics import (
    ActiveCount,
    DailyStats,
    JobTotals,
    ModelMetrics,
    StepMetrics,
    StorageMetrics,
    SystemStatistics,
)
from lib.domain.time_range import DayRange, TimeRange
from lib.stores.postgres.repositories.rows import read_row, read_rows
from lib.stores.postgres.statements import Statements

SYSTEM = """
with recent as (
    select status, created_at, completed_at, created_at > %(now)s - interval '1 hour' as of_the_hour
    from jobs where created_at > %(now)s - interval '24 hours'
), totals as (
    select span, count(*) as jobs,
           count(*) filter (where status = 'completed') as completed,
           count(*) filter (where status = 'failed') as failed,
           count(*) filter (where status = 'canceled') as canceled,
           count(*) filter (where completed_at is null) as in_flight,
           count(*) filter (where status = 'completed')::double precision
               / nullif(count(*) filter (where status in ('completed', 'failed')), 0) as success_rate
    from (values ('hour'), ('day')) spans(span) join recent on span = 'day' or of_the_hour
    group by span
), took as (
    select extract(epoch from completed_at - created_at)::double precision as seconds
    from recent where status = 'completed'
)
select
    (select coalesce(jsonb_agg(to_jsonb(a) order by a.status, a.health), '[]')
     from (select status, health, count(*) as jobs from active_jobs group by status, health) a),
    (select to_jsonb(t) from totals t where span = 'hour'),
    (select to_jsonb(t) from totals t where span = 'day'),
    (select avg(seconds) from took),
    (select percentile_cont(0.95) within group (order by seconds) from took),
    (select coalesce(sum(file_size) filter (where success and operation = 'upload'), 0)::bigint
     from storage_operations s join jobs j on j.job_id = s.job_id
     where j.created_at > %(now)s - interval '24 hours'
       and s.job_id >= uuid_from(%(now)s - interval '24 hours 1 minute')),
    (select count(*) filter (where not success)
     from storage_operations s join jobs j on j.job_id = s.job_id
     where j.created_at > %(now)s - interval '24 hours'
       and s.job_id >= uuid_from(%(now)s - interval '24 hours 1 minute'))
"""
MODELS = """
select to_jsonb(r) from (
    select model_id, count(*) as jobs,
           count(*) filter (where status = 'completed') as completed,
           count(*) filter (where status = 'failed') as failed,
           count(*) filter (where status = 'canceled') as canceled,
           count(*) filter (where completed_at is null) as in_flight,
           count(*) filter (where status = 'completed')::double precision
               / nullif(count(*) filter (where status in ('completed', 'failed')), 0) as success_rate,
           avg(seconds) as average_seconds,
           percentile_cont(0.5) within group (order by seconds) as p50_seconds,
           percentile_cont(0.95) within group (order by seconds) as p95_seconds,
           percentile_cont(0.99) within group (order by seconds) as p99_seconds,
           count(*) filter (where status = 'completed') / %(hours)s::double precision as completed_per_hour
    from jobs
    cross join lateral (
        select case when status = 'completed' then extract(epoch from completed_at - created_at)::double precision
               end as seconds) took
    where created_at >= %(start)s and created_at < %(end)s
      and (%(model_id)s::text is null or model_id = %(model_id)s)
    group by model_id) r
order by r.model_id
"""
STEPS = """
select to_jsonb(r) from (
    select j.model_id, t.step, min(t.step_order) as step_order, count(*) as count,
           count(*) filter (where t.success) as succeeded,
           count(*) filter (where not t.success) as failed,
           count(*) filter (where t.ended_at is null) as running,
           count(*) filter (where t.success)::double precision
               / nullif(count(*) filter (where t.ended_at is not null), 0) as success_rate,
           avg(seconds) as average_seconds,
           percentile_cont(0.5) within group (order by seconds) as p50_seconds,
           percentile_cont(0.95) within group (order by seconds) as p95_seconds,
           percentile_cont(0.99) within group (order by seconds) as p99_seconds,
           count(*) filter (where t.success) / %(hours)s::double precision as succeeded_per_hour
    from jobs j
    join (select * from processing_timeline
          where job_id >= uuid_from(%(start)s - interval '1 minute')
            and job_id < uuid_from(%(end)s + interval '1 minute')
          offset 0) t on t.job_id = j.job_id
    cross join lateral (select extract(epoch from t.ended_at - t.started_at)::double precision as seconds) took
    where j.created_at >= %(start)s and j.created_at < %(end)s
      and (%(model_id)s::text is null or j.model_id = %(model_id)s)
    group by j.model_id, t.step) r
order by r.model_id, r.step_order, r.step
"""
STORAGE = """
select to_jsonb(r) from (
    select s.operation, count(*) as operations,
           count(*) filter (where not s.success) as failures,
           count(*) filter (where s.success)::double precision / count(*) as success_rate,
           coalesce(sum(s.file_size) filter (where s.success), 0)::bigint as bytes,
           avg(s.duration_ms)::double precision as average_ms,
           percentile_cont(0.5) within group (order by s.duration_ms::double precision) as p50_ms,
           percentile_cont(0.95) within group (order by s.duration_ms::double precision) as p95_ms,
           percentile_cont(0.99) within group (order by s.duration_ms::double precision) as p99_ms,
           (sum(s.file_size) filter (where s.success and s.duration_ms > 0)
               / nullif(sum(s.duration_ms) filter (
                   where s.success and s.file_size is not null and s.duration_ms > 0), 0) * 1000
           )::double precision as bytes_per_second
    from jobs j
    join (select * from storage_operations
          where job_id >= uuid_from(%(start)s - interval '1 minute')
            and job_id < uuid_from(%(end)s + interval '1 minute')
          offset 0) s on s.job_id = j.job_id
    where j.created_at >= %(start)s and j.created_at < %(end)s
    group by s.operation) r
order by r.operation
"""
DAILY = """
select to_jsonb(d) from daily_job_stats d
where day between %(first)s and %(last)s
order by day desc, media_type
"""
_NO_JOBS = {"jobs": 0, "completed": 0, "failed": 0, "canceled": 0, "in_flight": 0, "success_rate": None}


class PostgresAnalytics:
    """`lib.ports.repositories.AnalyticsQueries`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    def system_statistics(self, now: datetime) -> SystemStatistics:
        """See the port."""
        row = self._connection.fetch(SYSTEM, {"now": now})[0]
        active, last_hour, last_day, average_seconds, p95_seconds, stored_bytes, storage_failures = row
        return SystemStatistics(
            measured_at=now,
            active=read_rows(ActiveCount, active),
            last_hour=read_row(JobTotals, last_hour or _NO_JOBS),
            last_day=read_row(JobTotals, last_day or _NO_JOBS),
            average_seconds=average_seconds,
            p95_seconds=p95_seconds,
            stored_bytes=stored_bytes,
            storage_failures=storage_failures,
        )

    def model_metrics(self, wanted: TimeRange, *, model_id: str | None = None) -> tuple[ModelMetrics, ...]:
        """See the port."""
        params = {**_bounds(wanted), "model_id": model_id}
        return read_rows(ModelMetrics, (row for (row,) in self._connection.fetch(MODELS, params)))

    def step_metrics(self, wanted: TimeRange, *, model_id: str | None = None) -> tuple[StepMetrics, ...]:
        """See the port."""
        params = {**_bounds(wanted), "model_id": model_id}
        return read_rows(StepMetrics, (row for (row,) in self._connection.fetch(STEPS, params)))

    def storage_metrics(self, wanted: TimeRange) -> tuple[StorageMetrics, ...]:
        """See the port."""
        rows = self._connection.fetch(STORAGE, _bounds(wanted))
        return read_rows(StorageMetrics, (row for (row,) in rows))

    def daily_stats(self, wanted: DayRange) -> tuple[DailyStats, ...]:
        """See the port."""
        rows = self._connection.fetch(DAILY, {"first": wanted.first, "last": wanted.last})
        return read_rows(DailyStats, (row for (row,) in rows))


def _bounds(wanted: TimeRange) -> dict[str, Any]:
    return {"start": wanted.start, "end": wanted.end, "hours": wanted.hours}
