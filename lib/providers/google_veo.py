"""Veo on Vertex AI: pure request builders and parsers over its long-running predictions.

Source: docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/veo-video-generation and google-genai
3.4.0 in its Vertex mode; read November 2026. No bucket of Google's is asked for: the videos come in the answer.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
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
    RateLimit,
    RemoteJob,
    RemoteStatus,
    Submission,
    SubmitOutcome,
    SubmitResult,
    SubmitSafety,
)
from lib.providers.adapter import BaseAdapter
from lib.providers.answers import error_of, raise_unless_success
from lib.providers.base_url import checked_base_url
from lib.providers.google_errors import failure_in_http, judge
from lib.providers.google_models import AccessToken, Named
from lib.providers.google_operations import update_from
from lib.providers.google_service_account import read_service_account
from lib.providers.google_veo_models import LOCATION, MODEL, OPERATION, PROJECT, Operation
from lib.providers.media_input import inline_media
from lib.providers.submit_judgement import unread

DEFAULT_LOCATION = "us-central1"
TESTED_MODEL = "veo-3.1-fast-generate-001"
"""The model that a key is tested with: reading what it is costs nothing."""

_ABOUT_THE_JOB = ("labels",)
_IMAGES = ("image", "lastFrame")

TRAITS = AdapterTraits(
    # There is neither an idempotency key nor an id of ours.
    submit_safety=SubmitSafety.NONE,
    credential_fields=(
        CredentialField(
            "serviceAccount",
            "The JSON file of a service account's key, with the role Vertex AI User",
            pattern=r"\s*\{[\t\n\r\x20-\x7e]{20,16000}\}\s*",
        ),
        CredentialField(
            "projectId",
            "The project that pays; by default the key's own",
            secret=False,
            required=False,
            pattern=PROJECT,
        ),
        CredentialField(
            "location",
            f"The region, as in {DEFAULT_LOCATION}, which is the default",
            secret=False,
            required=False,
            pattern=LOCATION,
        ),
    ),
    cancels=False,
    poll_seconds=10.0,
    rate_limit=RateLimit(per_minute=40, burst=10),  # 50 in a minute
)


@dataclass(frozen=True)
class _Place:
    """Where a credential's requests go: the project and the region."""

    project: str
    location: str

    @property
    def parent(self) -> str:
        return f"projects/{self.project}/locations/{self.location}"


