"""The steps of the work."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from lib.domain.errors import FieldError, InvalidError
from lib.domain.timeline import TimelineStep
from lib.stores.postgres.repositories.rows import read_rows
from lib.stores.postgres.statements import Statements

START = "select start_processing_step(%s::uuid, %s::text, %s::integer, %s::timestamptz, %s)::text"
COMPLETE = """
select complete_processing_step(
    %s::uuid, %s::uuid, %s::boolean, %s::timestamptz, %s::numeric, %s, %s::numeric, %s::bigint)
"""
OF_JOB = """
select (select coalesce(jsonb_agg(to_jsonb(t) order by t.started_at, t.step_order, t.timeline_id), '[]')
        from processing_timeline t where t.job_id = j.job_id)
from jobs j
where j.job_id = %(job_id)s::uuid and (%(user_id)s::text is null or j.user_id = %(user_id)s)
"""


class PostgresTimeline:
    """`lib.ports.repositories.Timeline`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    def start_step(
        self,
        job_id: str,
        step: str,
        step_order: int,
        now: datetime,
        *,
        details: Mapping[str, Any] | None = None,
    ) -> str | None:
        """See the port."""
        params = (job_id, step, step_order, now, Jsonb(dict(details or {})))
        started = self._connection.fetch(START, params, repeat=False)[0][0]
        return None if started is None else str(started)

    def complete_step(
        self,
        job_id: str,
        timeline_id: str,
        now: datetime,
        *,
        success: bool,
        progress: float | None = None,
        details: Mapping[str, Any] | None = None,
        cpu_usage: float | None = None,
        memory_usage: int | None = None,
    ) -> bool:
        """See the port."""
        _check_figures({"progress": progress, "cpuUsage": cpu_usage, "memoryUsage": memory_usage})
        params = (
            *(job_id, timeline_id, success, now, progress, Jsonb(dict(details or {}))),
            *(cpu_usage, memory_usage),
        )
        return bool(self._connection.fetch(COMPLETE, params)[0][0])

    def of_job(self, job_id: str, *, user_id: str | None = None) -> tuple[TimelineStep, ...] | None:
        """See the port."""
        rows = self._connection.fetch(OF_JOB, {"job_id": job_id, "user_id": user_id})
        return read_rows(TimelineStep, rows[0][0]) if rows else None


def _check_figures(figures: Mapping[str, float | None]) -> None:
    """To Postgres NaN is a number, and the greatest of all."""
    wrong = [
        name for name, figure in figures.items() if isinstance(figure, float) and not math.isfinite(figure)
    ]
    if wrong:
        errors = [FieldError(name, "must be a finite number") for name in wrong]
        raise InvalidError(f"{', '.join(wrong)}: must be finite", errors=errors)
