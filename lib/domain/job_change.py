"""What a subscriber hears of a job: that it has a new version, or that a step of the work on it began or ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from lib.domain.job import JobStatus, JobStep


@dataclass(frozen=True, slots=True)
class JobChange:
    """One version of a job, as table `job_transitions` keeps it; within a job versions grow by one.

    `details` holds what is known beyond that, such as the reason of a failure. It may hold the provider's job id.
    """

    job_id: str
    version: int
    attempt: int
    status: JobStatus
    step: JobStep
    event: str
    at: datetime
    details: Mapping[str, Any]


class StepEvent(StrEnum):
    """What became of a step."""

    STARTED = "started"
    PROGRESSED = "progressed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class StepChange:
    """Something that happened to a step of the work, with the step as it was found: a row of `processing_timeline`.

    A step that was found only after its end is told as started and then ended, each with the fields of the end.
    `success` is None while it runs; `progress` is that of the whole job in percent; `cpu_usage` is percent of one
    processor and `memory_usage` peak bytes, where our side did the work.
    """

    event: StepEvent
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
    cpu_usage: float | None = None
    memory_usage: int | None = None
