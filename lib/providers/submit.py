"""The rules of submitting: a job is paid for once (docs/architecture.md, submit safety).

answer                        safety `none`     `idempotency_key`, `own_id`
it provably never left        deferred          deferred
refused (4xx)                 refused           refused
refused for now (429, 5xx)    deferred          deferred
accepted                      accepted          accepted
no answer, or no telling      unknown           deferred: sending it again is safe
"""

from dataclasses import replace
from http import HTTPStatus

from lib.domain.errors import GatewayError, InvalidError
from lib.domain.http_exchange import Delivery, HttpResponse
from lib.domain.provider import (
    Credential,
    Failure,
    FailureKind,
    Submission,
    SubmitOutcome,
    SubmitResult,
    SubmitSafety,
)
from lib.ports.provider import Operation, ProviderAdapter, ProviderTransport, TransportError


def submit(
    adapter: ProviderAdapter,
    transport: ProviderTransport,
    submission: Submission,
    credential: Credential,
    callback_url: str | None,
) -> SubmitResult:
    """Send one submit, at most once, and return what became of it.

    UNKNOWN comes only from an adapter without submit safety, and must not be sent again. Never raises for
    what a network or a provider does; a submission that cannot be built or written is REFUSED, unsent.
    """
    try:
        request = adapter.submit_request(submission, credential, callback_url)
        operation = Operation.GENERATE if adapter.is_synchronous(submission.model_ref) else Operation.SUBMIT
        response = transport.send(request, provider=adapter.name, operation=operation)
    except TransportError as error:
        return _of_silence(error, adapter.traits.submit_safety)
    except GatewayError as error:
        kind = FailureKind.INVALID_INPUT if isinstance(error, InvalidError) else FailureKind.UNKNOWN
        return SubmitResult(SubmitOutcome.REFUSED, failure=Failure(kind, error.message, unbilled=True))
    result = _judged(adapter, response)
    about = result.update.provider_job_id if result.update else None
    if adapter.traits.submit_safety is SubmitSafety.OWN_ID and about not in (None, submission.own_id):
        failure = Failure(
            FailureKind.UNKNOWN, "the answer is about another prediction than the one that was sent"
        )
        return _unless_repeatable(
            SubmitResult(SubmitOutcome.UNKNOWN, failure=failure), adapter.traits.submit_safety
        )
    return result


def _of_silence(error: TransportError, safety: SubmitSafety) -> SubmitResult:
    failure = Failure(FailureKind.OUTAGE, error.message, retryable=True)
    if error.delivery is Delivery.NEVER_LEFT:
        return SubmitResult(SubmitOutcome.DEFERRED, failure=replace(failure, unbilled=True))
    return _unless_repeatable(SubmitResult(SubmitOutcome.UNKNOWN, failure=failure), safety)


def _judged(adapter: ProviderAdapter, response: HttpResponse) -> SubmitResult:
    try:
        result = adapter.parse_submit(response)
    except Exception as error:  # noqa: BLE001 - the provider may have taken it: a bug of ours must not send it twice
        message = (
            f"HTTP {response.status}, and {adapter.name}'s adapter could not read it: {type(error).__name__}"
        )
        result = SubmitResult(SubmitOutcome.UNKNOWN, failure=Failure(FailureKind.UNKNOWN, message))
    inside = response.status == HTTPStatus.INTERNAL_SERVER_ERROR
    if result.outcome is SubmitOutcome.DEFERRED and result.failure is not None and not inside:
        # What was not taken costs nothing. Whether an error inside came before the work, the adapter knows or nobody.
        result = replace(result, failure=replace(result.failure, unbilled=True))
    return _unless_repeatable(result, adapter.traits.submit_safety)


def _unless_repeatable(result: SubmitResult, safety: SubmitSafety) -> SubmitResult:
    if result.outcome is SubmitOutcome.UNKNOWN and safety is not SubmitSafety.NONE:
        failure = result.failure and replace(result.failure, unbilled=False)
        return SubmitResult(SubmitOutcome.DEFERRED, failure=failure)
    return result
