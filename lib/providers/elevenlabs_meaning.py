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

from collections.abc import Iterator, Mapping
from typing import Any

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind
from lib.providers.answers import clipped, json_object, retry_after_seconds
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
    detail = detail_of(response)
    code, kind_word = _word(detail, "code") or _word(detail, "status"), _word(detail, "type")
    kind = _BY_CODE.get(code) or _BY_TYPE.get(kind_word) or kind_of_status(response.status)
    wait = retry_after_seconds(response)
    return Failure(
        kind,
        _words(response, code),
        retryable=kind in PASSING_KINDS,
        retry_after_seconds=_SECONDS.get(code) if wait is None else wait,
    )


def has_own_words(response: HttpResponse) -> bool:
    """Whether the body is an error as ElevenLabs writes it: a proxy's page has no `detail`."""
    return bool(json_object(response.body).get("detail"))


def detail_of(response: HttpResponse) -> Mapping[str, Any]:
    """The `detail` object, of either form; empty where there is none."""
    detail = json_object(response.body).get("detail")
    return detail if isinstance(detail, dict) else {}


def _word(detail: Mapping[str, Any], name: str) -> str:
    value = detail.get(name)
    return value.strip().lower() if isinstance(value, str) else ""


def _words(response: HttpResponse, code: str) -> str:
    detail = json_object(response.body).get("detail")
    if isinstance(detail, dict):
        message = detail.get("message")
        message = message.strip() if isinstance(message, str) else ""
        param = detail.get("param")
        about = f" ({param})" if isinstance(param, str) and param else ""
        return clipped(f"{code}: {message}{about}".strip(": ")) or silence(response)
    if isinstance(detail, list):
        return clipped("; ".join(_problems(detail))) or silence(response)
    if isinstance(detail, str) and detail.strip():
        return clipped(detail)
    return silence(response)


def _problems(detail: list[Any]) -> Iterator[str]:
    """FastAPI's list: where the problem is, and what it is."""
    for problem in detail:
        if isinstance(problem, dict):
            where = problem.get("loc")
            path = ".".join(map(str, where)) if isinstance(where, list) else ""
            yield f"{path}: {problem.get('msg', '')}".strip(": ")
