"""Stability's adapter: pure request builders and parsers over its v2beta API.

Every submit is multipart/form-data, with or without a file. Some operations answer with the result, some with an id
under which it can be asked for; see `stability_routes`.
Source: platform.stability.ai/docs/api-reference and its OpenAPI document; read November 2026.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lib.domain.errors import InvalidError
from lib.domain.http_exchange import FormPart, HttpRequest, HttpResponse
from lib.domain.provider import (
    AdapterTraits,
    Credential,
    CredentialField,
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
from lib.providers.answers import error_of, raise_unless_success, unreadable
from lib.providers.base_url import checked_base_url
from lib.providers.media_input import inline_media
from lib.providers.stability_meaning import failure_in_http, problem_in, result_in
from lib.providers.stability_models import RESULT_ID, Accepted, Balance
from lib.providers.stability_routes import FILES, target_of
from lib.providers.submit_judgement import outcome_of, unread

MAX_REQUEST_BYTES = 10 * 1024 * 1024
_ROOM_FOR_HEADERS = 64 * 1024
_FINAL_KINDS = (FailureKind.MODERATION, FailureKind.INVALID_INPUT)
_EXTENSIONS = {"image/jpeg": "jpg", "audio/mpeg": "mp3", "audio/x-wav": "wav"}

TRAITS = AdapterTraits(
    # There is neither an idempotency key nor an id of ours, and what was made cannot be listed.
    submit_safety=SubmitSafety.NONE,
    credential_fields=(CredentialField("apiKey", "The API key, as in sk-..."),),
    submit_seconds=280.0,
    cancels=False,
    poll_seconds=10.0,
    output_life_seconds=86_400,
    # 150 requests in 10 seconds, or the key is locked out for 60: submits take 100 of them, the rest is for polls
    rate_limit=RateLimit(per_minute=300, burst=50),
)


@dataclass(frozen=True)
class StabilityAdapter(BaseAdapter):
    """Stability at `base_url`, without `/v2beta`."""

    base_url: str = "https://api.stability.ai"

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", checked_base_url(self.base_url))

    @property
    def name(self) -> str:
        """The provider's name."""
        return "stability"

    @property
    def traits(self) -> AdapterTraits:
        """Nothing can be repeated, canceled or found again; whether it is waited for depends on the model."""
        return TRAITS

    def is_synchronous(self, model_ref: str) -> bool:
        """Whether the operation answers with its result. Raises `ConfigurationError` for one that is none."""
        return target_of(model_ref).route.results is None

    def submit_request(
        self, submission: Submission, credential: Credential, callback_url: str | None
    ) -> HttpRequest:
        """Build the form: the texts first, then the files, which must be data URLs.

        Raises `ConfigurationError` for a model that is none, `InvalidError` for a file that is no data URL or a
        request over 10 MiB.
        """
        del callback_url
        target = target_of(submission.model_ref)
        fields = {**submission.input, **({"model": target.model} if target.model else {})}
        parts = (*_texts(fields), *_files(fields))
        size = sum(
            len(part.value if isinstance(part.value, bytes) else part.value.encode("utf-8", "replace"))
            for part in parts
        )
        if size > MAX_REQUEST_BYTES - _ROOM_FOR_HEADERS:
            raise InvalidError(
                f"a request to Stability may have 10 MiB with its files; this one has {size} bytes"
            )
        url, waits = f"{self.base_url}/v2beta/{target.route.path}", target.route.results is None
        headers = _headers(credential, target.route.accept if waits else "application/json")
        return HttpRequest("POST", url, headers, parts=parts, media_answer=waits)

    def parse_submit(self, response: HttpResponse) -> SubmitResult:
        """Judge the answer: the result itself, an id, or an error (see `submit_judgement`); never raises.

        A 2xx with neither is UNKNOWN: it was taken, and we do not know under which id.
        """
        if not response.is_success:
            outcome = outcome_of(response, in_own_words=problem_in(response) is not None)
            failure = replace(failure_in_http(response), unbilled=outcome is not SubmitOutcome.UNKNOWN)
            return SubmitResult(outcome, failure=failure)
        update = result_in(response)
        if update is not None:
            return SubmitResult(SubmitOutcome.ACCEPTED, update=update)
        job = Accepted.of(response.body)
        if job.id is not None:
            update = ProviderUpdate(RemoteStatus.QUEUED, job.id, raw_status="accepted")
            return SubmitResult(SubmitOutcome.ACCEPTED, update=update)
        return unread(response, "is neither a result nor an id")

    def poll_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest | None:
        """Build the question for a result; None where the answer to the submit was the result.

        Raises `InvalidError` for an impossible id.
        """
        route = target_of(remote.model_ref).route
        if route.results is None:
            return None
        if not RESULT_ID.fullmatch(remote.provider_job_id):
            raise InvalidError(f"{remote.provider_job_id[:100]!r} is not the id of a result of Stability")
        url = f"{self.base_url}/v2beta/{route.results}/{remote.provider_job_id}"
        return HttpRequest("GET", url, _headers(credential, route.accept), media_answer=True)

    def parse_poll(self, response: HttpResponse) -> ProviderUpdate:
        """Read the answer: 202 runs, 200 brings the result; what Stability says of the job itself ends it as failed.

        Raises `ProviderError` for the rest; it is retryable where asking again may help.
        """
        if response.status == 202:
            job = Accepted.of(response.body)
            return ProviderUpdate(RemoteStatus.RUNNING, job.id, raw_status=job.status or "in-progress")
        if response.is_success:
            update = result_in(response)
            if update is not None:
                return replace(update, provider_job_id=None)  # its request id is not the job's
            return ProviderUpdate(RemoteStatus.UNKNOWN, raw_status=f"HTTP {response.status} without a result")
        failure, problem = failure_in_http(response), problem_in(response)
        if failure.kind in _FINAL_KINDS and problem:
            return ProviderUpdate(RemoteStatus.FAILED, failure=failure, raw_status=problem.name)
        raise error_of(failure)

    def test_request(self, credential: Credential) -> HttpRequest:
        """Build `GET /v1/user/balance`."""
        url = f"{self.base_url}/v1/user/balance"
        return HttpRequest("GET", url, _headers(credential, "application/json"))

    def parse_test(self, response: HttpResponse) -> str:
        """Return how many credits are left."""
        raise_unless_success(response, failure_in_http)
        balance = Balance.find(response.body)
        if balance is None:
            raise unreadable(response, "Stability", "balance")
        return f"{balance.credits:.2f} credits"


def _headers(credential: Credential, accept: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential.secret.strip()}", "Accept": accept}


def _texts(fields: Mapping[str, Any]) -> Iterator[FormPart]:
    for name, value in fields.items():
        if value is not None and name not in FILES:
            yield FormPart(name, value if isinstance(value, str) else json.dumps(value))


def _files(fields: Mapping[str, Any]) -> Iterator[FormPart]:
    for name, value in fields.items():
        if value is not None and name in FILES:
            media = inline_media(value, name)
            kind = media.content_type
            filename = f"{name}.{_EXTENSIONS.get(kind, kind.rpartition('/')[2])}"
            yield FormPart(name, media.decoded(), filename, kind)
