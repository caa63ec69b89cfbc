"""A large record whose rows are up to 120 days old, which remembers what it had and what of that is due to go."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import LiteralString

import psycopg
from psycopg import sql

from lib.domain.retention import FOR_EVER, RetentionPeriods

JOBS = 50_000
LOGS = 10_000
FILL: tuple[LiteralString, ...] = (
    """
    create temp table ages as
    select n, date_trunc('milliseconds', %(now)s::timestamptz - n * interval '120 days' / %(jobs)s) as at
    from generate_series(1, %(jobs)s) n
    """,
    """
    create temp table log_ages as
    select n, date_trunc('milliseconds', %(now)s::timestamptz - n * interval '120 days' / %(logs)s) as at
    from generate_series(1, %(logs)s) n
    """,
    "insert into users (user_id, created_at) select 'user-' || n, %(now)s from generate_series(0, 9) n",
    # Every hundredth is still under way, however old it is.
    """
    insert into jobs (job_id, short_id, user_id, media_type, model_id, provider, provider_job_id, parameters,
                      status, step, estimated_time_s, estimated_cost, created_at, updated_at, deadline_at, due_at,
                      completed_at)
    select uuid_at(at), lpad(n::text, 11, '0'), 'user-' || n %% 10, 'image', 'flux-schnell', 'replicate', 'p-' || n,
           '{}', case when n %% 100 = 0 then 'processing' else 'completed' end, 'storing', 5, 0.003, at, at,
           at + interval '1 hour', case when n %% 100 = 0 then %(now)s::timestamptz + interval '1 year' end,
           case when n %% 100 <> 0 then at + interval '10 seconds' end
    from ages
    """,
    """
    insert into outputs (job_id, output_index, output_id, object_key, content_type, size_bytes, created_at)
    select job_id, 0, uuid_at(created_at), 'media/' || short_id, 'image/webp', 1000, created_at from jobs
    where status = 'completed'
    """,
    """
    insert into job_transitions (job_id, version, attempt, status, step, event, at)
    select job_id, n, 1, status, step, 'created', created_at from jobs, generate_series(1, 2) n
    """,
    """
    insert into processing_timeline (job_id, timeline_id, step, step_order, started_at, ended_at, success)
    select job_id, uuid_at(created_at), case n when 0 then 'submitting' else 'uploading' end, n, created_at,
           completed_at, case when completed_at is not null then true end
    from jobs, generate_series(0, 1) n
    """,
    """
    insert into storage_operations (job_id, operation_id, operation, bucket, object_key, success, at)
    select job_id, uuid_at(created_at), 'upload', 'media', short_id, true, created_at from jobs
    """,
    """
    insert into url_access_logs (access_id, output_id, job_id, user_id, access_type, accessed_at)
    select uuid_at(at), gen_random_uuid(), gen_random_uuid(), 'user-1', 'redirect', at from log_ages
    """,
    """
    insert into system_metrics (metric_id, name, value, unit, measured_at)
    select uuid_at(at), 'jobs_overdue', n, 'count', at from log_ages
    """,
    "insert into security_events (event_id, kind, at) select uuid_at(at), 'wrong_key', at from log_ages",
    """
    insert into idempotency_keys (user_id, key, request_hash, job_id, created_at, expires_at)
    select 'user-1', 'key-' || n, 'h', gen_random_uuid(), at, at + interval '60 days' from log_ages
    """,
)
_GONE: LiteralString = "job_id in (select job_id from jobs where completed_at < %(jobs_days)s)"
_OF_OLD_JOBS: LiteralString = "job_id in (select job_id from jobs where created_at < %(timeline_days)s)"
_OF_OLDER_JOBS: LiteralString = "job_id in (select job_id from jobs where created_at < %(storage_days)s)"
DUE: dict[str, tuple[LiteralString, LiteralString]] = {
    "jobs": ("job_id", _GONE),
    "outputs": ("output_id", _GONE),
    "job_transitions": ("job_id, version", _GONE + " or " + _OF_OLD_JOBS),
    "processing_timeline": (
        "job_id, timeline_id",
        _GONE + " or (ended_at is not null and " + _OF_OLD_JOBS + ")",
    ),
    "storage_operations": ("job_id, operation_id", _GONE + " or " + _OF_OLDER_JOBS),
    "url_access_logs": ("access_id", "accessed_at < %(access_days)s"),
    "system_metrics": ("metric_id", "measured_at < %(metrics_days)s"),
    "security_events": ("event_id", "at < %(security_days)s"),
    "idempotency_keys": ("user_id, key", "expires_at <= %(now)s"),
}
"""Of each table its key, and which rows are due: by the times in the rows, where the code goes by those in the ids."""


@dataclass
class AgedRecord:
    """`due` is how many rows of each table were due when it was filled."""

    connection: "psycopg.Connection[tuple[int, ...]]"
    now: datetime
    due: dict[str, int] = field(default_factory=dict)

    def fill(self, periods: RetentionPeriods) -> None:
        """Make the rows, and remember which of them those periods do not keep."""
        facts = {"now": self.now, "jobs": JOBS, "logs": LOGS}
        with self.connection.transaction():
            self.connection.execute("set local session_replication_role = replica")  # the rows are right
            for statement in FILL:
                self.connection.execute(statement, facts)
        self.connection.execute("analyze")
        before = {
            name: self.now - timedelta(days=days) if days != FOR_EVER else None
            for name, days in vars(periods).items()
        }
        for table, (key, due) in DUE.items():
            remember = "create temp table {had} as select {key}, coalesce({due}, false) as due from {table}"
            self._run(remember, table, key=sql.SQL(key), due=sql.SQL(due), facts={"now": self.now, **before})
            self.due[table] = self._number("select count(*) from {had} where due", table)

    def still_there(self, table: str) -> int:
        """How much of what was due is not removed."""
        return self._number("select count(*) from {had} join {table} using ({key}) where due", table)

    def missing(self, table: str) -> int:
        """How much is gone of what was not due."""
        there = "select count(*) from {had} left join (select {key}, 1 as here from {table}) t using ({key})"
        return self._number(there + " where not due and here is null", table)

    def _number(self, statement: LiteralString, table: str) -> int:
        (number,) = self._run(statement, table, key=sql.SQL(DUE[table][0])).fetchone() or (-1,)
        return number

    def _run(
        self,
        statement: LiteralString,
        table: str,
        *,
        facts: dict[str, datetime | None] | None = None,
        **parts: sql.SQL,
    ) -> "psycopg.Cursor[tuple[int, ...]]":
        had = sql.Identifier(f"had_{table}")
        query = sql.SQL(statement).format(had=had, table=sql.Identifier(table), **parts)
        return self.connection.execute(query, facts)
