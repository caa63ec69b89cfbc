"""What an interaction of the Gemini API says, in the gateway's words."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind, ProviderOutput, ProviderUpdate, RemoteStatus
from lib.providers.answers import clipped, json_object, unreadable
from lib.providers.google_errors import failure_in_error
from lib.providers.media_answer import media_output

INTERACTION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_=-]{0,511}")
FILE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
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
_OTHER_ENDS = {
    "incomplete": (FailureKind.MODEL_ERROR, "the interaction ended before the video was complete"),
    "budget_exceeded": (FailureKind.BILLING, "the interaction ended: the budget is used up"),
}
_FILE = re.compile(r"(?:^|/)files/(?P<id>[A-Za-z0-9_-]{1,128})(?=$|[:/?])")


DOWNLOAD = ":download"
"""What follows a file's id where the file itself is to be asked for, and not how it stands."""


def file_update(file: Mapping[str, Any]) -> ProviderUpdate:
    """How the file of a completed interaction stands. A state that we do not know stays non-final."""
    said, found = file.get("state"), _FILE.search(str(file.get("name", "")))
    state = said.strip().upper() if isinstance(said, str) else ""
    raw_status = f"completed, the file {state.lower()[:50]}"
    if state == "ACTIVE" and found:
        return ProviderUpdate(
            RemoteStatus.SUCCEEDED, raw_status=raw_status, result_ref=f"{found['id']}{DOWNLOAD}"
        )
    if state == "FAILED":
        error = file.get("error")
        failure = failure_in_error(error if isinstance(error, dict) else {}, silence="Google gave no reason")
        if failure.kind is FailureKind.UNKNOWN:
            failure = Failure(FailureKind.MODEL_ERROR, failure.message)
        return ProviderUpdate(RemoteStatus.FAILED, failure=failure, raw_status=raw_status)
    return ProviderUpdate(RemoteStatus.RUNNING, raw_status=raw_status)


def interaction_id(interaction: Mapping[str, Any]) -> str | None:
    """The interaction's id, if it has one that may stand in an address."""
    found = interaction.get("id")
    return found if isinstance(found, str) and INTERACTION_ID.fullmatch(found) else None


def read_interaction(response: HttpResponse) -> ProviderUpdate:
    """What an answer with an interaction says. Raises `ProviderError`, retryable, for one without."""
    interaction = json_object(response.body)
    if interaction_id(interaction) is None:
        raise unreadable(response, "the Gemini API", "interaction")
    return interaction_update(interaction, response)


def interaction_update(interaction: Mapping[str, Any], response: HttpResponse) -> ProviderUpdate:
    """What an interaction says; never raises. A status that we do not know stays non-final."""
    said = interaction.get("status")
    word = said.strip() if isinstance(said, str) else ""
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
    final = status.final
    return ProviderUpdate(
        status,
        interaction_id(interaction),
        outputs,
        failure=failure,
        progress=1.0 if status is RemoteStatus.SUCCEEDED else None,
        raw_status=word,
        started_at=_moment(interaction.get("created")),
        completed_at=_moment(interaction.get("updated")) if final else None,
        result_ref=file_id,
        blobs=response.blobs if outputs else (),
    )


def _videos(interaction: Mapping[str, Any], response: HttpResponse) -> tuple[tuple[ProviderOutput, ...], str]:
    """The videos in the answer, or else the id of the file that the last one is in."""
    outputs, file_id = [], ""
    for video in _contents(interaction, "video"):
        data, uri = video.get("data"), video.get("uri")
        if isinstance(data, str) and data:
            content_type = video.get("mime_type")
            outputs.append(
                media_output(data, response, content_type if isinstance(content_type, str) else "video/mp4")
            )
        elif isinstance(uri, str) and (found := _FILE.search(uri)):
            file_id = found["id"]
    return tuple(outputs), "" if outputs else file_id


def _contents(interaction: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    """What the model made of one kind: in the steps, or in the field that the official clients read it into."""
    found = False
    steps = interaction.get("steps")
    for step in steps if isinstance(steps, list) else []:
        if not isinstance(step, dict) or step.get("type") != "model_output":
            continue
        contents = step.get("content")
        for content in contents if isinstance(contents, list) else []:
            if isinstance(content, dict) and content.get("type") == kind:
                found = True
                yield content
    single = interaction.get(f"output_{kind}")
    if not found and isinstance(single, dict):
        yield single


def _failure(interaction: Mapping[str, Any], word: str) -> Failure:
    errors = interaction.get("errors")
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict):
            failure = failure_in_error(error, silence="Google gave no reason")
            if failure.kind is FailureKind.UNKNOWN:
                return Failure(FailureKind.MODEL_ERROR, failure.message)
            return failure
    kind, message = _OTHER_ENDS.get(word, (FailureKind.MODEL_ERROR, "Google gave no reason"))
    return Failure(kind, message)


def _without_video(interaction: Mapping[str, Any]) -> Failure:
    """Completed without a video: the model has declined, and at best says why in words."""
    texts = (content.get("text") for content in _contents(interaction, "text"))
    said = clipped(" ".join(text for text in texts if isinstance(text, str)))
    judged = failure_in_error({"message": said}, default="invalid_argument")
    kind = FailureKind.MODERATION if judged.kind is FailureKind.MODERATION else FailureKind.MODEL_ERROR
    return Failure(kind, said or "the interaction completed without a video and without a reason")


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
