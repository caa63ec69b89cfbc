"""A real record with any number of jobs in flight, in a database of its own, and the sweep over it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, LiteralString

from benchmarks.bench import BenchmarkError
from lib.domain.retention import RetentionPeriods
from lib.domain.snapshot import JobSnapshot
from lib.services.after_commit import AfterCommit
from lib.services.retention import Retention
from lib.services.sweep import Sweep
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.logins import ensure_login
from lib.stores.postgres.migrations import migrate_up
from lib.stores.postgres.migrator import connect
from lib.stores.postgres.record import PostgresRecord
from lib.stores.postgres.roles import Group
from local.backing import Postgres, RecordDatabase

_USERS: LiteralString = """
insert into users (user_id, created_at) select 'user-' || n, now() from generate_series(0, 99) n
"""
_JOBS: LiteralString = """
insert into jobs (job_id, short_id, user_id, media_type, model_id, provider, provider_job_id, parameters, status, step,
                  estimated_time_s, estimated_cost, created_at, updated_at, deadline_at, due_at)
select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, lpad(n::text, 11, '0'), 'user-' || n %% 100,
       'image', 'flux-schnell', 'replicate', 'prediction-' || n, '{}', 'processing', 'generating',
       5, 0.003, uuid_time('01900000-0000-7000-8000-000000000000'), now(), now() + interval '1 day',
       now() + interval '1 hour'
from generate_series(1, %s) n
"""
_MAKE_DUE: LiteralString = """
update jobs set due_at = case when short_id <= lpad(%(due)s::text, 11, '0') then now() - interval '1 second'
                              else now() + interval '1 hour' end
where due_at < now() + interval '50 minutes' or short_id <= lpad(%(due)s::text, 11, '0')
"""


class FilledRecord:
    """`jobs` jobs in flight, none of them due, until `make_due` says otherwise."""

    def __init__(self, server: Postgres, jobs: int) -> None:
        database = RecordDatabase(server, name=f"jobs_{jobs}", stage="bench")
        database.make()
        migrate_up(database.owner_url)
        self._direct = connect(database.owner_url)
        ensure_login(self._direct, database.worker_url, Group.WORKER)
        self._direct.execute(_USERS)
        self._direct.execute(_JOBS, [jobs])
        self._direct.execute("vacuum analyze jobs")
        self._connection = RecordConnection(lambda: database.worker_url)
        self.queue = CountingQueue()
        self.sweep = _sweep(PostgresRecord(self._connection), self.queue)

    def make_due(self, jobs: int) -> None:
        """Exactly so many jobs are due, and the queue has forgotten what it was told."""
        self._direct.execute(_MAKE_DUE, {"due": jobs})
        self.queue.jobs.clear()

    def sequential_scans(self) -> int:
        """How often the whole table of jobs was read so far, by whomever."""
        self._connection.fetch("select pg_stat_force_next_flush()")
        rows = self._connection.fetch("select seq_scan from pg_stat_user_tables where relname = 'jobs'")
        return int(rows[0][0])

    def close(self) -> None:
        """Let go of the record."""
        self._connection.close()
        self._direct.close()


class CountingQueue:
    """A work queue that keeps the ids of the jobs it was told of: what the record costs is measured, not a queue."""

    def __init__(self) -> None:
        self.jobs: list[str] = []

    def send(self, message: Mapping[str, Any], *, group: str, delay_seconds: float = 0) -> None:
        """Take the message; each is a check of one job."""
        if not group or delay_seconds:
            raise BenchmarkError(f"not a sweep's message: {message}")
        self.jobs.append(str(message["jobId"]))

    def send_many(self, messages: Sequence[tuple[Mapping[str, Any], str]]) -> int:
        """Count them; one round trip."""
        for message, group in messages:
            self.send(message, group=group)
        return 0


class _NothingToTell:
    """A journal of sweeps in which nothing but the expected happens."""

    def transition(self, event: str, job: JobSnapshot) -> None:
        raise BenchmarkError(f"a sweep changed job {job.job_id}: {event}")

    def note(self, event: str, job_id: str | None = None, **facts: str | float | bool | None) -> None:
        raise BenchmarkError(f"unexpected: {event} of {job_id} {facts}")

    def webhook_latency(self, job: JobSnapshot, seconds: float) -> None:
        raise BenchmarkError(f"a sweep received a webhook of job {job.job_id} after {seconds} s")

    def count(self, name: str, **dimensions: str) -> None:
        raise BenchmarkError(f"unexpected: {name} {dimensions}")


def _sweep(record: PostgresRecord, queue: CountingQueue) -> Sweep:
    journal = _NothingToTell()
    return Sweep(
        record=record,
        after_commit=AfterCommit(record, lambda _job, _now: (), {"advance": queue}, journal),
        advance_queue=queue,
        any_due=lambda _now: True,
        heal_due=lambda _now: 0,
        remove_expired=Retention(record, journal, RetentionPeriods()).remove_expired,
        journal=journal,
        clock=lambda: datetime.now(UTC),
    )
