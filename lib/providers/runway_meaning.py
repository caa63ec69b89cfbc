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

from decimal import Decimal

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind, OutputKind, ProviderOutput, ProviderUpdate, RemoteStatus
from lib.providers.answers import clipped, retry_after_seconds
from lib.providers.runway_models import Problem, Task
from lib.providers.status_kinds import PASSING_KINDS, kind_of_status, silence

CREDIT_USD = Decimal("0.01")
_MOST_ISSUES = 20

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


def update_from(task: Task) -> ProviderUpdate:
    """What a task says; never raises. A status that we do not know stays non-final."""
    word = (task.status or "").strip()
    status = STATUSES.get(word.lower(), RemoteStatus.UNKNOWN)
    credits_ = _credits(task) if status.final else None
    return ProviderUpdate(
        status=status,
        provider_job_id=task.id,
        outputs=_outputs(task) if status is RemoteStatus.SUCCEEDED else (),
        failure=_failure_of(task, status, credits_),
        progress=1.0 if status is RemoteStatus.SUCCEEDED else _fraction(task.progress),
        raw_status=word,
        cost_usd=None if credits_ is None else credits_ * CREDIT_USD,
    )


def failure_in_http(response: HttpResponse) -> Failure:
    """What an answer that is not 2xx says, in Runway's own words where it has any."""
    status = response.status
    problem = Problem.of(response.body)
    kind, words, own = kind_of_status(status), _words(problem), problem.error is not None
    if status == 400 and not problem.issues and "enough credits" in words.lower():
        kind = FailureKind.BILLING  # it has no code
    if kind is FailureKind.NOT_FOUND and not own:
        kind = FailureKind.UNKNOWN  # some other server's page: it does not prove that Runway has lost it
    return Failure(
        kind,
        clipped(words) or silence(response),
        retryable=kind in PASSING_KINDS,
        retry_after_seconds=retry_after_seconds(response),
        unbilled=own and status != 500,  # an error inside may come after the task was made
    )


def is_own_error(response: HttpResponse) -> bool:
    """Whether the body is an error as Runway writes it."""
    return Problem.of(response.body).error is not None


def _failure_of(task: Task, status: RemoteStatus, credits_: Decimal | None) -> Failure | None:
    # Runway tells what a task that has ended was charged: 0 is proof that nothing was.
    unbilled = credits_ == 0
    match status:
        case RemoteStatus.CANCELED:
            return Failure(FailureKind.CANCELED, "Runway says: CANCELLED", unbilled=unbilled)
        case RemoteStatus.FAILED:
            return _failed(task, unbilled=unbilled)
        case _:
            return None


def _failed(task: Task, *, unbilled: bool) -> Failure:
    code = (task.failure_code or "").strip()
    words = (task.failure or "").strip() or "Runway gave no reason"
    kind, retryable = (FailureKind.OUTAGE, True) if not code else (FailureKind.MODEL_ERROR, False)
    for family, of_family, may_be_tried_again in _FAMILIES:
        if code.upper().startswith(family):
            kind, retryable = of_family, may_be_tried_again
            break
    shown = ".".join(code.split(".")[:2]) if kind is FailureKind.MODERATION else code
    message = f"{words} ({shown})" if shown else words
    return Failure(kind, clipped(message), retryable=retryable, unbilled=unbilled)


def _outputs(task: Task) -> tuple[ProviderOutput, ...]:
    values = (task.output,) if isinstance(task.output, str) else task.output
    return tuple(
        ProviderOutput(OutputKind.URL, value.strip())
        for value in values
        if value.strip().lower().startswith(("https://", "http://"))
    )


def _credits(task: Task) -> Decimal | None:
    found = task.cost.credits if task.cost else None
    return None if found is None else Decimal(str(found))


def _fraction(progress: float | None) -> float | None:
    return None if progress is None else min(max(progress, 0.0), 1.0)


def _words(problem: Problem) -> str:
    """The error and, of a refused input, what is wrong where."""
    issues = (
        ": ".join(filter(None, (".".join(map(str, issue.path)), issue.message)))
        for issue in problem.issues[:_MOST_ISSUES]
    )
    return "; ".join(filter(None, (problem.error, *issues)))
