"""A job with all that the record holds of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lib.domain.attempt_row import AttemptRow
from lib.domain.element import Element
from lib.domain.job_row import JobSummary
from lib.domain.snapshot import JobSnapshot
from lib.domain.storage_log import StorageLogEntry
from lib.domain.timeline import JobTransition, TimelineStep


@dataclass(frozen=True, kw_only=True)
class OutputRow:
    """A row of table `outputs`; each field is the column of its name. It has keys of objects, never addresses."""

    job_id: str
    output_index: int
    output_id: str
    object_key: str
    content_type: str
    size_bytes: int
    sha256: str | None
    width: int | None
    height: int | None
    duration_s: float | None
    thumbnail_key: str | None
    created_at: datetime


@dataclass(frozen=True)
class JobDetails:
    """One job as of one moment.

    `snapshot` is what the mirrors hold of it; `parameters` is what was asked for, None where that is kept in the
    bucket under `request_ref`. Attempts by number, elements by track and order, steps by their start, storage
    operations by time (the first 500 of them), outputs by index, transitions by version.
    """

    snapshot: JobSnapshot
    summary: JobSummary
    parameters: Mapping[str, Any] | None
    request_ref: str | None
    attempts: tuple[AttemptRow, ...]
    elements: tuple[Element, ...]
    timeline: tuple[TimelineStep, ...]
    storage_operations: tuple[StorageLogEntry, ...]
    outputs: tuple[OutputRow, ...]
    transitions: tuple[JobTransition, ...]
