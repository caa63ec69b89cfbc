"""What the services ask of AI providers: an adapter (pure), a transport (the socket), a client (both)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from lib.domain.errors import ProviderError
from lib.domain.http_exchange import Delivery, HttpRequest, HttpResponse
from lib.domain.provider import (
    AdapterTraits,
    Credential,
    FailureKind,
    ProviderUpdate,
    RecoveredPrediction,
    RemoteJob,
    Submission,
    SubmitResult,
)


class Operation(StrEnum):
    """What a call to a provider is for; it chooses the time limits and names the metric."""

    SUBMIT = "submit"
    GENERATE = "generate"
    POLL = "poll"
    RESULT = "result"
    CANCEL = "cancel"
    TEST = "test"
    RECOVER = "recover"
    WEBHOOK_SECRET = "webhook_secret"  # noqa: S105 - the name of a call, not a secret
    TOKEN = "token"  # noqa: S105 - as above


class TransportError(ProviderError):
    """No usable answer came. `delivery` says whether the request may have reached the provider.

    The message names the provider, the operation and the kind of fault; never a header, a key or a body.
    """

    code = FailureKind.OUTAGE.value
    retryable = True

    def __init__(self, message: str, *, delivery: Delivery) -> None:
        super().__init__(message)
        self.delivery = delivery


class ProviderTransport(Protocol):
    """The only socket to providers."""

    def send(self, request: HttpRequest, *, provider: str, operation: Operation) -> HttpResponse:
        """Return the provider's answer, whatever its status; redirects are answers too.

        A request that is not a GET is sent at most once. Raises `TransportError` when no usable answer came;
        and, with nothing sent, `InvalidError` when the body cannot be written as what it is to be, `ConfigurationError`
        when the address or the key cannot be sent, or the request has two bodies.
        """
        ...


class ProviderAdapter(Protocol):
    """One provider's words, as pairs of pure functions: no socket, no clock, no environment.

    `*_request` builds what to send; `parse_*` reads what came. Except for `parse_submit`, a parser raises
    `ProviderError` (code, retryable, retry_after_seconds) for an answer that is not the thing asked for.
    """

    @property
    def name(self) -> str:
        """The provider's name in the catalogue, in routes and in the record."""
        ...

    @property
    def traits(self) -> AdapterTraits:
        """What the provider can do, and how it is to be treated."""
        ...

    def is_synchronous(self, model_ref: str) -> bool:
        """Whether the answer to a submit of this model is the result."""
        ...

    def token_request(self, credential: Credential, now: datetime) -> HttpRequest | None:
        """Build the exchange of the credential for an access token; None where the key itself is sent.

        Raises `ConfigurationError` for a credential that is none.
        """
        ...

    def parse_token(self, response: HttpResponse) -> tuple[str, float]:
        """Return the access token and its life in seconds; requests find it as `credential.extra["accessToken"]`."""
        ...

    def submit_request(
        self, submission: Submission, credential: Credential, callback_url: str | None
    ) -> HttpRequest:
        """Build the submit; without `callback_url` no webhook is asked for.

        Raises `ConfigurationError` for a model or credential that is none, `InvalidError` for an input.
        """
        ...

    def parse_submit(self, response: HttpResponse) -> SubmitResult:
        """Judge the answer to a submit; never raises, since the provider may have taken the job.

        A synchronous provider's answer is ACCEPTED with an update that SUCCEEDED or FAILED.
        """
        ...

    def poll_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest | None:
        """Build the question how a job stands; None where it cannot be asked.

        Raises `InvalidError` for an impossible id.
        """
        ...

    def parse_poll(self, response: HttpResponse) -> ProviderUpdate:
        """Read the answer to a poll."""
        ...

    def result_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest | None:
        """Build the question for the result, asked once a poll says SUCCEEDED without outputs; None: it had them."""
        ...

    def parse_result(self, response: HttpResponse) -> ProviderUpdate:
        """Read the result: SUCCEEDED with outputs, or with another `result_ref` to be asked for; RUNNING; FAILED."""
        ...

    def cancel_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest | None:
        """Build the request to cancel; None where there is none. Raises `InvalidError` for an impossible id."""
        ...

    def parse_cancel(self, response: HttpResponse) -> ProviderUpdate:
        """Read the answer to a cancel; the status may still be any, the evidence decides."""
        ...

    def test_request(self, credential: Credential) -> HttpRequest | None:
        """Build the cheapest call that proves a key; None where there is none."""
        ...

    def parse_test(self, response: HttpResponse) -> str:
        """Return the account's name at the provider, or another word for what the key opened."""
        ...

    def recover_request(
        self,
        created_after: datetime,
        created_before: datetime,
        credential: Credential,
        next_url: str | None = None,
    ) -> HttpRequest | None:
        """Build the listing of what was made in a window; None where the provider cannot list."""
        ...

    def parse_recover(self, response: HttpResponse) -> tuple[list[RecoveredPrediction], str | None]:
        """Return one page and the `next_url` of the following one."""
        ...

    def match_recovered(
        self,
        submission: Submission,
        callback_url: str | None,
        candidates: Sequence[RecoveredPrediction],
        *,
        complete: bool = True,
    ) -> RecoveredPrediction | None:
        """Return the one prediction that this attempt made; None when there is none or it is ambiguous.

        `complete` is False when `candidates` may lack some of the window.
        """
        ...

    def webhook_secret_request(self, credential: Credential) -> HttpRequest | None:
        """Build the question for the webhook signing secret; None where there is nothing to ask."""
        ...

    def parse_webhook_secret(self, response: HttpResponse) -> str:
        """Return the signing secret."""
        ...

    def webhook_id(self, headers: Mapping[str, str]) -> str | None:
        """Return what the provider repeats on each redelivery of one event, or None. It is not verified."""
        ...

    def hinted_job_id(self, raw_body: bytes) -> str | None:
        """Return the provider's job id that a webhook's body names, unverified; None where it names none."""
        ...

    def parse_webhook(
        self, headers: Mapping[str, str], raw_body: bytes, secrets: Sequence[str], now: datetime
    ) -> ProviderUpdate:
        """Verify and read a webhook.

        Raises `UnauthenticatedError` when it is forged, stale or not signed, `BadRequestError` when it is
        genuine and cannot be read, `ConfigurationError` when a secret is none.
        """
        ...


