"""One provider, ready to be asked: its adapter over the transport, called only when it may be."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from lib.domain.credential import update_without_key, without_secrets
from lib.domain.errors import ProviderError
from lib.domain.flow import Traffic
from lib.domain.http_exchange import HttpRequest, HttpResponse
from lib.domain.provider import (
    Credential,
    Failure,
    FailureKind,
    ProviderUpdate,
    RecoveredPrediction,
    RemoteJob,
    RemoteStatus,
    Submission,
    SubmitOutcome,
    SubmitResult,
)
from lib.ports.flow import FlowControl, OpenFlow, Pause
from lib.ports.provider import Operation, ProviderAdapter, ProviderTransport
from lib.providers.access_tokens import AccessTokens, faults_of_own
from lib.providers.answers import error_of
from lib.providers.heard import Heard
from lib.providers.hiding import errors_without_key, result_without_key
from lib.providers.submit import submit

MAX_RECOVER_PAGES = 10
RECOVER_SECONDS = 20.0
"""After so long no further page is asked for: an incomplete search finds nothing, and is made again."""
RESULT_SECONDS = 15.0
"""After so long a result that is apart is left to the next poll: answers before it are short where all is well."""


class HttpProviderClient:
    """`ProviderClient` over HTTP. Several may share one `FlowControl` and one transport.

    `flow` is called for, not given, because a webhook's secret needs none.
    """

    def __init__(
        self,
        adapter: ProviderAdapter,
        transport: ProviderTransport,
        flow: Callable[[], FlowControl] = OpenFlow,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._tokens = AccessTokens(adapter, monotonic, clock)
        self._adapter = adapter
        self._transport = transport
        self._flow = flow
        self._monotonic = monotonic
        self._clock = clock

    @property
    def adapter(self) -> ProviderAdapter:
        """The provider's pure half."""
        return self._adapter

    def submit(
        self, submission: Submission, credential: Credential, callback_url: str | None
    ) -> SubmitResult:
        """Submit once, unless the provider is not to be called now: then it is deferred without a call."""
        flow, user_id = self._flow(), submission.user_id
        pause = flow.before(credential, self._adapter.traits, self._clock(), user_id=user_id)
        if pause is not None:
            return SubmitResult(SubmitOutcome.DEFERRED, failure=_failure_of(pause))
        heard = Heard(self._transport)
        result = self._submit(heard, submission, credential, callback_url)
        result = result_without_key(result, self._tokens.held(credential))
        if result.failure is not None and result.failure.kind is FailureKind.AUTHENTICATION:
            self._tokens.forget(credential)
        if heard.anything:
            failure = heard.failure_of_submit(result)
            flow.after(credential, failure, self._clock(), user_id=user_id, inside=heard.error_inside)
        else:
            flow.unsent(credential, self._clock(), user_id=user_id)
        return result

    def poll(self, remote: RemoteJob, credential: Credential) -> ProviderUpdate:
        """Ask how a job stands, then for its result if that is apart; an answer about another one is an error.

        A provider that is slow to say that the job is done is asked for the result with the next poll: until then
        the job is RUNNING.
        """
        with self._question(credential) as heard:
            stop_at = self._monotonic() + RESULT_SECONDS
            opened = self._tokens.opened(credential, heard)
            request = self._adapter.poll_request(remote, opened)
            if request is None:
                return ProviderUpdate(RemoteStatus.UNKNOWN, remote.provider_job_id)
            # an answer that brings the files is as long in coming as a result
            operation = Operation.RESULT if request.media_answer else Operation.POLL
            answer = self._send(heard, request, operation)
            update = update_without_key(self._about(remote, self._adapter.parse_poll(answer)), opened)
            asked: str | None = None
            # an answer about a result may name what is to be asked for next, such as a file that is ready now
            while (
                update.status is RemoteStatus.SUCCEEDED and not update.outputs and update.result_ref != asked
            ):
                asked = update.result_ref
                request = self._adapter.result_request(replace(remote, result_ref=asked), opened)
                if request is None:
                    return update
                if self._monotonic() > stop_at:
                    return replace(update, status=RemoteStatus.RUNNING, progress=None, completed_at=None)
                answer = self._send(heard, request, Operation.RESULT)
                update = update_without_key(self._about(remote, self._adapter.parse_result(answer)), opened)
            return update

    def cancel(self, remote: RemoteJob, credential: Credential) -> ProviderUpdate:
        """Ask to cancel."""
        with self._question(credential) as heard:
            opened = self._tokens.opened(credential, heard)
            request = self._adapter.cancel_request(remote, opened)
            if request is None:
                return ProviderUpdate(RemoteStatus.UNKNOWN, remote.provider_job_id)
            answer = self._send(heard, request, Operation.CANCEL)
            return update_without_key(self._adapter.parse_cancel(answer), opened)

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
        with self._question(credential) as heard:
            stop_at, opened = self._monotonic() + RECOVER_SECONDS, self._tokens.opened(credential, heard)
            for _ in range(MAX_RECOVER_PAGES):
                request = self._adapter.recover_request(created_after, created_before, opened, next_url)
                if request is None:
                    return None
                page, next_url = self._adapter.parse_recover(self._send(heard, request, Operation.RECOVER))
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
        with self._without_key(credential), faults_of_own(credential):
            opened = self._tokens.opened(credential, self._transport)
            request = self._adapter.test_request(opened)
            if request is None:
                raise ProviderError(
                    f"{self._adapter.name} has no call that proves a key", code=FailureKind.UNKNOWN.value
                )
            answer = self._send(self._transport, request, Operation.TEST)
            return without_secrets(self._adapter.parse_test(answer), opened)

    def webhook_secret(self, credential: Credential) -> str | None:
        """Fetch the secret of the account's webhooks, unless the credential holds it: `webhookToken`."""
        if held := credential.extra.get("webhookToken"):
            return held
        with self._without_key(credential):
            request = self._adapter.webhook_secret_request(self._tokens.opened(credential, self._transport))
            if request is None:
                return None
            answer = self._send(self._transport, request, Operation.WEBHOOK_SECRET)
            return self._adapter.parse_webhook_secret(answer)

    @contextmanager
    def _question(self, credential: Credential) -> Iterator[Heard]:
        """A question about jobs that the provider has; raises `ProviderError` when it is not to be asked now."""
        flow = self._flow()
        pause = flow.before(credential, self._adapter.traits, self._clock(), traffic=Traffic.QUESTIONS)
        if pause is not None:
            raise error_of(_failure_of(pause))
        heard = Heard(self._transport)
        try:
            with self._without_key(credential):
                yield heard
        except ProviderError as error:
            if error.code == FailureKind.AUTHENTICATION.value:
                self._tokens.forget(credential)
            raise
        finally:
            if heard.anything:
                flow.after(credential, heard.failure(), self._clock(), traffic=Traffic.QUESTIONS)
            else:
                flow.unsent(credential, self._clock(), traffic=Traffic.QUESTIONS)

    def _submit(
        self,
        transport: ProviderTransport,
        submission: Submission,
        credential: Credential,
        callback_url: str | None,
    ) -> SubmitResult:
        try:
            opened = self._tokens.opened(credential, transport)
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
        return submit(self._adapter, transport, submission, opened, callback_url)

    def _without_key(self, credential: Credential) -> AbstractContextManager[None]:
        """Errors within go on without the key, and without the token that it is exchanged for, maybe only within."""
        return errors_without_key(lambda: self._tokens.held(credential))

    def _about(self, remote: RemoteJob, update: ProviderUpdate) -> ProviderUpdate:
        if update.provider_job_id not in (None, remote.provider_job_id):
            raise ProviderError(
                f"{self._adapter.name} was asked for {remote.provider_job_id} and answered {update.provider_job_id}",
                code=FailureKind.UNKNOWN.value,
            )
        return update

    def _send(self, transport: ProviderTransport, request: HttpRequest, operation: Operation) -> HttpResponse:
        return transport.send(request, provider=self._adapter.name, operation=operation)


def _failure_of(pause: Pause) -> Failure:
    """Nothing was sent, so nothing is billed."""
    return Failure(pause.code, pause.words, True, pause.seconds, unbilled=True)
