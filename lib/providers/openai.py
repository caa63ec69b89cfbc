"""OpenAI's adapter: images and speech, whose answers are the media themselves.

Source: openai 3.52.0 (api_reference of images and audio/speech) and developers.openai.com/api/docs; read November
2026. The videos of this API were shut down on 24 September 2026. No price is read from `usage`: an answer does not
say which model it is of.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lib.domain.errors import ConfigurationError
from lib.domain.http_exchange import FormPart, HttpRequest, HttpResponse
from lib.domain.provider import (
    AdapterTraits,
    Credential,
    CredentialField,
    Submission,
    SubmitResult,
    SubmitSafety,
)
from lib.providers.adapter import BaseAdapter
from lib.providers.answers import raise_unless_success
from lib.providers.base_url import checked_base_url
from lib.providers.media_input import inline_media
from lib.providers.openai_answers import failure_in_http, judge_answer

_MODEL = re.compile(r"(?P<kind>images|speech)/(?P<model>[a-z0-9][a-z0-9.-]{0,63})")
_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
_NAME = r"[A-Za-z0-9_-]{1,128}"

TRAITS = AdapterTraits(
    # The header for an idempotency key that the official client knows is sent by nobody and promised nowhere.
    submit_safety=SubmitSafety.NONE,
    credential_fields=(
        CredentialField("apiKey", "The API key, as in sk-..."),
        CredentialField(
            "organization", "The organization, as in org-...", secret=False, required=False, pattern=_NAME
        ),
        CredentialField(
            "project", "The project, as in proj_...", secret=False, required=False, pattern=_NAME
        ),
    ),
    synchronous=True,
    submit_seconds=280.0,
    polls=False,
    cancels=False,
)


@dataclass(frozen=True)
class OpenaiAdapter(BaseAdapter):
    """OpenAI at `base_url` (without `/v1`; a trailing `/v1` is tolerated). The key goes to this address only."""

    base_url: str = "https://api.openai.com"

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", checked_base_url(self.base_url).removesuffix("/v1"))

    @property
    def name(self) -> str:
        """The provider's name."""
        return "openai"

    @property
    def traits(self) -> AdapterTraits:
        """Synchronous: nothing to poll, to cancel or to hear of later."""
        return TRAITS

    def submit_request(
        self, submission: Submission, credential: Credential, callback_url: str | None
    ) -> HttpRequest:
        """Build `POST /v1/images/generations`, `/v1/images/edits` where an image is given, or `/v1/audio/speech`.

        Raises `ConfigurationError` for a `model_ref` that is none, `InvalidError` for images that are no data URLs.
        """
        del callback_url
        found = _MODEL.fullmatch(submission.model_ref)
        if found is None:
            raise ConfigurationError(
                f"{submission.model_ref!r} is no OpenAI model: it must be images/name or speech/name"
            )
        headers, body = _headers(credential), {"model": found["model"], **submission.input}
        if found["kind"] == "speech":
            url = f"{self.base_url}/v1/audio/speech"
            return HttpRequest("POST", url, {**headers, "Accept": "*/*"}, body, media_answer=True)
        if "image" in body:
            url, parts = f"{self.base_url}/v1/images/edits", tuple(_parts(body))
            return HttpRequest("POST", url, headers, parts=parts, media_answer=True)
        return HttpRequest("POST", f"{self.base_url}/v1/images/generations", headers, body, media_answer=True)

    def parse_submit(self, response: HttpResponse) -> SubmitResult:
        """Judge the answer, which is the result, see `judge_answer`; never raises."""
        return judge_answer(response)

    def test_request(self, credential: Credential) -> HttpRequest:
        """Build `GET /v1/models`."""
        return HttpRequest("GET", f"{self.base_url}/v1/models", _headers(credential))

    def parse_test(self, response: HttpResponse) -> str:
        """Return the organization that the answer names."""
        raise_unless_success(response, failure_in_http)
        return response.headers.get("openai-organization") or "OpenAI"


def _headers(credential: Credential) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {credential.secret.strip()}", "Accept": "application/json"}
    for name, header in (("organization", "OpenAI-Organization"), ("project", "OpenAI-Project")):
        if value := credential.extra.get(name):
            headers[header] = value
    return headers


def _parts(body: Mapping[str, Any]) -> Iterator[FormPart]:
    """The form of an edit: several images are `image[]`, one is `image`; everything else is text."""
    for name, value in body.items():
        if name == "image" and isinstance(value, list):
            for number, image in enumerate(value):
                yield _file("image[]", image, f"image-{number}")
        elif name in ("image", "mask"):
            yield _file(name, value, name)
        else:
            yield FormPart(name, value if isinstance(value, str) else json.dumps(value))


def _file(field: str, value: Any, filename: str) -> FormPart:
    media = inline_media(value, field.removesuffix("[]"))
    extension = _EXTENSIONS.get(media.content_type, "bin")
    return FormPart(field, media.decoded(), f"{filename}.{extension}", media.content_type)
