"""What the gateway and a provider's adapter say to each other: plain values, no socket, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from lib.domain.http_exchange import Blob


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
    CIRCUIT_OPEN = "circuit_open"


class OutputKind(StrEnum):
    """Where an output's bytes are: behind a URL, inside a data URL, a text, an object of our bucket, or a blob.

    A blob came with the answer itself and lies on this machine's disk; it becomes an object before it is recorded.
    """

    URL = "url"
    DATA_URL = "data_url"
    TEXT = "text"
    OBJECT = "object"
    BLOB = "blob"


@dataclass(frozen=True)
class ProviderOutput:
    """One output as the provider gave it; `value` is the URL, the text, the object key or the blob's name."""

    kind: OutputKind
    value: str

    def as_json(self) -> dict[str, str]:
        """The form in which attempts and messages carry it; ValueError for a blob, which none of them can."""
        if self.kind is OutputKind.BLOB:
            raise ValueError(
                "a blob is on one machine's disk: it becomes an object before it is told to anyone"
            )
        return {"kind": self.kind.value, "value": self.value}


@dataclass(frozen=True)
class Failure:
    """Why it failed; `message` keeps the provider's own words; `retryable` if a later try may succeed.

    `unbilled` is True only where the provider provably charges nothing for it: then another model may be tried.
    """

    kind: FailureKind
    message: str
    retryable: bool = False
    retry_after_seconds: float | None = None
    unbilled: bool = False


@dataclass(frozen=True)
class ProviderUpdate:
    """What a provider said of one prediction, by answer, poll or webhook.

    `progress` is 0.0 to 1.0. `billed_seconds` is the provider's own measure where it gives one, `cost_usd` the
    price that it told. `raw_status` keeps the provider's word. `blobs` are those that outputs of kind BLOB name.
    `result_ref` is what the result is asked for by, where that is not the job's id, such as the id of a file.
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
    cost_usd: Decimal | None = None
    result_ref: str = ""
    blobs: Sequence[Blob] = field(default=(), repr=False, compare=False)


PLATFORM_VERSION = "platform"


@dataclass(frozen=True)
class Credential:
    """A provider's key; its repr hides the secrets. `version` pins a job to the key that made it.

    `secret` is the first of the adapter's `credential_fields`, `extra` holds the others by name, `plain` names those of
    them that are no secrets. A version is `platform` for the operator's key and `own:{id}` for one that a user brought.
    """

    provider: str
    secret: str = field(repr=False)
    version: str = PLATFORM_VERSION
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)
    plain: frozenset[str] = frozenset()

    @property
    def is_own(self) -> bool:
        """Whether a user brought it."""
        return self.version != PLATFORM_VERSION


@dataclass(frozen=True)
class CredentialField:
    """One part of a credential: `name` in camelCase, what it is, and whether it must be kept secret."""

    name: str
    description: str
    secret: bool = True
    required: bool = True
    pattern: str = r"[\x21-\x7e]{8,4096}"


class WebhookProof(StrEnum):
    """What proves a webhook genuine, beside the token of ours in its address.

    A SIGNATURE of Replicate's proves the account, too; one of fal's only that fal sent it (`signature_proves_account`).
    """

    NONE = "none"
    TOKEN = "token"  # noqa: S105 - a word: the address's token alone
    SIGNATURE = "signature"


@dataclass(frozen=True)
class RateLimit:
    """How many submits one key may make a minute, and at once.

    Within t minutes that is up to `burst` + t `per_minute`: an adapter chooses them such that no stretch of time has
    more than the provider documents.
    """

    per_minute: float
    burst: int


@dataclass(frozen=True)
class AdapterTraits:
    """What a provider can do; the gateway decides by these and never by a provider's name.

    Attributes:
        submit_safety: whether a submit may be repeated when its answer is unknown.
        credential_fields: what a key consists of; the first is `Credential.secret`.
        synchronous: the answer to the submit is the result; it may take `submit_seconds`.
        webhooks: whether it calls back, and what proves that it did.
        signature_proves_account: a signature alone shows whose account it was.
        polls, cancels, recovers: whether it can be asked, stopped, searched for a lost submit.
        cancel_removes: a cancel that comes too late removes what was made: it is asked first how the job stands.
        poll_seconds: how soon it may be asked again, at least.
        output_life_seconds: how long it keeps what it made; None where outputs come with the answer.
        rate_limit: the documented limit of one key; None where none is documented.
        uploads: it puts outputs into our bucket itself, by `Submission.upload`.
        own_credentials: users may bring keys of their own.
        earlier_jobs: inputs that name an earlier job by the provider's id. Whoever holds the same key there may name
            any, and all users hold the operator's: such an id must be that of a job of the caller's own.
    """

    submit_safety: SubmitSafety
    credential_fields: tuple[CredentialField, ...] = (CredentialField("apiKey", "The API key"),)
    synchronous: bool = False
    submit_seconds: float = 12.0
    webhooks: WebhookProof = WebhookProof.NONE
    signature_proves_account: bool = False
    polls: bool = True
    cancels: bool = True
    cancel_removes: bool = False
    recovers: bool = False
    poll_seconds: float = 1.0
    output_life_seconds: float | None = None
    rate_limit: RateLimit | None = None
    uploads: bool = False
    own_credentials: bool = True
    earlier_jobs: tuple[str, ...] = ()

    @property
    def claimable(self) -> bool:
        """Whether a submit that nobody answered can still be found or heard of."""
        return self.recovers or self.webhooks is not WebhookProof.NONE


@dataclass(frozen=True)
class UploadPolicy:
    """A form that lets its holder put objects below one prefix of our bucket for a while (S3's POST policy)."""

    url: str
    fields: Mapping[str, str] = field(repr=False)
    key_prefix: str = ""


def own_id(job_id: str, attempt: int) -> str:
    """An id of ours for an attempt, the same each time: a UUID's 32 hex digits, a dash and a number."""
    return f"{job_id.replace('-', '')}-{attempt}"


@dataclass(frozen=True)
class Submission:
    """All that an adapter needs to submit one attempt.

    `model_ref` is the provider's own name of the model, such as `owner/name`; `input` is under the model's own names.
    `deadline_seconds` is how long the provider may take, from now. `upload` lets it put outputs into our bucket.
    `user_id` is whose job it is; no provider is told.
    """

    job_id: str
    attempt: int
    model_ref: str
    input: Mapping[str, Any]
    deadline_seconds: int
    upload: UploadPolicy | None = None
    user_id: str = ""

    @property
    def own_id(self) -> str:
        """An id of ours for this attempt, the same each time: 34 characters or more of hex and a dash."""
        return own_id(self.job_id, self.attempt)


@dataclass(frozen=True)
class RemoteJob:
    """A job at a provider: its id there and the model that runs it, which some addresses need.

    `result_ref` is set for the question for the result alone: what the poll before it said (`ProviderUpdate`).
    """

    provider_job_id: str
    model_ref: str = ""
    result_ref: str = ""


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