@dataclass(frozen=True)
class GoogleVeoAdapter(BaseAdapter):
    """Vertex AI at the address of the credential's region, or at `base_url`; tokens come from `token_url` alone.

    Every URL is built here from checked parts, none is taken from an answer or from the key's file.
    """

    base_url: str = ""
    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address

    def __post_init__(self) -> None:
        if self.base_url:
            object.__setattr__(self, "base_url", checked_base_url(self.base_url))
        object.__setattr__(self, "token_url", checked_base_url(self.token_url))

    @property
    def name(self) -> str:
        """The provider's name."""
        return "google_veo"

    @property
    def traits(self) -> AdapterTraits:
        """Polls only: no webhooks, no cancel, no list."""
        return TRAITS

    def token_request(self, credential: Credential, now: datetime) -> HttpRequest:
        """Build the exchange of the service account's key for an access token.

        Raises `ConfigurationError` for a key that is none.
        """
        return read_service_account(credential.secret).token_request(self.token_url, now)

    def parse_token(self, response: HttpResponse) -> tuple[str, float]:
        """Return the access token and its life. Raises `ProviderError`: a refused key is AUTHENTICATION."""
        answer = AccessToken.of(response.body)
        if response.is_success and answer.access_token:
            return answer.access_token, answer.expires_in or 0.0
        said = ": ".join(filter(None, (answer.error, answer.error_description)))
        refused = 400 <= response.status < 500 and response.status not in (408, 429)
        kind = FailureKind.AUTHENTICATION if refused else FailureKind.OUTAGE
        message = f"Google gave no access token (HTTP {response.status}): {said or 'no readable reason'}"
        raise error_of(Failure(kind, message, retryable=not refused))

    def submit_request(
        self, submission: Submission, credential: Credential, callback_url: str | None
    ) -> HttpRequest:
        """Build `POST .../models/{model}:predictLongRunning`.

        Raises `ConfigurationError` for a model that is none, `InvalidError` for media that are no data URLs.
        """
        del callback_url
        body: dict[str, Any] = {"instances": [{}], "parameters": {}}
        for name, value in submission.input.items():
            _put(body, name, value)
        place = self._place(credential)
        return self._post(place, submission.model_ref, "predictLongRunning", body, credential)

    def parse_submit(self, response: HttpResponse) -> SubmitResult:
        """Judge the answer to a create, see `judge`; never raises."""
        if not response.is_success:
            return judge(response)
        operation = Operation.find(response.body)
        if operation is None:
            return unread(response, "names no operation")
        return SubmitResult(SubmitOutcome.ACCEPTED, ProviderUpdate(RemoteStatus.QUEUED, operation.name))

    def poll_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest:
        """Build `POST .../models/{model}:fetchPredictOperation`.

        Raises `InvalidError` for a name that is no operation of this model, region and project.
        """
        place = self._place(credential)
        found = OPERATION.fullmatch(remote.provider_job_id)
        # a project's number names it as well as its id does
        ours = found and (found["project"] == place.project or found["project"].isdigit())
        if not found or not ours or found["location"] != place.location:
            raise InvalidError(f"{remote.provider_job_id!r} is no operation below {place.parent}")
        if remote.model_ref and found["model"] != remote.model_ref:
            raise InvalidError(f"{remote.provider_job_id!r} is no operation of {remote.model_ref}")
        body = {"operationName": remote.provider_job_id}
        return self._post(place, found["model"], "fetchPredictOperation", body, credential, media=True)

    def parse_poll(self, response: HttpResponse) -> ProviderUpdate:
        """Read an operation. Raises `ProviderError`; it is retryable where asking again may help."""
        raise_unless_success(response, failure_in_http)
        return update_from(response)

    def test_request(self, credential: Credential) -> HttpRequest:
        """Build the question what a model is: it proves the key, not that the project may use the model."""
        url = f"{self._base(self._place(credential))}/v1/publishers/google/models/{TESTED_MODEL}"
        return HttpRequest("GET", url, _headers(credential))

    def parse_test(self, response: HttpResponse) -> str:
        """Return the name of the model that the key opens."""
        raise_unless_success(response, failure_in_http)
        return Named.of(response.body).name or TESTED_MODEL

    def _place(self, credential: Credential) -> _Place:
        project = credential.extra.get("projectId") or read_service_account(credential.secret).project_id
        location = credential.extra.get("location") or DEFAULT_LOCATION
        if not re.fullmatch(PROJECT, project):
            raise ConfigurationError(f"projectId {project!r} is no id of a Google Cloud project")
        if not re.fullmatch(LOCATION, location):
            raise ConfigurationError(
                f"location {location!r} is no region of Vertex AI, such as {DEFAULT_LOCATION}"
            )
        return _Place(project, location)

    def _base(self, place: _Place) -> str:
        prefix = "" if place.location == "global" else f"{place.location}-"
        return self.base_url or f"https://{prefix}aiplatform.googleapis.com"

    def _url(self, place: _Place, model_ref: str) -> str:
        if not re.fullmatch(MODEL, model_ref):
            raise ConfigurationError(f"{model_ref!r} is no model of Vertex AI, such as {TESTED_MODEL}")
        return f"{self._base(place)}/v1/{place.parent}/publishers/google/models/{model_ref}"

    def _post(
        self,
        place: _Place,
        model_ref: str,
        method: str,
        body: Mapping[str, Any],
        credential: Credential,
        *,
        media: bool = False,
    ) -> HttpRequest:
        url = f"{self._url(place, model_ref)}:{method}"
        return HttpRequest("POST", url, _headers(credential), body, media_answer=media)


def _headers(credential: Credential) -> dict[str, str]:
    token = credential.extra.get("accessToken")
    if not token:
        raise ConfigurationError("Vertex AI is asked with an access token, and there is none")
    return {"Authorization": f"Bearer {token}", "Accept": "application/json"}


def _put(body: dict[str, Any], name: str, value: Any) -> None:
    """Put one input where Veo has it: what is seen or read into the instance, how it is made into the parameters."""
    instance, parameters = body["instances"][0], body["parameters"]
    if name == "storageUri":
        raise InvalidError("storageUri is not supported: the video comes to the gateway's own storage")
    if name == "prompt":
        instance[name] = value
    elif name in _IMAGES or name == "video":
        instance[name] = _media(value, name)
    elif name == "referenceImages":
        images = value if isinstance(value, list) else [value]
        instance[name] = [{"image": _media(image, name), "referenceType": "ASSET"} for image in images]
    elif name in _ABOUT_THE_JOB:
        body[name] = value
    else:
        parameters[name] = value


def _media(value: Any, name: str) -> dict[str, str]:
    media = inline_media(value, name)
    return {"bytesBase64Encoded": media.base64, "mimeType": media.content_type}
