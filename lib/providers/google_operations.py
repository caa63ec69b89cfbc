"""What the long-running operations of Vertex AI mean: the videos, errors and filters in them."""

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind, ProviderUpdate, RemoteStatus
from lib.providers.answers import unreadable
from lib.providers.google_errors import failure_in_error, unbilled
from lib.providers.google_veo_models import Made, Operation
from lib.providers.media_answer import media_output


def update_from(response: HttpResponse) -> ProviderUpdate:
    """What an answer with an operation says. Raises `ProviderError`, retryable, for one without."""
    operation = Operation.find(response.body)
    if operation is None:
        raise unreadable(response, "Vertex AI", "operation")
    name = operation.name
    if not operation.done:
        return ProviderUpdate(RemoteStatus.RUNNING, name, raw_status="running")
    if operation.error is not None:
        failure = failure_in_error(operation.error)
        if failure.kind is FailureKind.MODERATION:
            failure = unbilled(failure)  # what is refused is not charged
        return ProviderUpdate(RemoteStatus.FAILED, name, failure=failure, raw_status="done with an error")
    return _finished(name, operation.response or Made(), response)


def _finished(name: str, made: Made, response: HttpResponse) -> ProviderUpdate:
    outputs = tuple(
        media_output(video.data, response, video.content_type or "video/mp4")
        for video in made.videos
        if video.data
    )
    if outputs:
        return ProviderUpdate(
            RemoteStatus.SUCCEEDED, name, outputs, progress=1.0, raw_status="done", blobs=response.blobs
        )
    failure = _without_videos(made)
    return ProviderUpdate(RemoteStatus.FAILED, name, failure=failure, raw_status="done without videos")


def _without_videos(made: Made) -> Failure:
    if (made.filtered or 0) > 0 or made.reasons:
        said = made.reasons if isinstance(made.reasons, list) else [made.reasons]
        words = " ".join(reason for reason in said if isinstance(reason, str))
        message = words or f"Google's filter held back all videos ({made.filtered})"
        return Failure(FailureKind.MODERATION, message, unbilled=True)  # what is filtered is not charged
    if made.videos:
        return Failure(
            FailureKind.MODEL_ERROR, "the videos were not in the answer, but in a bucket of Google's"
        )
    return Failure(FailureKind.MODEL_ERROR, "the operation is done, without a video and without a reason")
