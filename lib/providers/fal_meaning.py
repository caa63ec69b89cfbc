"""What fal's statuses, results and webhooks mean in the gateway's words.

A request has no status for a failure: it is COMPLETED, with an error beside it or behind the result's address.
"""

import re
from collections.abc import Mapping
from typing import Any

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind, OutputKind, ProviderOutput, ProviderUpdate, RemoteStatus
from lib.providers.answers import json_object
from lib.providers.fal_failures import failure_in_body, failure_in_http
from lib.providers.outputs import collect_outputs

REQUEST_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{7,127}")

_WAITING = {"in_queue": RemoteStatus.QUEUED, "in_progress": RemoteStatus.RUNNING}
_COMPLETED = "completed"
_MEDIA_FIELDS = (
    *("images", "image", "videos", "video", "audio", "audio_file", "audios", "audio_url", "video_url"),
    *("image_url", "model_mesh", "files", "file"),
)
_TEXT_FIELDS = ("output", "text", "result")


def request_id_in(body: Mapping[str, Any]) -> str | None:
    """The id of the request that a body names; None where it names none."""
    found = body.get("request_id")
    return found if isinstance(found, str) and REQUEST_ID.fullmatch(found) else None


def status_in(body: Mapping[str, Any]) -> ProviderUpdate | None:
    """What a status says; None for what is none. A word that we do not know stays non-final."""
    word = body.get("status")
    if not isinstance(word, str) or not word.strip():
        return None
    word = word.strip()
    if word.lower() != _COMPLETED:
        return ProviderUpdate(_WAITING.get(word.lower(), RemoteStatus.UNKNOWN), raw_status=word)
    seconds = _inference_seconds(body)
    if body.get("error") or body.get("error_type"):
        return _failed(body, word, seconds)
    return ProviderUpdate(RemoteStatus.SUCCEEDED, progress=1.0, raw_status=word, billed_seconds=seconds)


def output_in(response: HttpResponse) -> ProviderUpdate:
    """The outputs of a completed request: the fields that hold media, else the model's text."""
    return _succeeded(json_object(response.body), None, "COMPLETED")


def failed_result(response: HttpResponse) -> ProviderUpdate:
    """The end of a request whose result is the model's own error."""
    failure = failure_in_http(response)
    return ProviderUpdate(_end(failure), failure=failure, raw_status="COMPLETED")


def webhook_update(event: Mapping[str, Any]) -> ProviderUpdate | None:
    """What a webhook says; None for what is no event. A result that it could not carry is to be asked for."""
    request_id, word, payload = request_id_in(event), event.get("status"), event.get("payload")
    if request_id is None or not isinstance(word, str):
        return None
    match word.strip().upper():
        case "OK" if isinstance(payload, dict) and not event.get("payload_error"):
            return _succeeded(payload, request_id, word)
        case "ERROR":
            return _failed({**event, **_details(payload)}, word, None, request_id)
        case "OK":
            return ProviderUpdate(RemoteStatus.RUNNING, request_id, raw_status=f"{word} without payload")
        case _:
            return ProviderUpdate(RemoteStatus.UNKNOWN, request_id, raw_status=word)


def _details(payload: Any) -> Mapping[str, Any]:
    """The part of a failed request's payload that says why."""
    if not isinstance(payload, dict):
        return {}
    return {name: payload[name] for name in ("detail", "error_type") if name in payload}


def _failed(
    body: Mapping[str, Any], word: str, seconds: float | None, request_id: str | None = None
) -> ProviderUpdate:
    failure = failure_in_body(body)
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
    for name in _MEDIA_FIELDS:
        if media := tuple(_media(result.get(name))):
            return media
    for name in _TEXT_FIELDS:
        text = result.get(name)
        if isinstance(text, str) and text:
            return collect_outputs(text)
    return tuple(output for output in collect_outputs(dict(result)) if output.kind is not OutputKind.TEXT)


def _media(value: Any) -> list[ProviderOutput]:
    """The files in a field: an address, an object with `url`, or a list of either."""
    if isinstance(value, list):
        return [output for item in value for output in _media(item)]
    address = value.get("url") if isinstance(value, dict) else value
    if not isinstance(address, str):
        return []
    return [output for output in collect_outputs(address) if output.kind is not OutputKind.TEXT]


def _inference_seconds(body: Mapping[str, Any]) -> float | None:
    metrics = body.get("metrics")
    found = metrics.get("inference_time") if isinstance(metrics, dict) else None
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= 1e7:
        return None
    return float(found)
