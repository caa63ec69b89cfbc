"""What Runway's tasks and errors mean in the gateway's words.

| a failed task's `failureCode` | kind |
|---|---|
| SAFETY.INPUT.*, SAFETY.OUTPUT.*, INPUT_PREPROCESSING.SAFETY.* | moderation |
| INPUT_PREPROCESSING.INTERNAL, THIRD_PARTY.*, none | outage, and may be tried again |
| INTERNAL.BAD_OUTPUT.*, other INTERNAL.* | model error, and may be tried again |
| ASSET.* | invalid input |
| any other | model error |

| answer | kind |
|---|---|
| 400 | invalid input, with each issue's path; without issues, and about credits, billing |
| 401, 403 | authentication |
| 404 in Runway's words | not found |
| 429 | rate limited: the day's generations are used up |
| 5xx | outage |

Source: docs.dev.runwayml.com/errors; read November 2026. The third part of a SAFETY code is for the operator only.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind, OutputKind, ProviderOutput, ProviderUpdate, RemoteStatus
from lib.providers.answers import clipped, json_object, retry_after_seconds
from lib.providers.status_kinds import PASSING_KINDS, kind_of_status, silence

TASK_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{7,63}")
CREDIT_USD = Decimal("0.01")
_MOST_CREDITS = 10**9

STATUSES = {
    "pending": RemoteStatus.QUEUED,
    "throttled": RemoteStatus.QUEUED,  # it was accepted, and waits until another task of the key has ended
    "running": RemoteStatus.RUNNING,
    "succeeded": RemoteStatus.SUCCEEDED,
    "failed": RemoteStatus.FAILED,
    "cancelled": RemoteStatus.CANCELED,
}
_FAMILIES = (
    ("SAFETY.", FailureKind.MODERATION, False),
    ("INPUT_PREPROCESSING.SAFETY", FailureKind.MODERATION, False),
    ("INPUT_PREPROCESSING.INTERNAL", FailureKind.OUTAGE, True),
    ("THIRD_PARTY.", FailureKind.OUTAGE, True),
    ("INTERNAL", FailureKind.MODEL_ERROR, True),
    ("ASSET.", FailureKind.INVALID_INPUT, False),
)


def update_from(task: Mapping[str, Any]) -> ProviderUpdate | None:
    """What a task says; None for what is none. A status that we do not know stays non-final."""
    task_id, word = task.get("id"), task.get("status")
    if not isinstance(task_id, str) or not TASK_ID.fullmatch(task_id):
        return None
    word = word.strip() if isinstance(word, str) else ""
    status = STATUSES.get(word.lower(), RemoteStatus.UNKNOWN)
    credits_ = _credits(task.get("cost")) if status.final else None
    return ProviderUpdate(
        status=status,
        provider_job_id=task_id,
        outputs=_outputs(task.get("output")) if status is RemoteStatus.SUCCEEDED else (),
        failure=_failure_of(task, status, credits_),
        progress=1.0 if status is RemoteStatus.SUCCEEDED else _fraction(task.get("progress")),
        raw_status=word,
        cost_usd=None if credits_ is None else credits_ * CREDIT_USD,
    )


def failure_in_http(response: HttpResponse) -> Failure:
    """What an answer that is not 2xx says, in Runway's own words where it has any."""
    status, own = response.status, is_own_error(response)
    kind = kind_of_status(status)
    body = json_object(response.body)
    if status == 400 and "issues" not in body and "enough credits" in _words(body).lower():
        kind = FailureKind.BILLING  # it has no code
    if kind is FailureKind.NOT_FOUND and not own:
        kind = FailureKind.UNKNOWN  # some other server's page: it does not prove that Runway has lost it
    return Failure(
        kind,
        clipped(_words(body)) or silence(response),
        retryable=kind in PASSING_KINDS,
        retry_after_seconds=retry_after_seconds(response),
        unbilled=own and status != 500,  # an error inside may come after the task was made
    )


def is_own_error(response: HttpResponse) -> bool:
    """Whether the body is an error as Runway writes it."""
    return isinstance(json_object(response.body).get("error"), str)


def _failure_of(task: Mapping[str, Any], status: RemoteStatus, credits_: Decimal | None) -> Failure | None:
    # Runway tells what a task that has ended was charged: 0 is proof that nothing was.
    unbilled = credits_ == 0
    match status:
        case RemoteStatus.CANCELED:
            return Failure(FailureKind.CANCELED, "Runway says: CANCELLED", unbilled=unbilled)
        case RemoteStatus.FAILED:
            return _failed(task, unbilled=unbilled)
        case _:
            return None


def _failed(task: Mapping[str, Any], *, unbilled: bool) -> Failure:
    code, words = task.get("failureCode"), task.get("failure")
    code = code.strip() if isinstance(code, str) else ""
    words = words if isinstance(words, str) and words.strip() else "Runway gave no reason"
    kind, retryable = (FailureKind.OUTAGE, True) if not code else (FailureKind.MODEL_ERROR, False)
    for family, of_family, may_be_tried_again in _FAMILIES:
        if code.upper().startswith(family):
            kind, retryable = of_family, may_be_tried_again
            break
    shown = ".".join(code.split(".")[:2]) if kind is FailureKind.MODERATION else code
    message = f"{words.strip()} ({shown})" if shown else words
    return Failure(kind, clipped(message), retryable=retryable, unbilled=unbilled)


def _outputs(found: Any) -> tuple[ProviderOutput, ...]:
    values = found if isinstance(found, list) else [found]
    return tuple(
        ProviderOutput(OutputKind.URL, value.strip())
        for value in values
        if isinstance(value, str) and value.strip().lower().startswith(("https://", "http://"))
    )


def _credits(cost: Any) -> Decimal | None:
    found = cost.get("credits") if isinstance(cost, dict) else None
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= _MOST_CREDITS:
        return None
    return Decimal(str(found))


def _fraction(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 - NaN
        return None
    return min(max(float(value), 0.0), 1.0)


def _words(body: Mapping[str, Any]) -> str:
    """The error and, of a refused input, what is wrong where."""
    error = body.get("error")
    issues = body.get("issues")
    said = [error] if isinstance(error, str) else []
    for issue in issues[:20] if isinstance(issues, list) else []:
        if isinstance(issue, dict) and isinstance(issue.get("message"), str):
            path = issue.get("path")
            where = ".".join(map(str, path)) if isinstance(path, list) else ""
            said.append(f"{where}: {issue['message']}" if where else issue["message"])
    return "; ".join(said)
