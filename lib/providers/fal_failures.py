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
from lib.providers.answers import clipped, json_object, retry_after_seconds
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
_MOST_DETAILS = 20


def failure_in_body(body: Mapping[str, Any]) -> Failure:
    """Why a completed request failed, by its `error`, `error_type` and `detail`."""
    kind = _kind_by_type(body)
    if kind is None:
        kind = FailureKind.INVALID_INPUT if isinstance(body.get("detail"), list) else FailureKind.MODEL_ERROR
    return _failure(kind, _words(body) or "fal gave no reason")


def failure_in_http(response: HttpResponse) -> Failure:
    """What an answer that is not 2xx says, in fal's own words where it has any."""
    body = _with_type(response)
    kind = _kind_by_type(body) or _kind_by_status(response, body)
    words = _words(body) or silence(response)
    return _failure(kind, words, retry_after_seconds(response))


def is_own_error(response: HttpResponse) -> bool:
    """Whether the body is an error as fal's queue or its models write it."""
    body = json_object(response.body)
    return bool(_type_in_header(response)) or any(
        isinstance(body.get(name), str | list) and body[name] for name in ("detail", "error_type")
    )


def speaks_of_model(response: HttpResponse) -> bool:
    """Whether an answer to the question for a result is the failed model's own, and final.

    fal gives the model's status and body as they were. What speaks of the key or the question itself is not the
    model's, and neither is a 5xx that fal has not marked with a type.
    """
    status = response.status
    if status < 400 or status in _OF_THE_QUESTION:
        return False
    if status >= 500:
        return bool(_type_in_header(response) or _types(json_object(response.body)))
    return is_own_error(response) and not is_not_ready(response)


def is_not_ready(response: HttpResponse) -> bool:
    """Whether a result was asked for too soon; no code says so, only words."""
    return response.status == 400 and "still in progress" in _words(json_object(response.body)).lower()


def _failure(kind: FailureKind, words: str, wait: float | None = None) -> Failure:
    return Failure(
        kind,
        clipped(words),
        retryable=kind in PASSING_KINDS,
        retry_after_seconds=wait,
        unbilled=kind is FailureKind.OUTAGE,
    )


def _kind_by_type(body: Mapping[str, Any]) -> FailureKind | None:
    for found in _types(body):
        if found in _TYPES:
            return _TYPES[found]
        if found.startswith("runner_"):
            return FailureKind.OUTAGE
    return None


def _kind_by_status(response: HttpResponse, body: Mapping[str, Any]) -> FailureKind:
    status = response.status
    kind = kind_of_status(status, _OWN_STATUSES)
    if kind is FailureKind.NOT_FOUND and not is_own_error(response):
        return FailureKind.UNKNOWN  # some other server's page: it does not prove that fal has lost it
    if status == 403 and any(word in _words(body).lower() for word in ("balance", "locked")):
        return FailureKind.BILLING
    return kind


def _types(body: Mapping[str, Any]) -> list[str]:
    """The machine-readable words for what went wrong, in lower case."""
    detail = body.get("detail")
    entries = detail[:_MOST_DETAILS] if isinstance(detail, list) else []
    found = [body.get("error_type"), *(entry.get("type") for entry in entries if isinstance(entry, dict))]
    return [word.strip().lower() for word in found if isinstance(word, str) and word.strip()]


def _with_type(response: HttpResponse) -> Mapping[str, Any]:
    body, in_header = json_object(response.body), _type_in_header(response)
    return {"error_type": in_header, **body} if in_header else body


def _type_in_header(response: HttpResponse) -> str:
    return response.headers.get("x-fal-error-type", "").strip()


def _words(body: Mapping[str, Any]) -> str:
    """The error's text, and of each detail where it is and what is wrong there."""
    error = body.get("error")
    if isinstance(error, dict):
        error = error.get("message")
    detail = body.get("detail")
    said = [error] if isinstance(error, str) else []
    if isinstance(detail, str):
        said.append(detail)
    elif isinstance(detail, list):
        said += [_detail(entry) for entry in detail[:_MOST_DETAILS]]
    elif detail is not None:
        said.append(json.dumps(detail, ensure_ascii=False))
    return "; ".join(dict.fromkeys(text for text in said if text))


def _detail(entry: Any) -> str:
    if not isinstance(entry, dict):
        return str(entry)
    where = ".".join(map(str, entry["loc"])) if isinstance(entry.get("loc"), list) else ""
    return f"{where}: {entry.get('msg', '')}" if where else str(entry.get("msg", ""))
