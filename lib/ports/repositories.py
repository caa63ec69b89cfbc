"""What can be asked of the record beside its transitions.

Every method is one round trip, acts for the current actor (`lib.ports.actor`), whose rows alone it sees, and raises
RecordUnavailableError when the record is away; then nothing was changed. What the record cannot hold is refused by
InvalidError, TooLargeError or ConflictError, and nothing of it is kept. Lists give a page: `limit` is 1 to 100, and a
cursor that is none of ours raises InvalidError with its path. `user_id` None means whoever's: what the actor may see.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from lib.domain.analytics import (
    DailyStats,
    ModelMetrics,
    StepMetrics,
    StorageMetrics,
    SystemStatistics,
)
from lib.domain.element import Element
from lib.domain.job_details import JobDetails
from lib.domain.job_row import ActiveJob, JobRow, JobSummary
from lib.domain.observations import SecurityEvent, SystemMetric, UrlAccess
from lib.domain.page import Page
from lib.domain.storage_log import StorageLogEntry
from lib.domain.time_range import DayRange, TimeRange
from lib.domain.timeline import TimelineStep
from lib.ports.record import Transition
from lib.ports.work_report import StorageOperation


@dataclass(frozen=True, kw_only=True)
class JobSearch:
    """Which jobs to list, newest first; None and empty leave a condition out.

    `created_from` is included, `created_to` is not. With `user_id` or `client_ip` the list is read along their own
    index, else along that of all jobs by creation.
    """

    statuses: Sequence[str] = ()
    media_type: str | None = None
    model_id: str | None = None
    kind: str | None = None
    user_id: str | None = None
    client_ip: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    cursor: str | None = None
    limit: int = 20


@dataclass(frozen=True, kw_only=True)
class StorageSearch:
    """Which storage operations to list; None leaves a condition out."""

    operation: str | None = None
    success: bool | None = None
    cursor: str | None = None
    limit: int = 20


@dataclass(frozen=True, kw_only=True)
class NewComposition:
    """A job that is put together from its elements: pending, and nobody is asked for it.

    `job_id` is a UUIDv7 of this minute; `elements` have their ids. `estimated_time_s` is how long the making takes.
    """

    job_id: str
    short_id: str
    user_id: str
    media_type: str
    model_id: str
    provider: str
    estimated_time_s: float
    deadline_at: datetime
    elements: Sequence[Element]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    output_format: str | None = None
    width: int | None = None
    height: int | None = None
    estimated_duration_s: float | None = None
    response_type: str = "async"
    client_ip: str | None = None
    user_agent: str | None = None
    guest_token: str | None = None


@dataclass(frozen=True, kw_only=True)
class ElementChange:
    """How far an element has come; None leaves a field as it is."""

    downloaded: bool | None = None
    processed: bool | None = None
    local_path: str | None = None
    source_size: int | None = None
    error_message: str | None = None


class Jobs(Protocol):
    """Jobs: `lib.ports.record` moves them, this one finds them."""

    def create_composition(self, job: NewComposition, now: datetime) -> Transition:
        """The job and all its elements, or nothing; `created`, unchanged where the job was there already.

        Raises ConflictError where the id is another user's job, or two elements have one place.
        """

    def get(self, job_id: str, *, user_id: str | None = None) -> JobSummary | None:
        """The job with what belongs to it, counted; None if there is none such."""

    def with_details(self, job_id: str, *, user_id: str | None = None) -> JobDetails | None:
        """The job with all that belongs to it, of one moment; None if there is none such."""

    def search(self, wanted: JobSearch) -> Page[JobRow]:
        """A page of jobs, newest first."""

    def find_active(self, *, limit: int = 50) -> tuple[ActiveJob, ...]:
        """Jobs that have not ended, those first that are due first: what is stuck comes first."""

    def find_by_user(self, user_id: str, *, limit: int = 20, cursor: str | None = None) -> Page[JobRow]:
        """A user's jobs, newest first."""

    def find_by_client_ip(
        self, client_ip: str, *, limit: int = 20, cursor: str | None = None
    ) -> Page[JobRow]:
        """What came from one address, newest first; the address proves nothing. InvalidError for no address."""

    def find_by_date_range(
        self, wanted: TimeRange, *, limit: int = 20, cursor: str | None = None
    ) -> Page[JobRow]:
        """Jobs made in this range, newest first."""


