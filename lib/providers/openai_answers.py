"""What OpenAI's answers mean, given that each may have been billed and none can be asked for again.

| answer | outcome | why |
|---|---|---|
| 2xx with images or audio | accepted, succeeded | |
| 2xx with an empty `data` | accepted, failed | |
| 2xx with anything else | unknown | it was made, and we do not have it |
| 429 `insufficient_quota`, or with `x-should-retry: false` | refused | waiting does not help |
| other 429, and 409 | deferred | refused for now, before anything was made |
| 408, 5xx, redirects after which it may be done | unknown | it may have been made, and billed |
| other 4xx, and 301, 307, 308 | refused | judged and not made, or nothing is at this address |
"""

import math
import re
from dataclasses import replace

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import (
    Failure,
    FailureKind,
    ProviderOutput,
    ProviderUpdate,
    RemoteStatus,
    SubmitOutcome,
    SubmitResult,
)
from lib.providers.answers import MAX_WAIT_SECONDS, clipped, retry_after_seconds
from lib.providers.media_answer import body_output, media_output
from lib.providers.openai_models import Images, Problem, Refusal
from lib.providers.status_kinds import PASSING_KINDS, kind_of_status, silence
from lib.providers.submit_judgement import MOVED, is_judged, unread

_BY_CODE = {
    "moderation_blocked": FailureKind.MODERATION,
    "content_policy_violation": FailureKind.MODERATION,
    "insufficient_quota": FailureKind.BILLING,
    "billing_hard_limit_reached": FailureKind.BILLING,
    "billing_not_active": FailureKind.BILLING,
    "invalid_api_key": FailureKind.AUTHENTICATION,
    "model_not_found": FailureKind.NOT_FOUND,
    "rate_limit_exceeded": FailureKind.RATE_LIMITED,
}
_OWN_STATUSES = {409: FailureKind.OUTAGE, 415: FailureKind.INVALID_INPUT}
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_AUDIO = re.compile(r"audio/[\w.+-]+|application/octet-stream")


def judge_answer(response: HttpResponse) -> SubmitResult:
    """What became of a request; never raises, whatever the answer is."""
    if response.is_success:
        return _made(response)
    failure, status = failure_in_http(response), response.status
    if status in (409, 429) and failure.retryable:
        return SubmitResult(SubmitOutcome.DEFERRED, failure=replace(failure, unbilled=True))
    if is_judged(status):
        return SubmitResult(SubmitOutcome.REFUSED, failure=replace(failure, unbilled=True))
    return SubmitResult(SubmitOutcome.UNKNOWN, failure=failure)


def failure_in_http(response: HttpResponse) -> Failure:
    """What an answer of 4xx or 5xx (or a redirect) says, in OpenAI's own words if it has any."""
    status = response.status
    problem = Refusal.of(response.body).error or Problem()
    by_word = _BY_CODE.get(problem.code) or _BY_CODE.get(problem.type)
    kind = by_word or kind_of_status(status, _OWN_STATUSES)
    if status == 404 and problem == Problem():
        kind = FailureKind.UNKNOWN  # some other server's page
    return Failure(
        kind,
        clipped(problem.message or "") or _silence(response),
        retryable=kind in PASSING_KINDS and response.headers.get("x-should-retry", "").lower() != "false",
        retry_after_seconds=_wait(response),
    )


def _made(response: HttpResponse) -> SubmitResult:
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    images = Images.find(response.body)
    if images is not None:
        return _accepted(response, _outputs(images, response))
    if _AUDIO.fullmatch(content_type) and (response.body or response.blobs):
        return _accepted(response, (body_output(response),))
    return unread(response, "is neither images nor audio", may_be="made")


def _accepted(response: HttpResponse, outputs: tuple[ProviderOutput, ...]) -> SubmitResult:
    request_id = response.headers.get("x-request-id", "")
    failure = None if outputs else Failure(FailureKind.MODEL_ERROR, "OpenAI's answer has no image in it")
    update = ProviderUpdate(
        RemoteStatus.SUCCEEDED if outputs else RemoteStatus.FAILED,
        request_id if _REQUEST_ID.fullmatch(request_id) else None,
        outputs,
        failure=failure,
        progress=1.0 if outputs else None,
        raw_status=str(response.status),
        blobs=response.blobs,
    )
    return SubmitResult(SubmitOutcome.ACCEPTED, update)


def _outputs(images: Images, response: HttpResponse) -> tuple[ProviderOutput, ...]:
    content_type = f"image/{images.output_format or 'png'}"
    found = (image.b64_json or image.url for image in images.data if image)
    return tuple(media_output(value, response, content_type) for value in found if value)


def _wait(response: HttpResponse) -> float | None:
    """`retry-after-ms`, which is the finer of the two, or `retry-after`."""
    try:
        seconds = float(response.headers.get("retry-after-ms", "")) / 1000
    except ValueError:
        return retry_after_seconds(response)
    if not math.isfinite(seconds) or seconds < 0:
        return retry_after_seconds(response)
    return min(seconds, MAX_WAIT_SECONDS)


def _silence(response: HttpResponse) -> str:
    if response.status in MOVED:
        return f"HTTP {response.status}: OpenAI's base URL redirects; it must not"
    return silence(response)
