"""Rows that tell of jobs. Each field is the column of its name in table `jobs`, or in the view that is named."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from lib.domain.job import JobStatus, JobStep
from lib.domain.media_type import MediaType


class JobKind(StrEnum):
    """Who makes it: a provider, or a worker that composes it from its elements."""

    GENERATION = "generation"
    COMPOSITION = "composition"


class ResponseType(StrEnum):
    """Whether the caller waits for the result or asks again."""

    SYNC = "sync"
    ASYNC = "async"


class JobHealth(StrEnum):
    """How a job that has not ended does, see view `active_jobs`: stuck is past its deadline, or nobody looks at it."""

    ON_TIME = "on_time"
    SLOW = "slow"
    STUCK = "stuck"


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """One job. Columns ending in `_s` are seconds; `estimated_cost` is USD."""

    job_id: str
    short_id: str
    kind: JobKind
    user_id: str
    media_type: MediaType
    model_id: str
    provider: str
    provider_job_id: str | None
    status: JobStatus
    step: JobStep
    version: int
    attempt: int
    cancel_requested: bool
    output_format: str | None
    width: int | None
    height: int | None
    estimated_duration_s: float | None
    response_type: ResponseType
    client_ip: str | None
    user_agent: str | None
    estimated_time_s: float
    estimated_cost: Decimal
    error_code: str | None
    error_message: str | None
    error_retryable: bool | None
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    deadline_at: datetime


@dataclass(frozen=True, kw_only=True)
class JobSummary(JobRow):
    """A row of view `job_summary`: a job with what belongs to it, counted. `total_seconds` is None until it ends."""

    total_seconds: float | None
    outputs: int
    output_bytes: int
    elements: int
    elements_processed: int
    steps: int
    steps_failed: int
    current_step: str | None
    storage_operations: int
    storage_failures: int
    storage_bytes: int


@dataclass(frozen=True, kw_only=True)
class ActiveJob:
    """A row of view `active_jobs`: a job that has not ended, and how it does."""

    job_id: str
    short_id: str
    kind: JobKind
    user_id: str
    media_type: MediaType
    model_id: str
    provider: str
    provider_job_id: str | None
    status: JobStatus
    step: JobStep
    attempt: int
    cancel_requested: bool
    created_at: datetime
    updated_at: datetime
    deadline_at: datetime
    due_at: datetime
    estimated_time_s: float
    age_seconds: float
    health: JobHealth
