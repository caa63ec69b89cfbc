"""Errors as Google's APIs write them, and the bytes of files inside JSON."""

import base64
from typing import Any

from starlette.responses import JSONResponse, Response

from local.simulation.media_items import MediaItem

_WORDS = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    403: ("PERMISSION_DENIED", "The caller does not have permission."),
    404: ("NOT_FOUND", "Requested entity was not found."),
    429: ("RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    500: ("INTERNAL", "Internal error encountered."),
    503: ("UNAVAILABLE", "The service is currently unavailable."),
}


def google_error(
    status: int, message: str = "", *, word: str = "", reason: str = "", retry_seconds: int = 0
) -> Response:
    """The error envelope of Google's APIs, with an ErrorInfo or a RetryInfo where there is something to say."""
    default_word, default_message = _WORDS.get(status, ("UNKNOWN", "Unknown error."))
    details: list[dict[str, Any]] = []
    if reason:
        info = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason,
            "domain": "googleapis.com",
        }
        details.append(info)
    if retry_seconds:
        retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{retry_seconds}s"}
        details.append(retry)
    error: dict[str, Any] = {
        "code": status,
        "message": message or default_message,
        "status": word or default_word,
        **({"details": details} if details else {}),
    }
    return JSONResponse({"error": error}, status)


def error_answer(status: int, retry_after: int) -> Response:
    """The answer of a request fault: Google has no 402 and no 422."""
    match status:
        case 402:
            words = "This API method requires billing to be enabled."
            return google_error(403, words, reason="BILLING_DISABLED")
        case 422:
            return google_error(400)
        case 429:
            return google_error(429, retry_seconds=retry_after)
        case _:
            return google_error(status)


def base64_of(item: MediaItem) -> str:
    """A file's bytes, with what its faults make of them, as text."""
    return base64.b64encode(item.bytes()).decode()
