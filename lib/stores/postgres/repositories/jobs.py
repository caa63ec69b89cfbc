"""Jobs, found by whatever they are asked for by."""

from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from lib.domain.attempt_row import AttemptRow
from lib.domain.cursor import decode_time_and_id, encode_time_and_id
from lib.domain.element import Element
from lib.domain.job_details import JobDetails, OutputRow
from lib.domain.job_row import ActiveJob, JobRow, JobSummary
from lib.domain.page import Page, check_limit
from lib.domain.snapshot import JobSnapshot
from lib.domain.storage_log import StorageLogEntry
from lib.domain.time_range import TimeRange
from lib.domain.timeline import JobTransition, TimelineStep
from lib.ports.record import Transition
from lib.ports.repositories import JobSearch, NewComposition
from lib.stores.postgres.repositories.composition_json import composition_json
from lib.stores.postgres.repositories.rows import read_page, read_row, read_rows
from lib.stores.postgres.repositories.search import check_search
from lib.stores.postgres.statements import Statements
from lib.stores.postgres.transition_answer import read_transition

GET = """
select to_jsonb(s) from job_summary s
where s.job_id = %(job_id)s::uuid and (%(user_id)s::text is null or s.user_id = %(user_id)s)
"""
DETAILS = """
select
    job_snapshot(j), to_jsonb(s), j.parameters, j.request_ref,
    (select coalesce(jsonb_agg(to_jsonb(a) - 'input' - 'outputs' order by a.attempt), '[]')
     from attempts a where a.job_id = j.job_id),
    (select coalesce(jsonb_agg(to_jsonb(e) order by e.track, e.element_order), '[]')
     from elements e where e.job_id = j.job_id),
    (select coalesce(jsonb_agg(to_jsonb(t) order by t.started_at, t.step_order, t.timeline_id), '[]')
     from processing_timeline t where t.job_id = j.job_id),
    (select coalesce(jsonb_agg(to_jsonb(o) order by o.at, o.operation_id), '[]')
     from (select * from storage_operations where job_id = j.job_id order by operation_id limit 500) o),
    (select coalesce(jsonb_agg(to_jsonb(o) order by o.output_index), '[]')
     from outputs o where o.job_id = j.job_id),
    (select coalesce(jsonb_agg(to_jsonb(h) - 'xid' order by h.version), '[]')
     from job_transitions h where h.job_id = j.job_id)
from jobs j join job_summary s on s.job_id = j.job_id
where j.job_id = %(job_id)s::uuid and (%(user_id)s::text is null or j.user_id = %(user_id)s)
"""
SEARCH = """
select to_jsonb(r) from (
    select job_id, short_id, kind, user_id, media_type, model_id, provider, provider_job_id, status, step, version,
           attempt, cancel_requested, output_format, width, height, estimated_duration_s, response_type, client_ip,
           user_agent, estimated_time_s, estimated_cost, error_code, error_message, error_retryable, created_at,
           updated_at, submitted_at, started_at, completed_at, deadline_at
    from jobs
    where (%(user_id)s::text is null or user_id = %(user_id)s)
      and (%(client_ip)s::inet is null or client_ip = %(client_ip)s::inet)
      and (%(statuses)s::text[] is null or status = any(%(statuses)s::text[]))
      and (%(media_type)s::text is null or media_type = %(media_type)s)
      and (%(model_id)s::text is null or model_id = %(model_id)s)
      and (%(kind)s::text is null or kind = %(kind)s)
      and (%(created_from)s::timestamptz is null or created_at >= %(created_from)s)
      and (%(created_to)s::timestamptz is null or created_at < %(created_to)s)
      and (%(last_at)s::timestamptz is null
           or (created_at, job_id) < (%(last_at)s::timestamptz, %(last_id)s::uuid))
    order by created_at desc, job_id desc
    limit %(rows)s) r
order by r.created_at desc, r.job_id desc
"""
ACTIVE = """
select to_jsonb(a) from (select * from active_jobs order by due_at limit %(rows)s) a order by a.due_at, a.job_id
"""


class PostgresJobs:
    """`lib.ports.repositories.Jobs`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    def create_composition(self, job: NewComposition, now: datetime) -> Transition:
        """See the port."""
        params = (Jsonb(composition_json(job)), now)
        return read_transition(self._connection.fetch("select create_job(%s, %s)", params)[0][0])

    def get(self, job_id: str, *, user_id: str | None = None) -> JobSummary | None:
        """See the port."""
        rows = self._connection.fetch(GET, {"job_id": job_id, "user_id": user_id})
        return read_row(JobSummary, rows[0][0]) if rows else None

    def with_details(self, job_id: str, *, user_id: str | None = None) -> JobDetails | None:
        """See the port."""
        rows = self._connection.fetch(DETAILS, {"job_id": job_id, "user_id": user_id})
        return _details(*rows[0]) if rows else None

    def search(self, wanted: JobSearch) -> Page[JobRow]:
        """See the port."""
        check_search(wanted)
        last_at, last_id = decode_time_and_id(wanted.cursor) if wanted.cursor is not None else (None, None)
        params = {
            "user_id": wanted.user_id,
            "client_ip": wanted.client_ip,
            "statuses": list(wanted.statuses) or None,
            "media_type": wanted.media_type,
            "model_id": wanted.model_id,
            "kind": wanted.kind,
            "created_from": wanted.created_from,
            "created_to": wanted.created_to,
            "last_at": last_at,
            "last_id": last_id,
            "rows": wanted.limit + 1,
        }
        rows = [row for (row,) in self._connection.fetch(SEARCH, params)]
        return read_page(JobRow, rows, wanted.limit, _cursor)

    def find_active(self, *, limit: int = 50) -> tuple[ActiveJob, ...]:
        """See the port."""
        check_limit(limit)
        return read_rows(ActiveJob, (row for (row,) in self._connection.fetch(ACTIVE, {"rows": limit})))

    def find_by_user(self, user_id: str, *, limit: int = 20, cursor: str | None = None) -> Page[JobRow]:
        """See the port."""
        return self.search(JobSearch(user_id=user_id, limit=limit, cursor=cursor))

    def find_by_client_ip(
        self, client_ip: str, *, limit: int = 20, cursor: str | None = None
    ) -> Page[JobRow]:
        """See the port."""
        return self.search(JobSearch(client_ip=client_ip, limit=limit, cursor=cursor))

    def find_by_date_range(
        self, wanted: TimeRange, *, limit: int = 20, cursor: str | None = None
    ) -> Page[JobRow]:
        """See the port."""
        return self.search(
            JobSearch(created_from=wanted.start, created_to=wanted.end, limit=limit, cursor=cursor)
        )


def _cursor(job: JobRow) -> str:
    return encode_time_and_id(job.created_at, job.job_id)


def _details(
    snapshot: dict[str, Any],
    summary: dict[str, Any],
    parameters: dict[str, Any] | None,
    request_ref: str | None,
    *lists: list[dict[str, Any]],
) -> JobDetails:
    attempts, elements, timeline, storage, outputs, transitions = lists
    return JobDetails(
        snapshot=JobSnapshot(snapshot),
        summary=read_row(JobSummary, summary),
        parameters=parameters,
        request_ref=request_ref,
        attempts=read_rows(AttemptRow, attempts),
        elements=read_rows(Element, elements),
        timeline=read_rows(TimelineStep, timeline),
        storage_operations=read_rows(StorageLogEntry, storage),
        outputs=read_rows(OutputRow, outputs),
        transitions=read_rows(JobTransition, transitions),
    )
