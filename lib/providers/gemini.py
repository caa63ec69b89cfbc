"""Gemini's adapter: video by API key, as background interactions of the Interactions API.

Source: ai.google.dev/gemini-api/docs (interactions, omni) and google-genai 3.4.0; read November 2026.
Videos of more than 4 MB come by URI alone, so all are asked for that way, and fetched here with the key. Google
could call back (`webhook_config.uris`), but how a call for a single request is signed is not documented where we
looked, and a call that nobody can check is worth no more than a poll.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lib.domain.errors import ConfigurationError, InvalidError
from lib.domain.http_exchange import HttpRequest, HttpResponse
from lib.domain.provider import (
    AdapterTraits,
    Credential,
    CredentialField,
    Failure,
    FailureKind,
    ProviderUpdate,
    RemoteJob,
    RemoteStatus,
    Submission,
    SubmitOutcome,
    SubmitResult,
    SubmitSafety,
)
from lib.providers.adapter import BaseAdapter
from lib.providers.answers import raise_unless_success, unreadable
from lib.providers.base_url import checked_base_url
from lib.providers.gemini_interactions import DOWNLOAD, file_update, interaction_update
from lib.providers.gemini_models import FILE_ID, INTERACTION_ID, File, Interaction, Models
from lib.providers.google_errors import NOTHING, envelope, failure_in_http, judge
from lib.providers.media_answer import body_output
from lib.providers.media_input import inline_media
from lib.providers.submit_judgement import unread

_MODEL = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_MEDIA = ("image", "video")
_NOT_YET = "failed_precondition"

TRAITS = AdapterTraits(
    # There is neither an idempotency key nor an id of ours.
    submit_safety=SubmitSafety.NONE,
    credential_fields=(CredentialField("apiKey", "The API key, as in AIza..."),),
    poll_seconds=5.0,
    output_life_seconds=2 * 86_400.0,
    earlier_jobs=("previous_interaction_id",),
)


@dataclass(frozen=True)
class GeminiAdapter(BaseAdapter):
    """The Gemini API at `base_url`; the key goes there alone, in a header, never in an address."""

    base_url: str = "https://generativelanguage.googleapis.com"

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", checked_base_url(self.base_url).removesuffix("/v1beta"))

    @property
    def name(self) -> str:
        """The provider's name."""
        return "gemini"

    @property
    def traits(self) -> AdapterTraits:
        """Polls and cancels; no webhook that could be checked, no list."""
        return TRAITS

    def submit_request(
        self, submission: Submission, credential: Credential, callback_url: str | None
    ) -> HttpRequest:
        """Build `POST /v1beta/interactions`, in the background.

        Raises `ConfigurationError` for a model that is none, `InvalidError` for media that are no data URLs.
        """
        del callback_url
        if not _MODEL.fullmatch(submission.model_ref):
            raise ConfigurationError(f"{submission.model_ref!r} is no model of the Gemini API")
        given = dict(submission.input)
        response_format = {**given.pop("response_format", {}), "type": "video", "delivery": "uri"}
        if isinstance(seconds := response_format.get("duration"), int | float):
            response_format["duration"] = f"{seconds:g}s"
        body = {
            "model": submission.model_ref,
            "input": _content(given),
            **given,
            "response_format": response_format,
            "background": True,
        }
        return HttpRequest("POST", f"{self.base_url}/v1beta/interactions", _headers(credential), body)

    def parse_submit(self, response: HttpResponse) -> SubmitResult:
        """Judge the answer to a create, see `judge`; never raises."""
        if not response.is_success:
            return judge(response)
        interaction = Interaction.find(response.body)
        if interaction is None:
            return unread(response, "is no interaction")
        return SubmitResult(SubmitOutcome.ACCEPTED, interaction_update(interaction, response))

    def poll_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest:
        """Build `GET /v1beta/interactions/{id}?stream=false`. Raises `InvalidError` for an impossible id."""
        url = f"{self._interaction(remote)}?stream=false"
        return HttpRequest("GET", url, _headers(credential), media_answer=True)

    def parse_poll(self, response: HttpResponse) -> ProviderUpdate:
        """Read an interaction. Raises `ProviderError`; it is retryable where asking again may help."""
        raise_unless_success(response, failure_in_http)
        interaction = Interaction.find(response.body)
        if interaction is None:
            raise unreadable(response, "the Gemini API", "interaction")
        return interaction_update(interaction, response)

    def result_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest | None:
        """Build `GET /v1beta/files/{id}`, then, of a file that is active, `GET /download/...:download?alt=media`.

        Raises `InvalidError` for an impossible id.
        """
        file_id = remote.result_ref.removesuffix(DOWNLOAD)
        if not FILE_ID.fullmatch(file_id):
            raise InvalidError(f"{remote.result_ref!r} is not the id of a file of the Gemini API")
        if file_id == remote.result_ref:
            return HttpRequest("GET", f"{self.base_url}/v1beta/files/{file_id}", _headers(credential))
        url = f"{self.base_url}/download/v1beta/files/{file_id}{DOWNLOAD}?alt=media"
        return HttpRequest("GET", url, {**_headers(credential), "Accept": "*/*"}, media_answer=True)

    def parse_result(self, response: HttpResponse) -> ProviderUpdate:
        """Read the file, or how it stands: one that Google still works on is RUNNING, and asked for with the next poll.

        One that is gone is FAILED: Google keeps files for two days. So is one that Google could not make.
        """
        if response.status == 400 and envelope(response).status == _NOT_YET:
            return ProviderUpdate(RemoteStatus.RUNNING, raw_status="completed, the file not yet active")
        if _is_gone(response):
            failure = Failure(FailureKind.DATA_EXPIRED, failure_in_http(response).message)
            return ProviderUpdate(RemoteStatus.FAILED, failure=failure, raw_status="completed, the file gone")
        raise_unless_success(response, failure_in_http)
        file = File() if response.blobs else File.of(response.body)
        if file.name or file.state:
            return file_update(file)
        return ProviderUpdate(
            RemoteStatus.SUCCEEDED,
            outputs=(body_output(response),),
            progress=1.0,
            raw_status="completed",
            blobs=response.blobs,
        )

    def cancel_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest:
        """Build `POST .../{id}/cancel`, without a body. Raises `InvalidError` for an impossible id."""
        return HttpRequest("POST", f"{self._interaction(remote)}/cancel", _headers(credential))

    def parse_cancel(self, response: HttpResponse) -> ProviderUpdate:
        """Read the interaction after a cancel; a success without one says nothing yet."""
        raise_unless_success(response, failure_in_http)
        interaction = Interaction.find(response.body)
        if interaction is None:
            return ProviderUpdate(RemoteStatus.UNKNOWN)
        update = interaction_update(interaction, response)
        # its video, if it was made, comes with the next poll
        return (
            update
            if update.status is not RemoteStatus.SUCCEEDED
            else replace(update, status=RemoteStatus.UNKNOWN)
        )

    def test_request(self, credential: Credential) -> HttpRequest:
        """Build `GET /v1beta/models?pageSize=1`."""
        return HttpRequest("GET", f"{self.base_url}/v1beta/models?pageSize=1", _headers(credential))

    def parse_test(self, response: HttpResponse) -> str:
        """Return the name of a model that the key opens: Google tells no account's name."""
        raise_unless_success(response, failure_in_http)
        named = (model.name for model in Models.of(response.body).models if model.name)
        return next(named, "Gemini API")

    def _interaction(self, remote: RemoteJob) -> str:
        if not INTERACTION_ID.fullmatch(remote.provider_job_id):
            raise InvalidError(f"{remote.provider_job_id!r} is not the id of an interaction")
        return f"{self.base_url}/v1beta/interactions/{remote.provider_job_id}"


def _is_gone(response: HttpResponse) -> bool:
    """Google answers for a file that it does not have as for one of somebody else's: that says nothing of the key."""
    error = envelope(response)
    denied = response.status == 403 and "may not exist" in (error.message or "")
    return denied or (response.status == 404 and error != NOTHING)


def _headers(credential: Credential) -> dict[str, str]:
    return {"x-goog-api-key": credential.secret.strip(), "Accept": "application/json"}


def _content(given: dict[str, Any]) -> str | list[Mapping[str, Any]]:
    """Take the prompt and the media out of the input: the text alone, or a step with the media first."""
    prompt = str(given.pop("prompt", ""))
    content: list[Mapping[str, Any]] = []
    for kind in _MEDIA:
        values = given.pop(kind, None)
        for value in values if isinstance(values, list) else [values] if values is not None else []:
            media = inline_media(value, kind)
            content.append({"type": kind, "data": media.base64, "mime_type": media.content_type})
    if not content:
        return prompt
    return [{"type": "user_input", "content": [*content, {"type": "text", "text": prompt}]}]
