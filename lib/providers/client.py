"""One provider, ready to be asked: its adapter over the transport, with the pauses it asks for kept."""

import time
from collections.abc import Callable
from datetime import datetime

from lib.domain.errors import ProviderError
from lib.domain.provider import (
    Credential,
    Failure,
    FailureKind,
    HttpRequest,
    HttpResponse,
    ProviderUpdate,
    RecoveredPrediction,
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
    ) -> None:
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
            return submit(self._adapter, self._transport, submission, credential, callback_url)
        key = f"{credential.provider}:{credential.version}"
        if wait := self._gate.enter(key):
            failure = Failure(FailureKind.RATE_LIMITED, "our own limit for this key", True, wait)
            return SubmitResult(SubmitOutcome.DEFERRED, failure=failure)
        result = submit(self._adapter, self._transport, submission, credential, callback_url)
        if result.outcome is SubmitOutcome.DEFERRED and result.failure:
            self._gate.close_for(key, result.failure.retry_after_seconds or 0.0)
        return result

    def poll(self, provider_job_id: str, credential: Credential) -> ProviderUpdate:
        """Ask how a prediction stands; an answer about another one is an error."""
        request = self._adapter.poll_request(provider_job_id, credential)
        update = self._adapter.parse_poll(self._send(request, Operation.POLL))
        if update.provider_job_id not in (None, provider_job_id):
            raise ProviderError(
                f"{self._adapter.name} was asked for {provider_job_id} and answered {update.provider_job_id}",
                code=FailureKind.UNKNOWN.value,
            )
        return update

    def cancel(self, provider_job_id: str, credential: Credential) -> ProviderUpdate:
        """Ask to cancel."""
        request = self._adapter.cancel_request(provider_job_id, credential)
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
        stop_at = self._monotonic() + RECOVER_SECONDS
        for _ in range(MAX_RECOVER_PAGES):
            request = self._adapter.recover_request(created_after, created_before, credential, next_url)
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
        return self._adapter.parse_test(self._send(self._adapter.test_request(credential), Operation.TEST))

    def webhook_secret(self, credential: Credential) -> str | None:
        """Fetch the signing secret of the account's webhooks."""
        request = self._adapter.webhook_secret_request(credential)
        if request is None:
            return None
        return self._adapter.parse_webhook_secret(self._send(request, Operation.WEBHOOK_SECRET))

    def _send(self, request: HttpRequest, operation: Operation) -> HttpResponse:
        return self._transport.send(request, provider=self._adapter.name, operation=operation)
