"""What Google's APIs mean by their errors: HTTP answers, and the `error` of an operation or an interaction.

| status or code | kind |
|---|---|
| INVALID_ARGUMENT, OUT_OF_RANGE, FAILED_PRECONDITION, `invalid_request` | invalid input |
| the same with the reason API_KEY_INVALID | authentication |
| the same, or PERMISSION_DENIED, about billing | billing |
| UNAUTHENTICATED, PERMISSION_DENIED | authentication |
| NOT_FOUND | not found |
| RESOURCE_EXHAUSTED | rate limited |
| INTERNAL, UNAVAILABLE, DEADLINE_EXCEEDED, ABORTED, UNKNOWN | outage |
| CANCELLED | canceled |
| a refusal by its usage guidelines, in words alone | moderation |

Sources: cloud.google.com/apis/design/errors, github.com/googleapis/googleapis google/rpc/code.proto and
error_details.proto, ai.google.dev/gemini-api/docs/troubleshooting; read November 2026.
"""

import re
from dataclasses import replace

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind, SubmitOutcome, SubmitResult
from lib.providers.answers import MAX_WAIT_SECONDS, clipped, retry_after_seconds
from lib.providers.google_models import Envelope, Error
from lib.providers.status_kinds import PASSING_KINDS, silence
from lib.providers.submit_judgement import is_judged

_BY_WORD = {
    "invalid_argument": FailureKind.INVALID_INPUT,
    "out_of_range": FailureKind.INVALID_INPUT,
    "failed_precondition": FailureKind.INVALID_INPUT,
    "invalid_request": FailureKind.INVALID_INPUT,
    "already_exists": FailureKind.INVALID_INPUT,
    "unimplemented": FailureKind.INVALID_INPUT,
    "unauthenticated": FailureKind.AUTHENTICATION,
    "permission_denied": FailureKind.AUTHENTICATION,
    "not_found": FailureKind.NOT_FOUND,
    "resource_exhausted": FailureKind.RATE_LIMITED,
    "internal": FailureKind.OUTAGE,
    "unavailable": FailureKind.OUTAGE,
    "deadline_exceeded": FailureKind.OUTAGE,
    "aborted": FailureKind.OUTAGE,
    "unknown": FailureKind.OUTAGE,
    "data_loss": FailureKind.OUTAGE,
    "cancelled": FailureKind.CANCELED,
}
_BY_HTTP_STATUS = {
    400: "invalid_argument",
    401: "unauthenticated",
    402: "resource_exhausted",
    403: "permission_denied",
    404: "not_found",
    408: "deadline_exceeded",
    409: "aborted",
    413: "invalid_argument",
    422: "invalid_argument",
    429: "resource_exhausted",
    499: "cancelled",
}
# google.rpc.Code, in order: what the `error` of an operation has where HTTP has a status.
_RPC_CODES = (
    "ok",
    "cancelled",
    "unknown",
    "invalid_argument",
    "deadline_exceeded",
    "not_found",
    "already_exists",
    "permission_denied",
    "resource_exhausted",
    "failed_precondition",
    "aborted",
    "out_of_range",
    "unimplemented",
    "internal",
    "unavailable",
    "data_loss",
    "unauthenticated",
)
# There is no code for it: only Google's sentences tell a refused prompt from a malformed one.
_REFUSED = re.compile(
    r"usage guidelines|responsible ai|safety (?:filter|polic|setting)|prohibited", re.IGNORECASE
)
_REFUSED_WORD = re.compile(r"safety|prohibited|policy|responsible_ai")
_BILLING = re.compile(r"\bbilling\b", re.IGNORECASE)
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")  # protobuf's, as JSON has it

NOTHING = Error()
"""An error that says nothing."""


def failure_in_http(response: HttpResponse) -> Failure:
    """What an answer of 4xx or 5xx says, in Google's words where it has any."""
    status = response.status
    error = envelope(response)
    word = _BY_HTTP_STATUS.get(status, "internal" if status >= 500 else "")
    failure = failure_in_error(error, word, silence(response))
    if status == 404 and error == NOTHING:
        # some other server's page: it does not prove that Google has lost it
        return Failure(FailureKind.UNKNOWN, failure.message)
    if failure.retry_after_seconds is None:
        return replace(failure, retry_after_seconds=retry_after_seconds(response))
    return failure


def failure_in_error(error: Error, default: str = "", silence: str = "") -> Failure:
    """What an error says. `default` is the word where it has none, `silence` the message."""
    word = _word(error) or default
    text = clipped(error.message or "")
    kind = _BY_WORD.get(word) or _BY_WORD.get(default) or FailureKind.UNKNOWN
    reasons = {detail.reason for detail in error.details}
    if kind is FailureKind.INVALID_INPUT and "api_key_invalid" in reasons:
        kind = FailureKind.AUTHENTICATION
    elif kind in (FailureKind.INVALID_INPUT, FailureKind.AUTHENTICATION) and (
        "billing_disabled" in reasons or _BILLING.search(text)
    ):
        kind = FailureKind.BILLING
    elif kind in (FailureKind.INVALID_INPUT, FailureKind.UNKNOWN) and (
        _REFUSED.search(text) or _REFUSED_WORD.search(word)
    ):
        kind = FailureKind.MODERATION
    return Failure(
        kind,
        text or silence or f"Google says: {word or 'nothing'}",
        retryable=kind in PASSING_KINDS,
        retry_after_seconds=_retry_delay(error),
    )


def judge(response: HttpResponse) -> SubmitResult:
    """What became of a create that was not answered with a job.

    | answer | outcome | why |
    |---|---|---|
    | 429 | deferred | it was refused, and may say when to come back |
    | 503 with UNAVAILABLE in Google's own words | deferred | refused by load; no job was named |
    | 408 | unknown | a proxy may have given up waiting for an answer |
    | other 4xx, and 301, 307, 308 | refused | judged and not taken, or nothing is at this address |
    | any other | unknown | INTERNAL and DEADLINE_EXCEEDED may come after the work began |
    """
    status, failure = response.status, failure_in_http(response)
    if status == 429 or (status == 503 and _word(envelope(response)) == "unavailable"):
        return SubmitResult(SubmitOutcome.DEFERRED, failure=unbilled(failure))
    if is_judged(status):
        return SubmitResult(SubmitOutcome.REFUSED, failure=unbilled(failure))
    return SubmitResult(SubmitOutcome.UNKNOWN, failure=failure)


def unbilled(failure: Failure) -> Failure:
    """The failure of what was not made and is not charged."""
    return replace(failure, unbilled=True)


def envelope(response: HttpResponse) -> Error:
    """The error of an answer, NOTHING where there is none. Google sometimes wraps it in a list."""
    body = response.body.strip()
    if body.startswith(b"[") and body.endswith(b"]"):
        body = body[1:-1]
    return Envelope.of(body).error or NOTHING


def _word(error: Error) -> str:
    if error.status:
        return error.status
    if isinstance(error.code, str):
        return error.code.rpartition("/")[2].lower()
    return _RPC_CODES[error.code] if error.code and 0 < error.code < len(_RPC_CODES) else ""


def _retry_delay(error: Error) -> float | None:
    for detail in error.details:
        said = _DURATION.fullmatch(detail.retry_delay or "")
        if said:
            return min(float(said[1]), MAX_WAIT_SECONDS)
    return None
