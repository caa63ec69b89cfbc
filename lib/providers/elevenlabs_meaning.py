"""What ElevenLabs's errors mean in the gateway's words.

An error is JSON with one `detail`: an object with `type`, `code` and `message`; an older one with `status` and
`message`; or the list of FastAPI's validation.

| type (HTTP) | kind | but |
|---|---|---|
| validation_error, invalid_request (400, 422) | invalid input | voice_not_found: not found; bad_prompt: moderation |
| authentication_error (401) | authentication | quota_exceeded: billing |
| payment_required (402) | billing | |
| authorization_error (403) | authentication | a plan that lacks it: billing; a voice or model: invalid input |
| not_found (404) | not found | |
| conflict (409) | unknown | |
| rate_limit_error (429) | rate limited | quota_exceeded: billing |
| internal_error, service_unavailable (5xx) | outage | |

A code counts more than a type, and a type more than a status. Sources: the official client 2.78.0, elevenlabs.io/docs
(API reference, errors) and help.elevenlabs.io, "API - Error Code 400 or 401"; read November 2026.
"""

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind
from lib.providers.answers import clipped, retry_after_seconds
from lib.providers.elevenlabs_models import Invalid, Problem, Refusal
from lib.providers.status_kinds import PASSING_KINDS, kind_of_status, silence

_BY_CODE = {
    "quota_exceeded": FailureKind.BILLING,
    "insufficient_credits": FailureKind.BILLING,
    "feature_not_available": FailureKind.BILLING,
    "subscription_required": FailureKind.BILLING,
    "voice_access_denied": FailureKind.INVALID_INPUT,
    "model_access_denied": FailureKind.INVALID_INPUT,
    "max_character_limit_exceeded": FailureKind.INVALID_INPUT,
    "voice_not_found": FailureKind.NOT_FOUND,
    "model_not_found": FailureKind.NOT_FOUND,
    "bad_prompt": FailureKind.MODERATION,
    "bad_composition_plan": FailureKind.MODERATION,
    "rate_limit_exceeded": FailureKind.RATE_LIMITED,
    "concurrent_limit_exceeded": FailureKind.RATE_LIMITED,
    "too_many_concurrent_requests": FailureKind.RATE_LIMITED,
    "system_busy": FailureKind.RATE_LIMITED,
}
_BY_TYPE = {
    "validation_error": FailureKind.INVALID_INPUT,
    "invalid_request": FailureKind.INVALID_INPUT,
    "authentication_error": FailureKind.AUTHENTICATION,
    "payment_required": FailureKind.BILLING,
    "authorization_error": FailureKind.AUTHENTICATION,
    "not_found": FailureKind.NOT_FOUND,
    "rate_limit_error": FailureKind.RATE_LIMITED,
    "internal_error": FailureKind.OUTAGE,
    "service_unavailable": FailureKind.OUTAGE,
}
_SECONDS = {"concurrent_limit_exceeded": 5.0, "too_many_concurrent_requests": 5.0, "system_busy": 10.0}
"""How long to wait where ElevenLabs does not say: until requests of our own have ended, or its load is over."""


def failure_in_http(response: HttpResponse) -> Failure:
    """What an answer that is not 2xx says, in ElevenLabs's words where it has any."""
    problem = _problem_in(response)
    code = problem.code or problem.status
    kind = _BY_CODE.get(code) or _BY_TYPE.get(problem.type) or kind_of_status(response.status)
    wait = retry_after_seconds(response)
    return Failure(
        kind,
        _words(problem, code) or silence(response),
        retryable=kind in PASSING_KINDS,
        retry_after_seconds=_SECONDS.get(code) if wait is None else wait,
    )


def has_own_words(response: HttpResponse) -> bool:
    """Whether the body is an error in one of ElevenLabs's forms, which a proxy's page is not."""
    return _problem_in(response) != Problem()


def _problem_in(response: HttpResponse) -> Problem:
    """The error, whichever its form; an empty one where there is none."""
    match Refusal.of(response.body).detail:
        case Problem() as problem:
            return problem
        case str(words):
            return Problem(message=words.strip() or None)
        case tuple(items):
            return Problem(message="; ".join(filter(None, map(_where_and_what, items))) or None)
        case None:
            return Problem()


def _words(problem: Problem, code: str) -> str:
    about = f" ({problem.param})" if problem.param else ""
    return clipped(_joined(code, (problem.message or "") + about))


def _where_and_what(item: Invalid | None) -> str:
    return _joined(".".join(map(str, item.loc)), item.msg or "") if item else ""


def _joined(*words: str) -> str:
    return ": ".join(filter(None, map(str.strip, words)))
