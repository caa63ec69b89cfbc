"""The one table from errors to HTTP: every error becomes `application/problem+json` (RFC 9457)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lib.domain.errors import (
    BadRequestError,
    ConflictError,
    EncryptionNotConfiguredError,
    FieldError,
    ForbiddenError,
    GatewayError,
    InvalidError,
    NotFoundError,
    ProviderError,
    RateLimitedError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
)
from lib.ports.tier import TierUnavailableError

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5
MOST_ERRORS = 200
"""A body of 1 MB can be wrong in a hundred thousand places, and what Lambda may answer ends at 6 MB."""

TITLES = {
    400: "The request cannot be read",
    401: "Who are you?",
    402: "Not enough credit",
    403: "You may not do this",
    404: "Not there, or not yours",
    405: "No such method here",
    409: "It contradicts what is recorded",
    413: "Too large",
    422: "Read, but wrong",
    429: "Too many requests",
    500: "The gateway failed",
    503: "Not available now",
}
STATUSES: Mapping[type[GatewayError], int] = {
    BadRequestError: 400,
    UnauthenticatedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    TooLargeError: 413,
    InvalidError: 422,
    RateLimitedError: 429,
    UnavailableError: 503,
    EncryptionNotConfiguredError: 503,
}


class MethodNotAllowedError(GatewayError):
    """The path is known, and has no such method; `allowed` are those it has."""

    code = "method_not_allowed"

    def __init__(self, message: str, allowed: str) -> None:
        super().__init__(message)
        self.allowed = allowed


def status_of(error: GatewayError) -> int:
    """The HTTP status of an error; 500 for what is the operator's affair."""
    if isinstance(error, ProviderError):
        return _status_of_refusal(error)
    if isinstance(error, MethodNotAllowedError):
        return 405
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    return 500


def _status_of_refusal(error: ProviderError) -> int:
    """422 for what the request itself is at fault of; the other refusals are between provider and operator."""
    from lib.domain.provider import FailureKind as Kind  # noqa: PLC0415 - 4 ms of each cold start of a status

    faults = (Kind.MODERATION, Kind.INVALID_INPUT, Kind.MODEL_ERROR, Kind.NOT_FOUND)
    return 422 if error.code in faults else 503


def as_gateway_error(error: Exception) -> GatewayError:
    """The error as callers may see it: anything unexpected says nothing of our insides."""
    if isinstance(error, TierUnavailableError):
        return UnavailableError("A store that this needs is not available right now; try again shortly.")
    if isinstance(error, GatewayError) and status_of(error) != 500:
        return error
    return GatewayError("Something went wrong in the gateway. The request id finds it in the operator's log.")


def problem_body(error: GatewayError, request_id: str) -> dict[str, Any]:
    """The problem: `type, title, status, detail` and our `code, success, retryable, errors, requestId`."""
    status = status_of(error)
    body: dict[str, Any] = {
        "type": f"/docs#problem-{error.code}",
        "title": TITLES[status],
        "status": status,
        "detail": error.message,
        "code": error.code,
        "success": False,
        "retryable": error.retryable,
        "errors": [{"path": item.path, "message": item.message} for item in _told(error.errors)],
        "requestId": request_id,
    }
    if error.job_id is not None:
        body["jobId"] = error.job_id
    return body


def _told(errors: Sequence[FieldError]) -> Sequence[FieldError]:
    """All of them, or as many as an answer can hold and how many more there are."""
    if len(errors) <= MOST_ERRORS:
        return errors
    return [*errors[:MOST_ERRORS], FieldError("", f"and {len(errors) - MOST_ERRORS} more")]


def problem_headers(error: GatewayError) -> dict[str, str]:
    """`Retry-After` in whole seconds on 429 and 503 and wherever it is known; what 401 and 405 need."""
    status = status_of(error)
    headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
    seconds = error.retry_after_seconds
    if seconds is None and status in (429, 503):
        seconds = RETRY_AFTER_SECONDS
    if seconds is not None:
        headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="vsl"'
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = error.allowed
    return headers
