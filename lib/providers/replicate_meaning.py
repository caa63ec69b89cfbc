"""What Replicate's predictions and errors mean in the gateway's words."""

import json
import re
from typing import Any

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind, ProviderUpdate, RemoteStatus
from lib.providers.answers import clipped, retry_after_seconds
from lib.providers.outputs import collect_outputs
from lib.providers.replicate_models import Prediction, Problem
from lib.providers.status_kinds import PASSING_KINDS, kind_of_status, silence

STATUSES = {
    "starting": RemoteStatus.QUEUED,
    "processing": RemoteStatus.RUNNING,
    "succeeded": RemoteStatus.SUCCEEDED,
    "failed": RemoteStatus.FAILED,
    "canceled": RemoteStatus.CANCELED,
    "aborted": RemoteStatus.CANCELED,  # ended before it started, by its deadline or by Replicate
}

_VERSION_TITLE = "Invalid version or not permitted"  # the one 422 that is not about the input; it has no code

# A failed prediction has only free text, at best with a code (replicate.com/docs/reference/error-codes).
_MODERATED = re.compile(r"\bE005\b|\bnsfw\b|(?<!case[- ])\bsensitive\b", re.IGNORECASE)
_TRANSIENT = re.compile(r"\(code: PA\)|\bE6716\b|\bE1000\b", re.IGNORECASE)
_TQDM = re.compile(r"(\d{1,3})%\s*\|[^|\r\n]*\|\s*\d+/\d+")
_TAIL_CHARACTERS = 4_000


def update_from(prediction: Prediction) -> ProviderUpdate:
    """Return what a prediction says; never raises. A status that we do not know stays non-final."""
    word = (prediction.status or "").strip()
    status = STATUSES.get(word.lower(), RemoteStatus.UNKNOWN)
    failure = _failure_of(prediction, status, word.lower())
    if failure is not None and status is RemoteStatus.SUCCEEDED:
        status = RemoteStatus.FAILED  # it succeeded, and can no longer be had; raw_status keeps the word
    return ProviderUpdate(
        status=status,
        provider_job_id=prediction.id,
        outputs=collect_outputs(prediction.output) if status is RemoteStatus.SUCCEEDED else (),
        failure=failure,
        progress=1.0 if status is RemoteStatus.SUCCEEDED else progress_in(prediction.logs or ""),
        raw_status=word,
        started_at=prediction.started_at,
        completed_at=prediction.completed_at,
        billed_seconds=prediction.metrics.predict_time if prediction.metrics else None,
    )


def progress_in(logs: str) -> float | None:
    """Return the last tqdm percentage in a log as 0.0 to 1.0; None if there is none."""
    percents = _TQDM.findall(logs[-_TAIL_CHARACTERS:])
    return min(int(percents[-1]), 100) / 100 if percents else None


def failure_in_http(response: HttpResponse) -> Failure:
    """Return what an answer of 4xx or 5xx (or a redirect) says, in the provider's own words if it has any."""
    status = response.status
    kind = kind_of_status(status)
    problem = Problem.of(response.body)
    title, detail = _words(problem.title), _words(problem.detail)
    if status == 422 and title == _VERSION_TITLE:
        kind = FailureKind.NOT_FOUND
    if status == 404 and not (title or detail):
        kind = FailureKind.UNKNOWN  # some other server's page: it does not prove that Replicate has lost it
    if kind is FailureKind.INVALID_INPUT and "E005" in detail:
        kind = FailureKind.MODERATION
    return Failure(
        kind=kind,
        message=clipped(": ".join(filter(None, (title, detail)))) or silence(response),
        retryable=kind in PASSING_KINDS,
        retry_after_seconds=retry_after_seconds(response),
    )


def _failure_of(prediction: Prediction, status: RemoteStatus, word: str) -> Failure | None:
    match status:
        case RemoteStatus.FAILED:
            return failure_in_text(_words(prediction.error))
        case RemoteStatus.CANCELED:
            kind = FailureKind.ABORTED if word == "aborted" else FailureKind.CANCELED
            return Failure(kind, _words(prediction.error) or f"Replicate says: {word}")
        case RemoteStatus.SUCCEEDED if prediction.data_removed and prediction.output is None:
            return Failure(
                FailureKind.DATA_EXPIRED, "Replicate has removed the output (one hour after it was made)"
            )
        case RemoteStatus.SUCCEEDED | RemoteStatus.QUEUED | RemoteStatus.RUNNING | RemoteStatus.UNKNOWN:
            return None


def failure_in_text(error: str) -> Failure:
    """Classify the error text of a failed prediction; the text is kept."""
    if _MODERATED.search(error):
        return Failure(FailureKind.MODERATION, error)
    if _TRANSIENT.search(error):
        return Failure(FailureKind.OUTAGE, error, retryable=True)
    return Failure(FailureKind.MODEL_ERROR, error or "Replicate gave no reason")


def _words(value: Any) -> str:
    """Return an error's text, whatever its JSON type."""
    if value is None:
        return ""
    return clipped(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
