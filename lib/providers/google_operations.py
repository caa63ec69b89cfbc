"""What the long-running operations of Vertex AI say: their names, and the videos, errors and filters in them."""

import re
from collections.abc import Mapping
from typing import Any

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind, ProviderUpdate, RemoteStatus
from lib.providers.answers import json_object, unreadable
from lib.providers.google_errors import failure_in_error, unbilled
from lib.providers.media_answer import media_output

PROJECT = r"(?:[a-z0-9.-]+:)?[a-z0-9][a-z0-9-]{4,28}[a-z0-9]"
LOCATION = r"[a-z]+-[a-z]+[0-9]{1,2}|global"
MODEL = r"[a-z0-9][a-z0-9.-]{0,63}"
OPERATION = re.compile(
    rf"projects/(?P<project>{PROJECT})/locations/(?P<location>{LOCATION})/publishers/google"
    rf"/models/(?P<model>{MODEL})/operations/[A-Za-z0-9-]{{1,128}}"
)


def operation_name(operation: Mapping[str, Any]) -> str | None:
    """The operation's name, if it is one of a publisher's model."""
    name = operation.get("name")
    return name if isinstance(name, str) and OPERATION.fullmatch(name) else None


def update_from(response: HttpResponse) -> ProviderUpdate:
    """What an answer with an operation says. Raises `ProviderError`, retryable, for one without."""
    operation = json_object(response.body)
    name = operation_name(operation)
    if name is None:
        raise unreadable(response, "Vertex AI", "operation")
    if operation.get("done") is not True:
        return ProviderUpdate(RemoteStatus.RUNNING, name, raw_status="running")
    said = operation.get("error")
    if isinstance(said, dict):
        failure = failure_in_error(said)
        if failure.kind is FailureKind.MODERATION:
            failure = unbilled(failure)  # what is refused is not charged
        return ProviderUpdate(RemoteStatus.FAILED, name, failure=failure, raw_status="done with an error")
    result = operation.get("response")
    return _finished(name, result if isinstance(result, dict) else {}, response)


def _finished(name: str, result: Mapping[str, Any], response: HttpResponse) -> ProviderUpdate:
    videos = result.get("videos")
    made = [video for video in videos if isinstance(video, dict)] if isinstance(videos, list) else []
    outputs = tuple(
        media_output(video["bytesBase64Encoded"], response, str(video.get("mimeType") or "video/mp4"))
        for video in made
        if isinstance(video.get("bytesBase64Encoded"), str) and video["bytesBase64Encoded"]
    )
    if outputs:
        return ProviderUpdate(
            RemoteStatus.SUCCEEDED, name, outputs, progress=1.0, raw_status="done", blobs=response.blobs
        )
    failure = _without_videos(result, elsewhere=bool(made))
    return ProviderUpdate(RemoteStatus.FAILED, name, failure=failure, raw_status="done without videos")


def _without_videos(result: Mapping[str, Any], *, elsewhere: bool) -> Failure:
    filtered, reasons = result.get("raiMediaFilteredCount"), result.get("raiMediaFilteredReasons")
    if (isinstance(filtered, int) and filtered > 0) or reasons:
        said = reasons if isinstance(reasons, list) else [reasons]
        words = " ".join(reason for reason in said if isinstance(reason, str))
        message = words or f"Google's filter held back all videos ({filtered})"
        return Failure(FailureKind.MODERATION, message, unbilled=True)  # what is filtered is not charged
    if elsewhere:
        return Failure(
            FailureKind.MODEL_ERROR, "the videos were not in the answer, but in a bucket of Google's"
        )
    return Failure(FailureKind.MODEL_ERROR, "the operation is done, without a video and without a reason")
