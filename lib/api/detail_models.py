"""The answers that tell of one job, of the gateway's parts and of its figures, as pydantic models."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from lib.api.answer_model import Answer
from lib.api.answer_models import JobView, Pagination
from lib.api.wire_models import wire_model
from lib.domain import analytics
from lib.domain.attempt_row import AttemptRow
from lib.domain.element import Element
from lib.domain.health import HealthReport
from lib.domain.job_row import JobKind, ResponseType
from lib.domain.storage_log import StorageLogEntry
from lib.domain.timeline import TimelineStep

SystemStatistics = wire_model(analytics.SystemStatistics)
ProcessingReport = wire_model(analytics.ProcessingReport)
StorageReport = wire_model(analytics.StorageReport)
DailyReport = wire_model(analytics.DailyReport)
HealthDetails = wire_model(HealthReport)


class StepView(wire_model(TimelineStep)):  # type: ignore[misc] # mypy does not see made classes
    """One step of the work on a job: submitting, generating, downloading or uploading in the gateway's own work.

    It is open while `endedAt` and `success` are null. `progress` is percent of the whole job, `cpuUsage` percent of
    one processor, `memoryUsage` peak bytes, both of our side.
    """

    seconds: float | None = Field(description="How long it took")


class AttemptView(wire_model(AttemptRow, without=("credential_version",))):  # type: ignore[misc] # as above
    """One attempt at a provider: who, when, what came of it and what it cost, in USD where the provider told it."""

    credential: Literal["own", "platform"] = Field(description="Whose key it was made with")


class ElementView(wire_model(Element, without=("local_path",))):  # type: ignore[misc] # as above
    """What a composed job is put together from: positions and sizes in pixels or percent, times in seconds."""


class StorageView(wire_model(StorageLogEntry)):  # type: ignore[misc] # as above
    """One thing that was moved for a job. Of a download, `bucket` is the host that it came from."""

    object_key: str | None = Field(description="null for a download")


class StorageSummary(Answer):
    """What was moved for a job, counted."""

    operations: int
    failures: int
    bytes: int = Field(description="Of those that succeeded")


class JobDetails(JobView):
    """All that is known of a job."""

    kind: JobKind
    user_id: str
    attempt: int = Field(description="The current attempt at a provider")
    version: int = Field(description="Grows by one with each transition")
    response_type: ResponseType
    output_format: str | None
    client_ip: str | None
    user_agent: str | None
    submitted_at: datetime | None
    started_at: datetime | None
    deadline_at: datetime
    total_seconds: float | None = Field(description="From its making to its end")
    parameters: dict[str, Any] | None = Field(description="What was asked for; null where that is very large")
    attempts: list[AttemptView]
    elements: list[ElementView]
    timeline: list[StepView]
    storage: StorageSummary


class TimelineList(Answer):
    """The steps of the work on a job, as they began."""

    success: Literal[True]
    data: list[StepView]
    pagination: Pagination


class ElementList(Answer):
    """The elements of a job by track and order; none for a generation."""

    success: Literal[True]
    data: list[ElementView]
    pagination: Pagination


class StorageList(Answer):
    """A page of what was moved for a job, oldest first."""

    success: Literal[True]
    data: list[StorageView]
    pagination: Pagination
