"""Figures over many jobs. Rates are 0.0 to 1.0, and None where nothing has ended; percentiles interpolate linearly
between the two nearest values (Postgres `percentile_cont`) and are None where there is no value."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from lib.domain.job import JobStatus
from lib.domain.job_row import JobHealth
from lib.domain.media_type import MediaType
from lib.domain.storage_log import StorageKind


@dataclass(frozen=True, kw_only=True)
class ActiveCount:
    """How many jobs that have not ended stand like this."""

    status: JobStatus
    health: JobHealth
    jobs: int


@dataclass(frozen=True, kw_only=True)
class JobTotals:
    """What became of the jobs that were made in a time; a success rate is of those that completed or failed."""

    jobs: int
    completed: int
    failed: int
    canceled: int
    in_flight: int
    success_rate: float | None


@dataclass(frozen=True, kw_only=True)
class SystemStatistics:
    """How the gateway does at `measured_at`.

    Seconds are from the making of a job to its end, over the jobs of the last 24 hours that completed; bytes and
    failures are of the uploads, and of all storage operations, of jobs made in the last 24 hours.
    """

    measured_at: datetime
    active: tuple[ActiveCount, ...]
    last_hour: JobTotals
    last_day: JobTotals
    average_seconds: float | None
    p95_seconds: float | None
    stored_bytes: int
    storage_failures: int


@dataclass(frozen=True, kw_only=True)
class ModelMetrics:
    """The jobs of one model: seconds from making to end, of those that completed."""

    model_id: str
    jobs: int
    completed: int
    failed: int
    canceled: int
    in_flight: int
    success_rate: float | None
    average_seconds: float | None
    p50_seconds: float | None
    p95_seconds: float | None
    p99_seconds: float | None
    completed_per_hour: float


@dataclass(frozen=True, kw_only=True)
class StepMetrics:
    """One step of the jobs of one model: seconds of all that ended, whether or not they succeeded."""

    model_id: str
    step: str
    count: int
    succeeded: int
    failed: int
    running: int
    success_rate: float | None
    average_seconds: float | None
    p50_seconds: float | None
    p95_seconds: float | None
    p99_seconds: float | None
    succeeded_per_hour: float


@dataclass(frozen=True, kw_only=True)
class ProcessingReport:
    """The work on jobs made from `from_` until before `to`."""

    from_: datetime
    to: datetime
    models: tuple[ModelMetrics, ...]
    steps: tuple[StepMetrics, ...]


@dataclass(frozen=True, kw_only=True)
class StorageMetrics:
    """One kind of storage operation: milliseconds of all, bytes and bytes per second of what succeeded."""

    operation: StorageKind
    operations: int
    failures: int
    success_rate: float | None
    bytes: int
    average_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    bytes_per_second: float | None


@dataclass(frozen=True, kw_only=True)
class StorageReport:
    """What was moved for jobs made from `from_` until before `to`."""

    from_: datetime
    to: datetime
    operations: tuple[StorageMetrics, ...]


@dataclass(frozen=True, kw_only=True)
class DailyStats:
    """A row of view `daily_job_stats`; days are UTC. Days without jobs have none."""

    day: date
    media_type: MediaType
    jobs: int
    completed: int
    failed: int
    canceled: int
    in_flight: int
    success_rate: float | None
    average_seconds: float | None
    estimated_cost: Decimal


@dataclass(frozen=True, kw_only=True)
class DailyReport:
    """The days from `from_` to `to`, both included."""

    from_: date
    to: date
    days: tuple[DailyStats, ...]
