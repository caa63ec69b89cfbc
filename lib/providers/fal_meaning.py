"""What fal's statuses, results and webhooks mean in the gateway's words.

A request has no status for a failure: it is COMPLETED, with an error beside it or behind the result's address.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind, OutputKind, ProviderOutput, ProviderUpdate, RemoteStatus
from lib.providers.answers import json_object
from lib.providers.fal_failures import failure_in_http, failure_of
from lib.providers.fal_models import Event, Problem, Status
from lib.providers.outputs import collect_outputs

_WAITING = {"in_queue": RemoteStatus.QUEUED, "in_progress": RemoteStatus.RUNNING}
_COMPLETED = "completed"
_MEDIA_FIELDS = (
    *("images", "image", "videos", "video", "audio", "audio_file", "audios", "audio_url", "video_url"),
    *("image_url", "model_mesh", "files", "file"),
)
_TEXT_FIELDS = ("output", "text", "result")


def update_from(status: Status) -> ProviderUpdate:
    """What a status says. A word that we do not know stays non-final."""
    word = status.status.strip()
    if word.lower() != _COMPLETED:
        return ProviderUpdate(_WAITING.get(word.lower(), RemoteStatus.UNKNOWN), raw_status=word)
    seconds = status.metrics.inference_time if status.metrics else None
    if status.error or status.error_type:
        return _failed(status, word, seconds)
    return ProviderUpdate(RemoteStatus.SUCCEEDED, progress=1.0, raw_status=word, billed_seconds=seconds)


def output_in(response: HttpResponse) -> ProviderUpdate:
    """The outputs of a completed request: the fields that hold media, else the model's text."""
    return _succeeded(json_object(response.body), None, "COMPLETED")


def failed_result(response: HttpResponse) -> ProviderUpdate:
    """The end of a request whose result is the model's own error."""
    failure = failure_in_http(response)
    return ProviderUpdate(_end(failure), failure=failure, raw_status="COMPLETED")


def update_told(event: Event) -> ProviderUpdate:
    """What a webhook says. A result that it could not carry is to be asked for."""
    request_id, word = event.request_id, event.status
    match word.strip().upper():
        case "OK" if event.payload is not None and not event.payload_error:
            return _succeeded(event.payload, request_id, word)
        case "ERROR":
            return _failed(_problem_of(event), word, None, request_id)
        case "OK":
            return ProviderUpdate(RemoteStatus.RUNNING, request_id, raw_status=f"{word} without payload")
        case _:
            return ProviderUpdate(RemoteStatus.UNKNOWN, request_id, raw_status=word)


def _problem_of(event: Event) -> Problem:
    """Why a request failed: fal's own error, with the reasons that the model gave."""
    inside = Problem.model_validate(event.payload or {})
    reasons = {
        "detail": inside.detail or event.detail,
        "error_type": inside.error_type or event.error_type,
    }
    return event.model_copy(update=reasons)


def _failed(
    problem: Problem, word: str, seconds: float | None, request_id: str | None = None
) -> ProviderUpdate:
    failure = failure_of(problem)
    return ProviderUpdate(
        _end(failure),
        request_id,
        failure=failure,
        raw_status=word,
        billed_seconds=seconds,
    )


def _end(failure: Failure) -> RemoteStatus:
    return RemoteStatus.CANCELED if failure.kind is FailureKind.CANCELED else RemoteStatus.FAILED


def _succeeded(result: Mapping[str, Any], request_id: str | None, word: str) -> ProviderUpdate:
    return ProviderUpdate(
        RemoteStatus.SUCCEEDED, request_id, outputs=_outputs(result), progress=1.0, raw_status=word
    )


def _outputs(result: Mapping[str, Any]) -> tuple[ProviderOutput, ...]:
    """Media by the names that fal's models give them; else any address of a file in it; else its text.

    An input that a model repeats, such as an image's address, is no output: known names come first.
    """
    for value in _named(result, _MEDIA_FIELDS):
        if media := tuple(_media(value)):
            return media
    for value in _named(result, _TEXT_FIELDS):
        if isinstance(value, str) and value:
            return collect_outputs(value)
    return tuple(output for output in collect_outputs(dict(result)) if output.kind is not OutputKind.TEXT)


def _named(result: Mapping[str, Any], names: Iterable[str]) -> list[Any]:
    return [result[name] for name in names if name in result]


def _media(value: Any) -> list[ProviderOutput]:
    """The files in a field: an address, an object with `url`, or a list of either."""
    match value:
        case list():
            return [output for item in value for output in _media(item)]
        case {"url": str(address)} | str(address):
            return [output for output in collect_outputs(address) if output.kind is not OutputKind.TEXT]
        case _:
            return []
