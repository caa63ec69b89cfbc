"""Runway's adapter: pure request builders and parsers over its task API.

Source: docs.dev.runwayml.com/api and its OpenAPI document; read November 2026.
"""

import re
from dataclasses import dataclass

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
from lib.providers.runway_meaning import failure_in_http, is_own_error, update_from
from lib.providers.runway_models import TASK_ID, Created, Organization, Task
from lib.providers.submit_judgement import outcome_of, unread

API_VERSION = "2024-11-06"
ROUTES = frozenset(
    {
        *("image_to_video", "text_to_video", "video_to_video", "text_to_image", "image_upscale"),
        *("video_upscale", "character_performance", "sound_effect", "text_to_speech", "speech_to_speech"),
        *("voice_dubbing", "voice_isolation", "video_to_audio"),
    }
)
"""The routes that make a task; a model's reference is one of them and the model, as in `image_to_video/gen4.5`."""

_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

TRAITS = AdapterTraits(
    # There is neither an idempotency key nor an id of ours, and tasks cannot be listed.
    submit_safety=SubmitSafety.NONE,
    credential_fields=(CredentialField("apiSecret", "The API secret, as in key_..."),),
    cancel_removes=True,
    poll_seconds=5.0,
    output_life_seconds=86_400,
    # No limit of requests is documented: more tasks than a tier may run wait as THROTTLED.
)


@dataclass(frozen=True)
class RunwayAdapter(BaseAdapter):
    """Runway at `base_url`, without `/v1`."""

    base_url: str = "https://api.dev.runwayml.com"

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", checked_base_url(self.base_url))

    @property
    def name(self) -> str:
        """The provider's name."""
        return "runway"

    @property
    def traits(self) -> AdapterTraits:
        """It is polled, not sooner than every five seconds, and cancels; it never calls back."""
        return TRAITS

    def submit_request(
        self, submission: Submission, credential: Credential, callback_url: str | None
    ) -> HttpRequest:
        """Build the creation of a task. Raises `ConfigurationError` for a `model_ref` that is no route and model."""
        del callback_url
        route, _, model = submission.model_ref.partition("/")
        if route not in ROUTES or not _MODEL.fullmatch(model):
            raise ConfigurationError(
                f"{submission.model_ref[:100]!r} is no model of Runway: it must be a route and a model such as "
                f"image_to_video/gen4.5; routes are {', '.join(sorted(ROUTES))}"
            )
        body = {**submission.input, "model": model}
        return HttpRequest("POST", f"{self.base_url}/v1/{route}", _headers(credential), body)

    def parse_submit(self, response: HttpResponse) -> SubmitResult:
        """Judge the answer to a creation; never raises."""
        if not response.is_success:
            outcome = outcome_of(response, in_own_words=is_own_error(response))
            return SubmitResult(outcome, failure=failure_in_http(response))
        task = Created.find(response.body)
        if task is None:
            return unread(response, "names no task")
        return SubmitResult(SubmitOutcome.ACCEPTED, update=ProviderUpdate(RemoteStatus.QUEUED, task.id))

    def poll_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest:
        """Build `GET /v1/tasks/{id}`. Raises `InvalidError` for an impossible id."""
        return HttpRequest("GET", self._task(remote), _headers(credential))

    def parse_poll(self, response: HttpResponse) -> ProviderUpdate:
        """Read a task. Raises `ProviderError`; NOT_FOUND only where Runway itself says that there is no such task."""
        raise_unless_success(response, failure_in_http)
        task = Task.find(response.body)
        if task is None:
            raise unreadable(response, "Runway", "task")
        return update_from(task)

    def cancel_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest:
        """Build `DELETE /v1/tasks/{id}`. Raises `InvalidError` for an impossible id."""
        return HttpRequest("DELETE", self._task(remote), {**_headers(credential), "Accept": "*/*"})

    def parse_cancel(self, response: HttpResponse) -> ProviderUpdate:
        """A task that was deleted is canceled, and so is one that Runway no longer knows.

        Deleting ends a task that waits or runs and removes one that has ended; neither can be fetched again. So
        a 404 in Runway's words answers the second of two cancels, of which the first was carried out unheard: the
        id was given to us by Runway, and tasks vanish in no other way.
        """
        if response.status == 404 and is_own_error(response):
            return ProviderUpdate(RemoteStatus.CANCELED, failure=_canceled())
        raise_unless_success(response, failure_in_http)
        return ProviderUpdate(RemoteStatus.CANCELED, failure=_canceled())

    def test_request(self, credential: Credential) -> HttpRequest:
        """Build `GET /v1/organization`."""
        return HttpRequest("GET", f"{self.base_url}/v1/organization", _headers(credential))

    def parse_test(self, response: HttpResponse) -> str:
        """Return the balance in words: an organization has no name here."""
        raise_unless_success(response, failure_in_http)
        organization = Organization.find(response.body)
        if organization is None:
            raise unreadable(response, "Runway", "organization")
        return f"an organization with {organization.credit_balance:g} credits"

    def _task(self, remote: RemoteJob) -> str:
        if not TASK_ID.fullmatch(remote.provider_job_id):
            raise InvalidError(f"{remote.provider_job_id[:100]!r} is not the id of a Runway task")
        return f"{self.base_url}/v1/tasks/{remote.provider_job_id}"


def _headers(credential: Credential) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {credential.secret.strip()}",
        "Accept": "application/json",
        "X-Runway-Version": API_VERSION,
    }


def _canceled() -> Failure:
    return Failure(FailureKind.CANCELED, "Runway has ended and deleted the task")
