"""What Stability's answers mean in the gateway's words.

| answer | kind |
|---|---|
| 400 bad_request, 413 payload_too_large, 422 invalid_language, 422 public_figure | invalid input |
| 401 unauthorized | authentication |
| 402 | billing |
| 403 content_moderation; a result whose `finish-reason` is CONTENT_FILTERED | moderation |
| another 403 | authentication |
| 404 not_found in Stability's words | not found |
| 429 rate_limit_exceeded | rate limited, for 60 seconds unless it says otherwise |
| 5xx, 408 | outage |

A refused request and a failed generation cost nothing; a filtered one was made, and counts
(platform.stability.ai/docs/api-reference; read November 2026).
"""

import re

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind, ProviderOutput, ProviderUpdate, RemoteStatus
from lib.providers.answers import clipped, retry_after_seconds
from lib.providers.media_answer import body_output, media_output
from lib.providers.stability_models import Problem, Result
from lib.providers.status_kinds import PASSING_KINDS, kind_of_status, silence

LOCKED_OUT_SECONDS = 60.0
"""How long a key is locked out after 150 requests in 10 seconds; no header says it."""

_MEDIA_TYPES = ("image/", "audio/", "video/", "application/octet-stream")
_FILTERED = "CONTENT_FILTERED"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def failure_in_http(response: HttpResponse) -> Failure:
    """What an answer that is not 2xx says, in Stability's words where it has any."""
    kind, problem = kind_of_status(response.status), problem_in(response)
    if problem and problem.name == "content_moderation":
        kind = FailureKind.MODERATION
    if kind is FailureKind.NOT_FOUND and problem is None:
        kind = FailureKind.OUTAGE  # some other server's page: it does not prove that Stability has lost it
    wait = retry_after_seconds(response)
    if kind is FailureKind.RATE_LIMITED and wait is None:
        wait = LOCKED_OUT_SECONDS
    return Failure(
        kind,
        _words(problem) if problem else silence(response),
        retryable=kind in PASSING_KINDS,
        retry_after_seconds=wait,
        unbilled=problem is not None,
    )


def problem_in(response: HttpResponse) -> Problem | None:
    """Stability's error; None where the body is none of its errors, which have a name and a place for reasons."""
    problem = Problem.of(response.body)
    has_reasons = problem.errors is not None or problem.message is not None
    return problem if problem.name and has_reasons else None


def result_in(response: HttpResponse) -> ProviderUpdate | None:
    """The result that a 2xx brings, as bytes or in JSON; None where it brings none."""
    result = Result.of(response.body)
    output = _output(response, result)
    if output is None:
        return None
    said = response.headers.get("finish-reason") or result.finish_reason or "SUCCESS"
    seed = response.headers.get("seed") or result.seed
    raw_status = f"{said}, seed {seed}" if seed not in (None, "") else said
    identity = response.headers.get("x-request-id", "")
    update = ProviderUpdate(
        RemoteStatus.SUCCEEDED,
        identity if _REQUEST_ID.fullmatch(identity) else None,
        (output,),
        progress=1.0,
        raw_status=raw_status[:200],
        blobs=response.blobs,
    )
    return _filtered(update) if said.strip().upper() == _FILTERED else update


def _filtered(update: ProviderUpdate) -> ProviderUpdate:
    words = "The output violated Stability's content policy, and was blurred or silenced (CONTENT_FILTERED)"
    return ProviderUpdate(
        RemoteStatus.FAILED,
        update.provider_job_id,
        failure=Failure(FailureKind.MODERATION, words),
        raw_status=update.raw_status,
    )


def _output(response: HttpResponse, result: Result) -> ProviderOutput | None:
    content_type = response.headers.get("content-type", "").strip().lower()
    in_json = ((result.image, "image/png"), (result.audio, "audio/mpeg"), (result.video, "video/mp4"))
    for value, default in in_json:
        if value:
            # "application/json; type=image/png" says what the base64 is
            _, _, said = content_type.partition("type=")
            return media_output(value, response, said.partition(";")[0].strip() or default)
    is_media = content_type.startswith(_MEDIA_TYPES)
    if (response.blobs and not response.body) or (is_media and response.body):
        return body_output(response)
    return None


def _words(problem: Problem) -> str:
    reasons = "; ".join(filter(None, (*map(str, problem.errors or ()), problem.message)))
    return clipped(f"{problem.name}: {reasons}" if reasons else problem.name)
