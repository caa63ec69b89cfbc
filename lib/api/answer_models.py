"""The answers as pydantic models: for the documentation and the tests; the functions write plain objects."""

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field, JsonValue

from lib.api.answer_model import Answer
from lib.api.wire_models import wire_model
from lib.domain.credential_policy import CredentialPolicy
from lib.domain.job import JobStatus, JobStep
from lib.domain.media_type import MediaType
from lib.domain.model_ranges import FieldRange

_JOB_ID = "019a5f3e-7c1b-7d42-9a06-2f1d6f0c8b51"
_FILE: dict[str, JsonValue] = {
    "outputId": "019a5f3e-8b02-7c61-8f3d-5e0a9b7c2d14",
    "originalUrl": "https://vsl-homolog-media.s3.us-east-1.amazonaws.com/media/ana/image/...?X-Amz-Signature=...",
    "thumbnailUrl": "https://vsl-homolog-media.s3.us-east-1.amazonaws.com/media/ana/image/...?X-Amz-Signature=...",
    "urlExpiresAt": "2026-11-20T19:04:09.512Z",
    "s3Path": f"s3://vsl-homolog-media/media/ana/image/2026/11/20/{_JOB_ID}/0.webp",
    "fileSize": 48213,
    "contentType": "image/webp",
    "duration": None,
    "width": 1024,
    "height": 1024,
}


class AcceptedJob(Answer):
    """A job that was recorded and is on its way."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "jobId": _JOB_ID,
                "shortId": "4Zr8QmT1xKc",
                "status": "pending",
                "modelId": "flux-schnell",
                "estimatedTime": 5.0,
                "estimatedCost": 0.003,
                "replicateId": "gm3qorzdhgbfurvjtvhg6dckhu",
                "provider": "replicate",
                "providerJobId": "gm3qorzdhgbfurvjtvhg6dckhu",
            }
        }
    )

    job_id: str = Field(description="UUID; ask for /status/{jobId}")
    short_id: str = Field(description="11 characters, to read out")
    status: JobStatus
    model_id: str = Field(description="The model that was asked for, or that the gateway chose")
    estimated_time: float = Field(description="Seconds")
    estimated_cost: float = Field(
        description="The most that is charged, in US dollars; 0 with a warning where the price is not known"
    )
    replicate_id: str | None = Field(description="providerJobId where the provider is Replicate, else null")
    provider: str
    provider_job_id: str | None = Field(description="The provider's own id; null while it is not known")
    warnings: list[str] = Field(
        default_factory=list, description="What was mapped otherwise than asked; only if there is any"
    )


class MediaFile(Answer):
    """A stored output; its addresses are signed anew at each read."""

    output_id: str | None = Field(description="GET /media/{outputId} leads to the file at any time")
    original_url: str
    thumbnail_url: str | None = Field(description="A small picture: a thumbnail, or the waveform of a sound")
    url_expires_at: datetime
    s3_path: str = Field(alias="s3Path", description="s3://bucket/key in the operator's own bucket")
    file_size: int = Field(description="Bytes")
    content_type: str
    duration: float | None = Field(description="Seconds")
    width: int | None
    height: int | None


class Waiting(Answer):
    """Why a job is not at its provider yet."""

    code: str = Field(description="circuit_open, provider_rate_limited, provider_outage, ...")
    reason: str = Field(description="In the provider's words, or ours")
    until: datetime = Field(description="When it is tried again")


class JobView(Answer):
    """How a job stands."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "jobId": _JOB_ID,
                "shortId": "4Zr8QmT1xKc",
                "status": "completed",
                "step": "storing",
                "mediaType": "image",
                "modelId": "flux-schnell",
                "provider": "replicate",
                "providerJobId": "gm3qorzdhgbfurvjtvhg6dckhu",
                "replicateId": "gm3qorzdhgbfurvjtvhg6dckhu",
                "createdAt": "2026-11-20T18:04:02.118Z",
                "updatedAt": "2026-11-20T18:04:05.907Z",
                "completedAt": "2026-11-20T18:04:05.907Z",
                "progress": 100,
                "estimatedTime": 5.0,
                "estimatedTimeRemaining": 0,
                "estimatedCost": 0.003,
                "cancelRequested": False,
                "warnings": [],
                "waiting": None,
                "result": _FILE,
                "outputs": [_FILE],
                "error": None,
                "errorCode": None,
                "retryable": None,
            }
        }
    )

    job_id: str
    short_id: str
    status: JobStatus
    step: JobStep
    media_type: MediaType
    model_id: str
    provider: str
    provider_job_id: str | None
    replicate_id: str | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None = Field(description="When it ended, whichever way")
    progress: int | None = Field(description="Percent; null where the provider does not tell")
    estimated_time: float = Field(description="Seconds")
    estimated_time_remaining: float = Field(description="Seconds")
    estimated_cost: float = Field(description="US dollars")
    cancel_requested: bool
    warnings: list[str]
    waiting: Waiting | None = Field(description="What holds it back before its provider has taken it")
    result: MediaFile | None = Field(description="The first of outputs")
    outputs: list[MediaFile]
    error: str | None = Field(description="Why it failed, in words")
    error_code: str | None
    retryable: bool | None = Field(description="Whether the same request may succeed later")


class Pagination(Answer):
    """Where a page is; `total` is counted to 10,000, a cursor goes on beyond. Lists by cursor alone count nothing."""

    page: int | None = Field(description="null where a cursor was given")
    limit: int
    total: int | None
    total_pages: int | None
    has_next: bool
    has_prev: bool
    next_cursor: str | None


class JobList(Answer):
    """A page of jobs, newest first."""

    success: Literal[True]
    data: list[JobView]
    pagination: Pagination


class FieldView(wire_model(FieldRange)):  # type: ignore[misc] # mypy does not see made classes
    """What a model does with one field of a standard request."""


class ModelView(Answer):
    """What can be made with a model, how, and for how much."""

    id: str
    model_id: str
    media_type: MediaType
    name: str
    description: str | None
    provider: str
    version: str
    estimated_time: float = Field(description="Seconds")
    pricing: dict[str, Any] | None = Field(description="US dollars as decimal text")
    supported_params: list[str]
    defaults: dict[str, Any]
    parameters: dict[str, Any] = Field(description="The JSON Schema of the parameters")
    standard: list[FieldView] = Field(
        description="What it does with each field of a standard request; empty where it takes none"
    )
    credentials: CredentialPolicy = Field(description="Whose key at the provider is used")
    fallbacks: list[str]


class ModelList(Answer):
    """All models."""

    success: Literal[True]
    data: list[ModelView]
    pagination: Pagination


class HealthView(Answer):
    """Degraded: slower, nothing is lost. Unhealthy: no job can be started."""

    status: Literal["healthy", "degraded", "unhealthy"]


class Received(Answer):
    """The webhook is in the queue."""

    received: Literal[True]


class ProblemField(Answer):
    """One thing wrong with one field."""

    path: str
    message: str


class Problem(Answer):
    """Every error, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable and machine-readable")
    success: Literal[False]
    retryable: bool = Field(description="Whether the same request may succeed later")
    errors: list[ProblemField]
    request_id: str
    job_id: str | None = Field(default=None, description="Of a job that was recorded all the same")
