"""What happened to a job: the steps of the work on it, and its transitions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lib.domain.job import JobStatus, JobStep


@dataclass(frozen=True, kw_only=True)
class TimelineStep:
    """A row of table `processing_timeline`; each field is the column of its name.

    `ended_at` and `success` are None while it runs. `progress` is that of the whole job in percent, `cpu_usage`
    percent of one processor, `memory_usage` peak bytes.
    """

    job_id: str
    timeline_id: str
    attempt: int
    step: str
    step_order: int
    started_at: datetime
    ended_at: datetime | None
    success: bool | None
    progress: float | None
    details: Mapping[str, Any]
    cpu_usage: float | None
    memory_usage: int | None

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else None


@dataclass(frozen=True, kw_only=True)
class JobTransition:
    """A row of table `job_transitions`: the version that it made, and what the job was then."""

    job_id: str
    version: int
    attempt: int
    status: JobStatus
    step: JobStep
    event: str
    at: datetime
    details: Mapping[str, Any]