class Elements(Protocol):
    """What composed jobs are made of."""

    def add(self, element: Element, now: datetime) -> str | None:
        """The id of the element, added once; None if no composed job with its `job_id` is still open.

        Raises ConflictError where its place in its track is taken.
        """

    def update_status(self, element_id: str, change: ElementChange, now: datetime) -> bool:
        """Note how far it has come; False if there is none such. InvalidError: processed before it was downloaded."""

    def of_job(self, job_id: str, *, user_id: str | None = None) -> tuple[Element, ...] | None:
        """The elements of a job by track and order; None if there is no such job."""


class Timeline(Protocol):
    """The steps of the work."""

    def start_step(
        self,
        job_id: str,
        step: str,
        step_order: int,
        now: datetime,
        *,
        details: Mapping[str, Any] | None = None,
    ) -> str | None:
        """The id of the step that begins; None if no job with this id is still open. One that was open ends."""

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
        """End the step with its verdict and figures; False if it had ended, or is unknown."""

    def of_job(self, job_id: str, *, user_id: str | None = None) -> tuple[TimelineStep, ...] | None:
        """The steps of a job as they began; None if there is no such job."""


class StorageLog(Protocol):
    """What was moved to and from the bucket."""

    def log(self, job_id: str, operation: StorageOperation, now: datetime) -> bool:
        """Keep it, once for each `operation_id`; False if there is no such job."""

    def of_job(
        self, job_id: str, wanted: StorageSearch, *, user_id: str | None = None
    ) -> Page[StorageLogEntry] | None:
        """A page of a job's operations as they were made; None if there is no such job."""

    def recent(self, since: datetime, wanted: StorageSearch) -> Page[StorageLogEntry]:
        """A page of the operations of jobs made since then, newest job first."""


class UrlAccesses(Protocol):
    """Who was given which address."""

    def log(self, access: UrlAccess) -> bool:
        """Keep it, once for each `access_id`; False if it is known."""

    def of_job(self, job_id: str, *, limit: int = 20, cursor: str | None = None) -> Page[UrlAccess]:
        """Accesses to the outputs of a job, newest first; they outlive it."""


class SecurityEvents(Protocol):
    """What somebody tried and was refused."""

    def recent(
        self, *, kind: str | None = None, limit: int = 20, cursor: str | None = None
    ) -> Page[SecurityEvent]:
        """A page of events, newest first."""


class SystemMetrics(Protocol):
    """How the gateway did."""

    def latest(self) -> tuple[SystemMetric, ...]:
        """The last measurement of each name, one row for each of its dimensions (100 at most), by name."""

    def over_time(
        self, name: str, wanted: TimeRange, *, limit: int = 100, cursor: str | None = None
    ) -> Page[SystemMetric]:
        """One figure in a range of time, newest first."""


class AnalyticsQueries(Protocol):
    """Figures over many jobs, see `lib.domain.analytics`. An actor that is no admin gets those of the actor's own."""

    def system_statistics(self, now: datetime) -> SystemStatistics:
        """How the gateway does now."""

    def model_metrics(self, wanted: TimeRange, *, model_id: str | None = None) -> tuple[ModelMetrics, ...]:
        """Jobs made in the range, by model."""

    def step_metrics(self, wanted: TimeRange, *, model_id: str | None = None) -> tuple[StepMetrics, ...]:
        """Steps of the jobs made in the range, by model and step."""

    def storage_metrics(self, wanted: TimeRange) -> tuple[StorageMetrics, ...]:
        """Storage operations of the jobs made in the range, by operation."""

    def daily_stats(self, wanted: DayRange) -> tuple[DailyStats, ...]:
        """Rows of `daily_job_stats`, the latest day first."""
