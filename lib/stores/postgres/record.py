"""The record over Postgres: each method calls one SQL function of `database/migrations`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from lib.domain.provider import ProviderUpdate
from lib.domain.snapshot import JobSnapshot
from lib.ports.record import Answer, JobFilter, NewJob, OutboxMessage, Transition
from lib.ports.work_report import Metric, Usage, WorkReport
from lib.stores.postgres.holdable import holdable
from lib.stores.postgres.record_json import answer_json, evidence_json, new_job_json, usage_json, work_json
from lib.stores.postgres.statements import Statements
from lib.stores.postgres.transition_answer import read_outbox, read_transition

_LIST = """
select job_snapshot(j) from jobs j
where j.user_id = %s and (%s::text is null or j.status = %s) and (%s::text is null or j.media_type = %s)
  and (%s::timestamptz is null or (j.created_at, j.job_id) < (%s::timestamptz, %s::uuid))
order by j.created_at desc, j.job_id desc limit %s offset %s
"""
_COUNT = """
select count(*) from (
    select 1 from jobs j
    where j.user_id = %s and (%s::text is null or j.status = %s) and (%s::text is null or j.media_type = %s)
    limit %s) counted
"""


class PostgresRecord:
    """`lib.ports.record.JobRecord` over whatever runs statements."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    def create_job(self, job: NewJob, now: datetime) -> Transition:
        """See the port."""
        return self._transition("select create_job(%s, %s)", new_job_json(job), now)

    def record_submitted(
        self,
        job_id: str,
        attempt: int,
        provider_job_id: str,
        *,
        now: datetime,
        due_at: datetime,
        answer: Answer | None = None,
        poll_after_seconds: float | None = None,
        usage: Usage | None = None,
    ) -> Transition:
        """See the port."""
        return self._transition(
            "select record_submitted(%s, %s, %s, %s, %s, %s, %s::numeric, %s)",
            *(
                job_id,
                attempt,
                provider_job_id,
                now,
                due_at,
                answer_json(answer),
                poll_after_seconds,
                usage_json(usage),
            ),
        )

    def defer_submit(
        self,
        job_id: str,
        attempt: int,
        *,
        retry_at: datetime,
        reason: str,
        now: datetime,
        answer: Answer | None = None,
        usage: Usage | None = None,
        claim: str | None = None,
        code: str | None = None,
        fall_back: bool = False,
        doubtful: bool = False,
    ) -> Transition:
        """See the port."""
        return self._transition(
            "select defer_submit(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            *(
                job_id,
                attempt,
                retry_at,
                holdable(reason),
                now,
                answer_json(answer),
                usage_json(usage),
                claim,
                code,
                fall_back,
                doubtful,
            ),
        )

    def claim_attempt(
        self, job_id: str, attempt: int, *, claim: str, lease_until: datetime, now: datetime
    ) -> Transition:
        """See the port."""
        return self._transition(
            "select claim_attempt(%s, %s, %s, %s, %s)", job_id, attempt, claim, lease_until, now
        )

    def mark_submit_unknown(
        self,
        job_id: str,
        attempt: int,
        *,
        due_at: datetime,
        now: datetime,
        answer: Answer | None = None,
        usage: Usage | None = None,
    ) -> Transition:
        """See the port."""
        return self._transition(
            "select mark_submit_unknown(%s, %s, %s, %s, %s, %s)",
            *(job_id, attempt, due_at, now, answer_json(answer), usage_json(usage)),
        )

    def fail_job(
        self,
        job_id: str,
        *,
        code: str,
        message: str,
        retryable: bool,
        now: datetime,
        refused: bool = False,
        answer: Answer | None = None,
        usage: Usage | None = None,
        unbilled: bool = False,
        attempt: int | None = None,
    ) -> Transition:
        """See the port."""
        state = "refused" if refused else "failed"
        return self._transition(
            "select fail_job(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            *(job_id, code, holdable(message), retryable, now, state, answer_json(answer), usage_json(usage)),
            unbilled,
            attempt,
        )

    def request_cancel(self, job_id: str, user_id: str, now: datetime) -> Transition:
        """See the port."""
        return self._transition("select request_cancel(%s, %s, %s)", job_id, user_id, now)

    def apply_update(
        self,
        job_id: str,
        attempt: int,
        update: ProviderUpdate,
        *,
        source: str,
        now: datetime,
        due_at: datetime,
        storing_deadline_at: datetime,
        storing_due_at: datetime,
    ) -> Transition:
        """See the port."""
        evidence = evidence_json(
            job_id,
            attempt,
            update,
            source=source,
            due_at=due_at,
            storing_deadline_at=storing_deadline_at,
            storing_due_at=storing_due_at,
        )
        return self._transition("select apply_update(%s, %s)", evidence, now)

    def begin_check(
        self, job_id: str, *, poll_seq: int | None, now: datetime, due_at: datetime
    ) -> Transition:
        """See the port."""
        return self._transition("select begin_check(%s, %s, %s, %s)", job_id, poll_seq, now, due_at)

    def emit_next_check(
        self, job_id: str, *, topic: str, poll_seq: int | None, delay_seconds: float, now: datetime
    ) -> Transition:
        """See the port."""
        return self._transition(
            "select emit_next_check(%s, %s, %s, %s::numeric, %s)", job_id, topic, poll_seq, delay_seconds, now
        )

    def set_due(self, job_id: str, due_at: datetime) -> None:
        """See the port."""
        self._connection.fetch("select set_due(%s, %s)", (job_id, due_at))

    def begin_storing(self, job_id: str, *, now: datetime, due_at: datetime) -> Transition:
        """See the port."""
        return self._transition("select begin_storing(%s, %s, %s)", job_id, now, due_at)

    def complete_job(
        self,
        job_id: str,
        outputs: Sequence[Mapping[str, Any]],
        now: datetime,
        *,
        work: WorkReport | None = None,
    ) -> Transition:
        """See the port."""
        return self._transition(
            "select complete_job(%s, %s, %s, %s)",
            *(job_id, Jsonb(list(outputs)), now, work_json(work or WorkReport())),
        )

    def record_work(self, job_id: str, work: WorkReport, now: datetime) -> None:
        """See the port."""
        self._connection.fetch("select record_work(%s, %s, %s)", (job_id, work_json(work), now))

    def update_job_status(self, change: Mapping[str, Any], now: datetime) -> Transition:
        """See the port."""
        repeat = "expectedVersion" not in change  # repeated after a lost answer, it would contradict itself
        return self._transition(
            "select update_job_status(%s, %s)", Jsonb(holdable(change)), now, repeat=repeat
        )

    def record_metrics(self, metrics: Sequence[Metric], now: datetime) -> int:
        """See the port."""
        more = [
            {"name": m.name, "value": m.value, "unit": m.unit, "dimensions": dict(m.dimensions)}
            for m in metrics
        ]
        rows = self._connection.fetch(
            "select record_system_metrics(%s, %s)", (now, Jsonb(holdable(more))), repeat=False
        )
        return int(rows[0][0])

    def remove_expired(self, what: str, before: datetime, limit: int) -> int:
        """See the port."""
        return int(self._connection.fetch("select remove_expired(%s, %s, %s)", (what, before, limit))[0][0])

    def find_output(self, output_id: str) -> Mapping[str, Any] | None:
        """See the port."""
        found: Mapping[str, Any] | None = self._connection.fetch("select find_output(%s)", (output_id,))[0][0]
        return found

    def log_url_access(self, access: Mapping[str, Any]) -> bool:
        """See the port."""
        return bool(self._connection.fetch("select log_url_access(%s)", (Jsonb(holdable(access)),))[0][0])

    def log_security_event(self, event: Mapping[str, Any]) -> bool:
        """See the port."""
        return bool(self._connection.fetch("select log_security_event(%s)", (Jsonb(holdable(event)),))[0][0])

    def take_due_jobs(self, *, now: datetime, limit: int, lease_until: datetime) -> list[tuple[str, str]]:
        """See the port."""
        rows = self._connection.fetch(
            "select job_id::text, user_id from take_due_jobs(%s, %s, %s)", (now, limit, lease_until)
        )
        return [(str(job_id), str(user_id)) for job_id, user_id in rows]

    def take_outbox(self, *, now: datetime, limit: int, lease_until: datetime) -> list[OutboxMessage]:
        """See the port."""
        rows = self._connection.fetch("select take_outbox(%s, %s, %s)", (now, limit, lease_until))
        return list(read_outbox(rows[0][0]))

    def forget_sent(self, outbox_ids: Sequence[int]) -> None:
        """See the port."""
        self._connection.fetch("select forget_sent(%s::bigint[])", (list(outbox_ids),))

    def find_job(self, job_id: str) -> JobSnapshot | None:
        """See the port."""
        found = self._connection.fetch("select find_job(%s)", (job_id,))[0][0]
        return JobSnapshot(found) if found else None

    def find_job_by_provider(self, provider: str, provider_job_id: str) -> tuple[str, int] | None:
        """See the port."""
        rows = self._connection.fetch("select find_job_by_provider(%s, %s)", (provider, provider_job_id))
        found = rows[0][0]
        return (str(found["jobId"]), int(found["attempt"])) if found else None

    def claimed_predictions(self, provider: str, after: datetime, before: datetime) -> frozenset[str]:
        """See the port."""
        rows = self._connection.fetch("select claimed_predictions(%s, %s, %s)", (provider, after, before))
        return frozenset(str(row[0]) for row in rows)

    def list_jobs(self, wanted: JobFilter) -> list[JobSnapshot]:
        """See the port."""
        created_at, job_id = wanted.before or (None, None)
        params = (
            *(wanted.user_id, wanted.status, wanted.status, wanted.media_type, wanted.media_type),
            *(created_at, created_at, job_id, wanted.limit + 1, wanted.offset),
        )
        return [JobSnapshot(row[0]) for row in self._connection.fetch(_LIST, params)]

    def count_jobs(self, wanted: JobFilter, limit: int) -> int:
        """See the port."""
        params = (wanted.user_id, wanted.status, wanted.status, wanted.media_type, wanted.media_type, limit)
        return int(self._connection.fetch(_COUNT, params)[0][0])

    def _transition(self, sql: str, *params: Any, repeat: bool = True) -> Transition:
        return read_transition(self._connection.fetch(sql, params, repeat=repeat)[0][0])
