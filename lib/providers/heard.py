"""What was heard of a provider during one use of it, for whoever decides when it is called again."""

from dataclasses import replace
from http import HTTPStatus

from lib.domain.http_exchange import HttpRequest, HttpResponse
from lib.domain.provider import Failure, FailureKind, SubmitResult
from lib.ports.provider import Operation, ProviderTransport, TransportError
from lib.providers.answers import retry_after_seconds

_SUBMITS = frozenset({Operation.SUBMIT, Operation.GENERATE})


class Heard:
    """A transport that remembers the last answer, or the silence, of the one below it. For one use, by one thread."""

    def __init__(self, transport: ProviderTransport) -> None:
        self._transport = transport
        self._failure: Failure | None = None
        self.anything = False
        self.error_inside = False
        """The last was HTTP 500 to a submit: the provider is there, and the input may be why it failed."""

    def send(self, request: HttpRequest, *, provider: str, operation: Operation) -> HttpResponse:
        """See `ProviderTransport`. What could not be sent was not heard of either."""
        try:
            answer = self._transport.send(request, provider=provider, operation=operation)
        except TransportError as error:
            self.anything, self._failure = True, Failure(FailureKind.OUTAGE, error.message, retryable=True)
            self.error_inside = False
            raise
        self.anything, self._failure = True, _failure_of(answer, operation)
        self.error_inside = answer.status == HTTPStatus.INTERNAL_SERVER_ERROR and operation in _SUBMITS
        return answer

    def failure(self) -> Failure | None:
        """OUTAGE after silence or a 5xx, RATE_LIMITED after a 429, with the wait that was asked for; else None."""
        return self._failure

    def failure_of_submit(self, result: SubmitResult) -> Failure | None:
        """The same, except where the adapter knows better what the answer meant."""
        judged = result.failure or (result.update.failure if result.update else None)
        if judged is None or judged.kind is FailureKind.UNKNOWN:
            return self._failure
        if judged.kind not in (FailureKind.OUTAGE, FailureKind.RATE_LIMITED):
            return None
        asked = self._failure.retry_after_seconds if self._failure else None
        return replace(judged, retry_after_seconds=judged.retry_after_seconds or asked)


def _failure_of(answer: HttpResponse, operation: Operation) -> Failure | None:
    """A result's 5xx may be the job's own failure, so it says nothing of the provider."""
    words, wait = f"HTTP {answer.status}", retry_after_seconds(answer)
    if answer.status == 429:
        return Failure(FailureKind.RATE_LIMITED, words, retryable=True, retry_after_seconds=wait)
    if answer.status >= 500 and operation is not Operation.RESULT:
        return Failure(FailureKind.OUTAGE, words, retryable=True, retry_after_seconds=wait)
    return None