class ProviderClient(Protocol):
    """One provider, ready to be asked: an adapter over a transport."""

    @property
    def adapter(self) -> ProviderAdapter:
        """The provider's pure half, for what needs no socket (webhooks)."""
        ...

    def submit(
        self, submission: Submission, credential: Credential, callback_url: str | None
    ) -> SubmitResult:
        """Submit once; never raises for what a provider or a network does."""
        ...

    def poll(self, remote: RemoteJob, credential: Credential) -> ProviderUpdate:
        """Ask how a job stands, and for its result; UNKNOWN where the provider cannot be asked.

        Raises `ProviderError`, `TransportError` among them.
        """
        ...

    def cancel(self, remote: RemoteJob, credential: Credential) -> ProviderUpdate:
        """Ask to cancel; repeating is harmless; UNKNOWN where the provider cannot.

        Raises `ProviderError`, `TransportError` among them.
        """
        ...

    def recover(
        self,
        submission: Submission,
        credential: Credential,
        callback_url: str | None,
        *,
        created_after: datetime,
        created_before: datetime,
        claimed: frozenset[str] = frozenset(),
    ) -> RecoveredPrediction | None:
        """Look for the prediction of an attempt whose submit had no answer; None: not found or ambiguous.

        `claimed` are provider job ids that belong to other attempts. Raises `ProviderError`.
        """
        ...

    def test(self, credential: Credential) -> str:
        """Prove a key and return the account's name. Raises `ProviderError`."""
        ...

    def webhook_secret(self, credential: Credential) -> str | None:
        """Fetch the secret that signs the account's webhooks, None without one. Raises `ProviderError`."""
        ...
