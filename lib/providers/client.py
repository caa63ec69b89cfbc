"""One provider, ready to be asked: its adapter over the transport, with the pauses it asks for kept."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from lib.domain.errors import ProviderError
from lib.domain.provider import (
    Credential,
    Failure,
    FailureKind,
    HttpRequest,
    HttpResponse,
    ProviderUpdate,
    RecoveredPrediction,
    RemoteJob,
    RemoteStatus,
    Submission,
    SubmitOutcome,
    SubmitResult,
)
from lib.ports.provider import Operation, ProviderAdapter, ProviderTransport
from lib.providers.rate_gate import RateGate
from lib.providers.submit import submit

MAX_RECOVER_PAGES = 10
RECOVER_SECONDS = 20.0
"""After so long no further page is asked for: an incomplete search finds nothing, and is made again."""


class HttpProviderClient:
    """`ProviderClient` over HTTP. Several may share one `RateGate` and one transport."""

    def __init__(
        self,
        adapter: ProviderAdapter,
        transport: ProviderTransport,
        gate: RateGate | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._tokens = AccessTokens(adapter, transport, monotonic, clock)
        self._adapter = adapter
        self._transport = transport
        self._gate = gate
        self._monotonic = monotonic

    @property
    def adapter(self) -> ProviderAdapter:
        """The provider's pure half."""
        return self._adapter

    def submit(
        self, submission: Submission, credential: Credential, callback_url: str | None
    ) -> SubmitResult:
        """Submit once, unless the gate is closed: then it is deferred without a call."""
        if self._gate is None:
            return self._submit(submission, credential, callback_url)
        key = f"{credential.provider}:{credential.version}"
        if wait := self._gate.enter(key):
            failure = Failure(FailureKind.RATE_LIMITED, "our own limit for this key", True, wait)
            return SubmitResult(SubmitOutcome.DEFERRED, failure=failure)
        result = self._submit(submission, credential, callback_url)
        if result.outcome is SubmitOutcome.DEFERRED and result.failure:
            self._gate.close_for(key, result.failure.retry_after_seconds or 0.0)
        return result

    def poll(self, remote: RemoteJob, credential: Credential) -> ProviderUpdate:
        """Ask how a job stands, then for its result if that is apart; an answer about another one is an error."""
        opened = self._tokens.opened(credential)
        request = self._adapter.poll_request(remote, opened)
        if request is None:
            return ProviderUpdate(RemoteStatus.UNKNOWN, remote.provider_job_id)
        update = self._about(remote, self._adapter.parse_poll(self._send(request, Operation.POLL)))
        if update.status is not RemoteStatus.SUCCEEDED or update.outputs:
            return update
        request = self._adapter.result_request(replace(remote, result_ref=update.result_ref), opened)
        if request is None:
            return update
        return self._about(remote, self._adapter.parse_result(self._send(request, Operation.RESULT)))

    def cancel(self, remote: RemoteJob, credential: Credential) -> ProviderUpdate:
        """Ask to cancel."""
        request = self._adapter.cancel_request(remote, self._tokens.opened(credential))
        if request is None:
            return ProviderUpdate(RemoteStatus.UNKNOWN, remote.provider_job_id)
        return self._adapter.parse_cancel(self._send(request, Operation.CANCEL))

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
        """List the window, up to `MAX_RECOVER_PAGES` pages, and return this attempt's prediction if sure."""
        candidates: list[RecoveredPrediction] = []
        next_url: str | None = None
        stop_at, opened = self._monotonic() + RECOVER_SECONDS, self._tokens.opened(credential)
        for _ in range(MAX_RECOVER_PAGES):
            request = self._adapter.recover_request(created_after, created_before, opened, next_url)
            if request is None:
                return None
            page, next_url = self._adapter.parse_recover(self._send(request, Operation.RECOVER))
            candidates += (
                found
                for found in page
                if created_after <= found.created_at <= created_before
                and found.provider_job_id not in claimed
            )
            if next_url is None or self._monotonic() >= stop_at:
                break
        return self._adapter.match_recovered(submission, callback_url, candidates, complete=next_url is None)

    def test(self, credential: Credential) -> str:
        """Return the account's name."""
        request = self._adapter.test_request(self._tokens.opened(credential))
        if request is None:
            raise ProviderError(
                f"{self._adapter.name} has no call that proves a key", code=FailureKind.UNKNOWN.value
            )
        return self._adapter.parse_test(self._send(request, Operation.TEST))

    def webhook_secret(self, credential: Credential) -> str | None:
        """Fetch the secret of the account's webhooks, unless the credential holds it: `webhookToken`."""
        if held := credential.extra.get("webhookToken"):
            return held
        request = self._adapter.webhook_secret_request(self._tokens.opened(credential))
        if request is None:
            return None
        return self._adapter.parse_webhook_secret(self._send(request, Operation.WEBHOOK_SECRET))

    def _submit(
        self, submission: Submission, credential: Credential, callback_url: str | None
    ) -> SubmitResult:
        try:
            opened = self._tokens.opened(credential)
        except ProviderError as error:  # nothing was submitted yet
            failure = Failure(
                FailureKind(error.code),
                error.message,
                error.retryable,
                error.retry_after_seconds,
                unbilled=True,
            )
            outcome = SubmitOutcome.DEFERRED if error.retryable else SubmitOutcome.REFUSED
            return SubmitResult(outcome, failure=failure)
        return submit(self._adapter, self._transport, submission, opened, callback_url)

    def _about(self, remote: RemoteJob, update: ProviderUpdate) -> ProviderUpdate:
        if update.provider_job_id not in (None, remote.provider_job_id):
            raise ProviderError(
                f"{self._adapter.name} was asked for {remote.provider_job_id} and answered {update.provider_job_id}",
                code=FailureKind.UNKNOWN.value,
            )
        return update

    def _send(self, request: HttpRequest, operation: Operation) -> HttpResponse:
        return self._transport.send(request, provider=self._adapter.name, operation=operation)


TOKEN_MARGIN_SECONDS = 60.0


class AccessTokens:
    """Access tokens of those credentials that are exchanged for one, kept in memory until shortly before their end."""

    def __init__(
        self,
        adapter: ProviderAdapter,
        transport: ProviderTransport,
        monotonic: Callable[[], float],
        clock: Callable[[], datetime],
    ) -> None:
        self._adapter = adapter
        self._transport = transport
        self._monotonic = monotonic
        self._clock = clock
        self._held: dict[str, tuple[str, float]] = {}

    def opened(self, credential: Credential) -> Credential:
        """The credential, with an access token where the provider wants one.

        Raises `ProviderError` when none is given, `ConfigurationError` for a credential that is none.
        """
        name = hashlib.sha256(f"{credential.version}\n{credential.secret}".encode()).hexdigest()
        held = self._held.get(name)
        if held is None or self._monotonic() >= held[1]:
            request = self._adapter.token_request(credential, self._clock())  # signs, where there is a token
            if request is None:
                return credential
            asked_at = self._monotonic()
            response = self._transport.send(request, provider=self._adapter.name, operation=Operation.TOKEN)
            token, life = self._adapter.parse_token(response)
            held = self._held[name] = (token, asked_at + max(0.0, life - TOKEN_MARGIN_SECONDS))
        return replace(credential, extra={**credential.extra, "accessToken": held[0]})
