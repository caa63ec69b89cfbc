"""Rows of the record as the changes that subscribers hear of."""

from datetime import UTC, datetime
from typing import Any

from lib.domain.job import JobStatus, JobStep
from lib.domain.job_change import JobChange

CHANGE_WIDTH = 8
"""job_id as text, version, attempt, status, step, event, at, details of `job_transitions`."""


def job_change(row: tuple[Any, ...]) -> JobChange:
    """From a row that begins with these columns, in that order."""
    job_id, version, attempt, status, step, event, at, details = row[:CHANGE_WIDTH]
    return JobChange(job_id, version, attempt, JobStatus(status), JobStep(step), event, utc(at), details)


def utc(at: datetime) -> datetime:
    """The same moment, in UTC whatever the session's zone."""
    return at.astimezone(UTC)
