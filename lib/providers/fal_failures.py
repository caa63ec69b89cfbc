"""Why fal refused or failed, in the gateway's words.

| `error_type`, or a detail's `type` | kind |
|---|---|
| client_cancelled, client_disconnected | canceled |
| content_policy_violation | moderation |
| request_timeout, startup_timeout, generation_timeout | outage, and may be tried again |
| runner_*, internal_error, internal_server_error, downstream_service_* | outage, and may be tried again |
| no_media_generated | model error |
| bad_request, and any other detail of a 422 | invalid input |

| answer without these | kind |
|---|---|
| 400, 413, 422 | invalid input |
| 401 | authentication |
| 402, 403 with "balance" or "locked" | billing |
| another 403 | authentication |
| 404 in fal's words | not found |
| 429 | rate limited |
| 5xx | outage |

A completed request that failed by a server error costs nothing; what else is billed is not said
(fal.ai/docs/documentation/model-apis/pricing, read November 2026).
"""

import json
from collections.abc import Mapping
from typing import Any

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind
from lib.providers.answers import clipped, retry_after_seconds
from lib.providers.fal_models import Problem
from lib.providers.fastapi_models import faults_in, words_of
from lib.providers.status_kinds import PASSING_KINDS, kind_of_status, silence

_TYPES: Mapping[str, FailureKind] = {
    "client_cancelled": FailureKind.CANCELED,
    "client_disconnected": FailureKind.CANCELED,
    "content_policy_violation": FailureKind.MODERATION,
    "request_timeout": FailureKind.OUTAGE,
    "startup_timeout": FailureKind.OUTAGE,
    "internal_error": FailureKind.OUTAGE,
    "internal_server_error": FailureKind.OUTAGE,
    "generation_timeout": FailureKind.OUTAGE,
    "downstream_service_error": FailureKind.OUTAGE,
    "downstream_service_unavailable": FailureKind.OUTAGE,
    "no_media_generated": FailureKind.MODEL_ERROR,
    "bad_request": FailureKind.INVALID_INPUT,
}
_OWN_STATUSES = {499: FailureKind.CANCELED}
_OF_THE_QUESTION = (401, 403, 404, 408, 429)


def failure_of(problem: Problem) -> Failure:
    """Why a completed request failed, by its `error`, `error_type` and `detail`."""
    kind = _kind_by_type(problem)
    if kind is None:
        kind = FailureKind.INVALID_INPUT if isinstance(problem.detail, tuple) else FailureKind.MODEL_ERROR
    return _failure(kind, _words(problem) or "fal gave no reason")


def failure_in_http(response: HttpResponse) -> Failure:
    """What an answer that is not 2xx says, in fal's own words where it has any."""
    problem = _problem_in(response)
    kind = _kind_by_type(problem) or _kind_by_status(response.status, problem)
    return _failure(kind, _words(problem) or silence(response), retry_after_seconds(response))


def is_own_error(response: HttpResponse) -> bool:
    """Whether the body is an error as fal's queue or its models write it."""
    return _is_own(_problem_in(response))


def speaks_of_model(response: HttpResponse) -> bool:
    """Whether an answer to the question for a result is the failed model's own, and final.

    fal gives the model's status and body as they were. What speaks of the key or the question itself is not the
    model's, and neither is a 5xx that fal has not marked with a type.
    """
    status = response.status
    if status < 400 or status in _OF_THE_QUESTION:
        return False
    if status >= 500:
        return bool(_types(_problem_in(response)))
    return is_own_error(response) and not is_not_ready(response)


def is_not_ready(response: HttpResponse) -> bool:
    """Whether a result was asked for too soon; no code says so, only words."""
    return response.status == 400 and "still in progress" in _words(Problem.of(response.body)).lower()


def _problem_in(response: HttpResponse) -> Problem:
    """The error in an answer; its type may stand in a header alone."""
    problem, in_header = Problem.of(response.body), response.headers.get("x-fal-error-type", "").strip()
    return (
        problem
        if problem.error_type or not in_header
        else problem.model_copy(update={"error_type": in_header})
    )


def _failure(kind: FailureKind, words: str, wait: float | None = None) -> Failure:
    return Failure(
        kind,
        clipped(words),
        retryable=kind in PASSING_KINDS,
        retry_after_seconds=wait,
        unbilled=kind is FailureKind.OUTAGE,
    )


def _kind_by_type(problem: Problem) -> FailureKind | None:
    for found in _types(problem):
        if found in _TYPES:
            return _TYPES[found]
        if found.startswith("runner_"):
            return FailureKind.OUTAGE
    return None


def _kind_by_status(status: int, problem: Problem) -> FailureKind:
    kind = kind_of_status(status, _OWN_STATUSES)
    if kind is FailureKind.NOT_FOUND and not _is_own(problem):
        return FailureKind.UNKNOWN  # some other server's page: it does not prove that fal has lost it
    if status == 403 and any(word in _words(problem).lower() for word in ("balance", "locked")):
        return FailureKind.BILLING
    return kind


def _is_own(problem: Problem) -> bool:
    return bool(problem.error_type or (isinstance(problem.detail, str | tuple) and problem.detail))


def _types(problem: Problem) -> list[str]:
    """The machine-readable words for what went wrong, in lower case."""
    found = (problem.error_type, *(fault.type for fault in faults_in(problem.detail)))
    return [word.strip().lower() for word in found if word and word.strip()]


def _words(problem: Problem) -> str:
    """The error's text, and of each detail where it is and what is wrong there."""
    said = (_words_of_error(problem.error), words_of(problem.detail))
    return "; ".join(dict.fromkeys(text for text in said if text))


def _words_of_error(error: Any) -> str:
    match error:
        case str(text) | {"message": str(text)}:
            return text
        case _:
            return json.dumps(error, ensure_ascii=False) if error else ""
