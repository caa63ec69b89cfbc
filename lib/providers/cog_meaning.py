"""What a Cog server's predictions and errors mean in the gateway's words, of both generations (0.16 and 0.17 on).

Source: cog 0.23.1, tried in November 2026; github.com/replicate/cog, docs/http.md and python/cog/files.py.
"""

import re
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from lib.domain.direct_upload import is_upload_of
from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind, OutputKind, ProviderOutput, ProviderUpdate, RemoteStatus
from lib.providers.answers import clipped, retry_after_seconds
from lib.providers.cog_models import Prediction, Problem
from lib.providers.fastapi_models import words_of
from lib.providers.outputs import collect_outputs
from lib.providers.replicate_meaning import failure_in_text, progress_in
from lib.providers.status_kinds import PASSING_KINDS, kind_of_status, silence

NAME = "cog"

STATUSES = {
    "starting": RemoteStatus.QUEUED,
    "processing": RemoteStatus.RUNNING,
    "succeeded": RemoteStatus.SUCCEEDED,
    "failed": RemoteStatus.FAILED,
    "canceled": RemoteStatus.CANCELED,
}

_OWN_STATUSES = {
    402: FailureKind.UNKNOWN,  # nobody bills here
    408: FailureKind.UNKNOWN,  # a proxy's, which says nothing of the server
    409: FailureKind.RATE_LIMITED,  # every slot is busy
}
_PATH_IN_CONTAINER = re.compile(r"(file://)?/\S+\.\w{1,5}")
_NOT_UPLOADED = "Failed to upload output"
_TOO_LARGE = "413"
_UNSAID_PLACES = ("body", "input")


def update_from(prediction: Prediction) -> ProviderUpdate:
    """Return what a prediction says, of an answer or a webhook; never raises.

    An unknown status is not final, and outputs count only once it has succeeded: before, `output` is a list of what
    there is so far, even for a model that makes one file.
    """
    word = (prediction.status or "").strip()
    status = STATUSES.get(word.lower(), RemoteStatus.UNKNOWN)
    outputs = _outputs(prediction) if status is RemoteStatus.SUCCEEDED else ()
    failure = _failure(prediction, status, outputs)
    if failure is not None and status is RemoteStatus.SUCCEEDED:
        status, outputs = RemoteStatus.FAILED, ()
    return ProviderUpdate(
        status=status,
        provider_job_id=prediction.id,
        outputs=outputs,
        failure=failure,
        progress=1.0 if status is RemoteStatus.SUCCEEDED else progress_in(prediction.logs or ""),
        raw_status=word,
        billed_seconds=prediction.metrics.predict_time if prediction.metrics else None,
    )


def failure_in_http(response: HttpResponse) -> Failure:
    """Return what an answer that is no success says, in the server's own words if it has any."""
    status, problem = response.status, Problem.of(response.body)
    kind = kind_of_status(status, _OWN_STATUSES)
    said = words_of(problem.detail, _UNSAID_PLACES) or problem.error or _plain_text(response)
    return Failure(
        kind=kind,
        message=clipped(said) or silence(response),
        retryable=kind in PASSING_KINDS,
        retry_after_seconds=retry_after_seconds(response),
        unbilled=status < 500 or status == 503,
    )


def _failure(
    prediction: Prediction, status: RemoteStatus, outputs: tuple[ProviderOutput, ...]
) -> Failure | None:
    """Nobody bills for what the operator's own server did not make."""
    match status:
        case RemoteStatus.FAILED:
            error = clipped(prediction.error or "") or "The Cog server gave no reason"
            if error.startswith(_NOT_UPLOADED):
                again = _TOO_LARGE not in error
                return Failure(FailureKind.OUTAGE, error, retryable=again, unbilled=True)
            return replace(failure_in_text(error), unbilled=True)
        case RemoteStatus.CANCELED:
            return Failure(FailureKind.CANCELED, "The Cog server says: canceled", unbilled=True)
        case RemoteStatus.SUCCEEDED:
            lost = [output for output in outputs if _is_path_in_container(output)]
            if not lost:
                return None
            words = (
                f"The output is a file inside the server's container, {lost[0].value[:200]!r}, which nobody outside "
                "can read: start the server with --upload-url"
            )
            return Failure(FailureKind.MODEL_ERROR, words, unbilled=True)
        case RemoteStatus.QUEUED | RemoteStatus.RUNNING | RemoteStatus.UNKNOWN:
            return None


def _outputs(prediction: Prediction) -> tuple[ProviderOutput, ...]:
    return tuple(_ours_if_uploaded(found, prediction.id) for found in collect_outputs(prediction.output))


def _ours_if_uploaded(output: ProviderOutput, prediction_id: str | None) -> ProviderOutput:
    """What the server put into our bucket is an object there; it reports the address that it was redirected to.

    The key alone counts, never the host: whatever a server claims, only what lies in our bucket under this very
    prediction's prefix is read.
    """
    if output.kind is not OutputKind.URL or prediction_id is None:
        return output
    try:
        path = unquote(urlsplit(output.value).path)
    except ValueError:
        return output
    start = path.find("/temp/uploads/")
    key = path[start + 1 :]
    if start >= 0 and is_upload_of(key, NAME, prediction_id):
        return ProviderOutput(OutputKind.OBJECT, key)
    return output


def _is_path_in_container(output: ProviderOutput) -> bool:
    return output.kind is OutputKind.TEXT and _PATH_IN_CONTAINER.fullmatch(output.value.strip()) is not None


def _plain_text(response: HttpResponse) -> str:
    if not response.headers.get("content-type", "").startswith("text/plain"):
        return ""
    return response.body.decode("utf-8", "replace")
