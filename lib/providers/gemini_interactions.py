"""What an interaction of the Gemini API and the file of its video mean, in the gateway's words."""

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind, ProviderOutput, ProviderUpdate, RemoteStatus
from lib.providers.answers import clipped
from lib.providers.gemini_models import Content, File, Interaction, file_id_in
from lib.providers.google_errors import NOTHING, failure_in_error
from lib.providers.google_models import Error
from lib.providers.media_answer import media_output

STATUSES = {
    "queued": RemoteStatus.QUEUED,
    "in_progress": RemoteStatus.RUNNING,
    "requires_action": RemoteStatus.RUNNING,
    "requires_continuation": RemoteStatus.RUNNING,
    "completed": RemoteStatus.SUCCEEDED,
    "failed": RemoteStatus.FAILED,
    "incomplete": RemoteStatus.FAILED,
    "budget_exceeded": RemoteStatus.FAILED,
    "cancelled": RemoteStatus.CANCELED,
}
_NO_REASON = "Google gave no reason"
_OTHER_ENDS = {
    "incomplete": (FailureKind.MODEL_ERROR, "the interaction ended before the video was complete"),
    "budget_exceeded": (FailureKind.BILLING, "the interaction ended: the budget is used up"),
}

DOWNLOAD = ":download"
"""What follows a file's id where the file itself is to be asked for, and not how it stands."""


def file_update(file: File) -> ProviderUpdate:
    """How the file of a completed interaction stands. A state that we do not know stays non-final.

    One without a state is asked for as if it were active: Google refuses that with a code of its own if it is not.
    """
    raw_status = f"completed, the file {file.state[:50]}".rstrip()
    file_id = file_id_in(file.name)
    if file.state in ("active", "") and file_id:
        return ProviderUpdate(
            RemoteStatus.SUCCEEDED, raw_status=raw_status, result_ref=f"{file_id}{DOWNLOAD}"
        )
    if file.state == "failed":
        failure = _reason(file.error or NOTHING)
        return ProviderUpdate(RemoteStatus.FAILED, failure=failure, raw_status=raw_status)
    return ProviderUpdate(RemoteStatus.RUNNING, raw_status=raw_status)


def interaction_update(interaction: Interaction, response: HttpResponse) -> ProviderUpdate:
    """What an interaction says; never raises. A status that we do not know stays non-final."""
    word = (interaction.status or "").strip()
    status = STATUSES.get(word.lower(), RemoteStatus.UNKNOWN)
    outputs: tuple[ProviderOutput, ...] = ()
    file_id, failure = "", None
    if status is RemoteStatus.SUCCEEDED:
        outputs, file_id = _videos(interaction, response)
        if not outputs and not file_id:
            status, failure = RemoteStatus.FAILED, _without_video(interaction)
    elif status is RemoteStatus.FAILED:
        failure = _failure(interaction, word.lower())
    elif status is RemoteStatus.CANCELED:
        failure = Failure(FailureKind.CANCELED, f"Google says: {word}")
    return ProviderUpdate(
        status,
        interaction.id,
        outputs,
        failure=failure,
        progress=1.0 if status is RemoteStatus.SUCCEEDED else None,
        raw_status=word,
        started_at=interaction.created,
        completed_at=interaction.updated if status.final else None,
        result_ref=file_id,
        blobs=response.blobs if outputs else (),
    )


def _videos(interaction: Interaction, response: HttpResponse) -> tuple[tuple[ProviderOutput, ...], str]:
    """The videos in the answer, or else the id of the file that the last one is in."""
    videos = _contents(interaction, "video")
    if not videos and interaction.output_video:
        videos = [interaction.output_video]
    outputs = tuple(
        media_output(video.data, response, video.mime_type or "video/mp4") for video in videos if video.data
    )
    file_ids = [""] + [file_id for video in videos if (file_id := file_id_in(video.uri))]
    return outputs, "" if outputs else file_ids[-1]


def _contents(interaction: Interaction, kind: str) -> list[Content]:
    """What the model made of one kind."""
    outputs = (step for step in interaction.steps if step.type == "model_output")
    return [content for step in outputs for content in step.content if content.type == kind]


def _failure(interaction: Interaction, word: str) -> Failure:
    if interaction.errors:
        return _reason(interaction.errors[0])
    kind, message = _OTHER_ENDS.get(word, (FailureKind.MODEL_ERROR, _NO_REASON))
    return Failure(kind, message)


def _reason(error: Error) -> Failure:
    """Why Google did not make it; what it has no known word for is the model's fault."""
    failure = failure_in_error(error, silence=_NO_REASON)
    if failure.kind is FailureKind.UNKNOWN:
        return Failure(FailureKind.MODEL_ERROR, failure.message)
    return failure


def _without_video(interaction: Interaction) -> Failure:
    """Completed without a video: the model has declined, and at best says why in words."""
    said = clipped(" ".join(content.text for content in _contents(interaction, "text") if content.text))
    judged = failure_in_error(Error(message=said), default="invalid_argument")
    kind = FailureKind.MODERATION if judged.kind is FailureKind.MODERATION else FailureKind.MODEL_ERROR
    return Failure(kind, said or "the interaction completed without a video and without a reason")
