"""What the gateway and a provider's adapter say to each other: plain values, no socket, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class SubmitSafety(StrEnum):
    """Whether a submit may be sent again when its answer is unknown (docs/architecture.md, "Submit safety")."""

    IDEMPOTENCY_KEY = "idempotency_key"
    OWN_ID = "own_id"
    NONE = "none"


class RemoteStatus(StrEnum):
    """A provider's word about a prediction, in ours. UNKNOWN stays non-final and is counted."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        """Whether the provider will say nothing more."""
        return self in (RemoteStatus.SUCCEEDED, RemoteStatus.FAILED, RemoteStatus.CANCELED)


class FailureKind(StrEnum):
    """Why a provider refused or failed; becomes the job's `error.code`."""

    MODERATION = "moderation_refused"
    INVALID_INPUT = "provider_invalid_input"
    AUTHENTICATION = "provider_authentication"
    BILLING = "provider_billing"
    RATE_LIMITED = "provider_rate_limited"
    OUTAGE = "provider_outage"
    NOT_FOUND = "provider_not_found"
    MODEL_ERROR = "provider_model_error"
    CANCELED = "provider_canceled"
    ABORTED = "provider_aborted"
    DATA_EXPIRED = "provider_data_expired"
    UNKNOWN = "provider_unknown_error"


class OutputKind(StrEnum):
    """Where an output's bytes are: behind a URL, inside a data URL, a text, or an object of our bucket."""

    URL = "url"
    DATA_URL = "data_url"
    TEXT = "text"
    OBJECT = "object"


@dataclass(frozen=True)
class ProviderOutput:
    """One output as the provider gave it; `value` is the URL, the text or the object key."""

    kind: OutputKind
    value: str

    def as_json(self) -> dict[str, str]:
        """The form in which attempts and messages carry it."""
        return {"kind": self.kind.value, "value": self.value}


@dataclass(frozen=True)
class Failure:
    """Why it failed; `message` keeps the provider's own words; `retryable` if a later try may succeed."""

    kind: FailureKind
    message: str
    retryable: bool = False
    retry_after_seconds: float | None = None


@dataclass(frozen=True)
class ProviderUpdate:
    """What a provider said of one prediction, by answer, poll or webhook.

    `progress` is 0.0 to 1.0. `billed_seconds` is the provider's own measure where it gives one.
    `raw_status` keeps the provider's word.
    """

    status: RemoteStatus
    provider_job_id: str | None = None
    outputs: tuple[ProviderOutput, ...] = ()
    failure: Failure | None = None
    progress: float | None = None
    raw_status: str = ""
    started_at: datetime | None = None
    completed_at: datetime | None = None
    billed_seconds: float | None = None


@dataclass(frozen=True)
class Credential:
    """A provider's key; its repr hides the secret. `version` pins a job to the key that made it."""

    provider: str
    secret: str = field(repr=False)
    version: str = "platform"


@dataclass(frozen=True)
class Submission:
    """All that an adapter needs to submit one attempt.

    `model_ref` is the provider's own name of the model: `owner/name`, `owner/name:version` or a version id.
    `deadline_seconds` is how long the provider may take, from now.
    """

    job_id: str
    attempt: int
    model_ref: str
    input: Mapping[str, Any]
    deadline_seconds: int


@dataclass(frozen=True)
class HttpRequest:
    """A request to a provider, ready to be sent; headers may hold the key, so its repr hides them."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json_body: Any = None


@dataclass(frozen=True)
class HttpResponse:
    """A provider's answer: lower-case header names, the raw body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Delivery(StrEnum):
    """What became of a request that brought no answer."""

    NEVER_LEFT = "never_left"
    UNKNOWN = "unknown"


class SubmitOutcome(StrEnum):
    """What a submit came to."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DEFERRED = "deferred"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class SubmitResult:
    """One submit's outcome: an update when accepted, a failure when refused or deferred (try again later)."""

    outcome: SubmitOutcome
    update: ProviderUpdate | None = None
    failure: Failure | None = None


@dataclass(frozen=True)
class RecoveredPrediction:
    """One prediction found by `recover`, with the webhook address that it was given."""

    provider_job_id: str
    created_at: datetime
    callback_url: str | None
    input: Mapping[str, Any] | None
    update: ProviderUpdate
