"""fal's adapter: pure request builders and parsers over its queue.

Source: fal.ai/docs/documentation/model-apis (inference/queue, inference/webhooks, errors, request-errors,
custom-output-storage); read November 2026.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote, urlencode, urlsplit

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
    UploadPolicy,
    WebhookProof,
)
from lib.providers import fal_webhook
from lib.providers.adapter import BaseAdapter, unreadable_webhook
from lib.providers.answers import error_of, raise_unless_success, unreadable
from lib.providers.base_url import checked_base_url
from lib.providers.fal_failures import failure_in_http, is_not_ready, is_own_error, speaks_of_model
from lib.providers.fal_meaning import failed_result, output_in, update_from, update_told
from lib.providers.fal_models import REQUEST_ID, CancelAnswer, Event, KeySet, Prices, Request, Status
from lib.providers.submit_judgement import outcome_of, unread

OUTPUT_LIFE_SECONDS = 86_400
"""How long fal is asked to keep what it made; without asking it is kept for weeks."""

SHORTEST_TIMEOUT_SECONDS = 2
TESTED_MODEL = "fal-ai/flux/schnell"
"""Any public model: asking for its price needs a key and costs nothing."""

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_MODEL = re.compile(rf"(?P<app>(?:(?:workflows|comfy)/)?{_NAME}/{_NAME})(?:/{_NAME})*")

TRAITS = AdapterTraits(
    # There is neither an idempotency key nor an id of ours, and requests cannot be listed; but a webhook tells.
    submit_safety=SubmitSafety.NONE,
    credential_fields=(CredentialField("apiKey", "The API key, as in id:secret"),),
    webhooks=WebhookProof.SIGNATURE,
    signature_proves_account=False,  # fal signs for all its accounts with the same keys
    poll_seconds=2.0,
    output_life_seconds=OUTPUT_LIFE_SECONDS,
    uploads=True,
)


@dataclass(frozen=True)
class FalAdapter(BaseAdapter):
    """fal's queue, its platform API (without a slash at the end) and the host of its webhook keys.

    The key goes to the first two only: every URL is built here from a checked id, none is taken from an answer.
    """

    queue_url: str = "https://queue.fal.run"
    platform_url: str = "https://api.fal.ai/v1"
    rest_url: str = "https://rest.fal.ai"

    def __post_init__(self) -> None:
        for name in ("queue_url", "platform_url", "rest_url"):
            object.__setattr__(self, name, checked_base_url(getattr(self, name)))

    @property
    def name(self) -> str:
        """The provider's name."""
        return "fal"

    @property
    def traits(self) -> AdapterTraits:
        """Webhooks signed by fal itself, polls, cancels; it may put outputs into our bucket."""
        return TRAITS

    def submit_request(
        self, submission: Submission, credential: Credential, callback_url: str | None
    ) -> HttpRequest:
        """Build the submit to the queue. Raises `ConfigurationError` for a `model_ref` that is no endpoint's id.

        A request that has not started when its job's time is over never does.
        """
        if not _MODEL.fullmatch(submission.model_ref):
            raise ConfigurationError(_no_model(submission.model_ref))
        query = f"?{urlencode({'fal_webhook': callback_url})}" if callback_url is not None else ""
        seconds = max(submission.deadline_seconds, SHORTEST_TIMEOUT_SECONDS)
        headers = {
            **_headers(credential),
            "X-Fal-Request-Timeout": str(float(seconds)),
            "X-Fal-Object-Lifecycle-Preference": _json({"expiration_duration_seconds": OUTPUT_LIFE_SECONDS}),
            **self._upload_header(submission.upload),
        }
        url = f"{self.queue_url}/{submission.model_ref}{query}"
        return HttpRequest("POST", url, headers, dict(submission.input))

    def parse_submit(self, response: HttpResponse) -> SubmitResult:
        """Judge the answer to a submit; never raises."""
        if not response.is_success:
            own = is_own_error(response)
            failure = replace(failure_in_http(response), unbilled=own)  # if fal says so, nothing was queued
            return SubmitResult(outcome_of(response, in_own_words=own), failure=failure)
        request = Request.find(response.body)
        if request is None:
            return unread(response, "names no request")
        update = ProviderUpdate(RemoteStatus.QUEUED, request.request_id, raw_status="IN_QUEUE")
        return SubmitResult(SubmitOutcome.ACCEPTED, update=update)

    def poll_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest:
        """Build the question for the status. Raises `InvalidError` for an impossible id or model."""
        return HttpRequest("GET", f"{self._request(remote)}/status", _headers(credential))

    def parse_poll(self, response: HttpResponse) -> ProviderUpdate:
        """Read a status; a success has its outputs behind `result_request`. Raises `ProviderError`."""
        raise_unless_success(response, failure_in_http)
        status = Status.find(response.body)
        if status is None:
            raise unreadable(response, "fal", "status")
        return update_from(status)

    def result_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest:
        """Build the question for what a completed request made."""
        return HttpRequest("GET", self._request(remote), _headers(credential))

    def parse_result(self, response: HttpResponse) -> ProviderUpdate:
        """Read what a completed request made, or why it made nothing: then the status is the model's own.

        Raises `ProviderError` where the answer is about the question and not about the job.
        """
        if speaks_of_model(response):
            return failed_result(response)
        if is_not_ready(response):
            raise error_of(
                Failure(FailureKind.OUTAGE, "fal has not finished the request yet", retryable=True)
            )
        raise_unless_success(response, failure_in_http)
        return output_in(response)

    def cancel_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest:
        """Build the cancel. Raises `InvalidError` for an impossible id or model."""
        return HttpRequest("PUT", f"{self._request(remote)}/cancel", _headers(credential))

    def parse_cancel(self, response: HttpResponse) -> ProviderUpdate:
        """A cancel is a request: the status is to be asked what came of it, also of one that had completed already.

        Raises `ProviderError`, NOT_FOUND where fal itself says that there is no such request.
        """
        word = CancelAnswer.of(response.body).status or ""
        if response.status == 400 and word == "ALREADY_COMPLETED":
            return ProviderUpdate(RemoteStatus.UNKNOWN, raw_status=word)
        if response.status == 404 and word == "NOT_FOUND":
            raise error_of(Failure(FailureKind.NOT_FOUND, "fal does not know this request"))
        raise_unless_success(response, failure_in_http)
        return ProviderUpdate(RemoteStatus.UNKNOWN, raw_status=word)

    def test_request(self, credential: Credential) -> HttpRequest:
        """Build the question for a price, which only a key may ask."""
        query = urlencode({"endpoint_id": TESTED_MODEL})
        return HttpRequest("GET", f"{self.platform_url}/models/pricing?{query}", _headers(credential))

    def parse_test(self, response: HttpResponse) -> str:
        """Return the part of the words that can be said: keys have no name at fal."""
        raise_unless_success(response, failure_in_http)
        if Prices.find(response.body) is None:
            raise unreadable(response, "fal", "list of prices")
        return "a key of fal"

    def webhook_secret_request(self, credential: Credential) -> HttpRequest:
        """Build the question for fal's public keys, which sign for all accounts; our key is not sent there."""
        del credential
        return HttpRequest("GET", f"{self.rest_url}/.well-known/jwks.json", {"Accept": "application/json"})

    def parse_webhook_secret(self, response: HttpResponse) -> str:
        """Return the keys that can be used, as compact JSON. Raises `ProviderError` where there is none."""
        raise_unless_success(response, failure_in_http)
        key_set = KeySet.of(response.body).model_dump_json()
        if not fal_webhook.public_keys([key_set]):
            raise unreadable(response, "fal", "set of keys")
        return key_set

    def webhook_id(self, headers: Mapping[str, str]) -> str | None:
        """Return the request's id: there is one event for each request."""
        return fal_webhook.request_id(headers)

    def hinted_job_id(self, raw_body: bytes) -> str | None:
        """The request's id."""
        request = Request.find(raw_body)
        return request.request_id if request else None

    def parse_webhook(
        self, headers: Mapping[str, str], raw_body: bytes, secrets: Sequence[str], now: datetime
    ) -> ProviderUpdate:
        """Verify and read a webhook.

        Raises `UnauthenticatedError` (forged, stale, not signed), `BadRequestError` (genuine, no event of fal's),
        `ConfigurationError` for a key set that is none.
        """
        fal_webhook.verify(headers, raw_body, secrets, now)
        event = Event.find(raw_body)
        if event is None:
            raise unreadable_webhook("an event of fal's queue")
        return update_told(event)

    def _request(self, remote: RemoteJob) -> str:
        """The address of a request: of the application alone, whichever of its endpoints was asked."""
        model = _MODEL.fullmatch(remote.model_ref)
        if model is None:
            raise InvalidError(_no_model(remote.model_ref))
        if not REQUEST_ID.fullmatch(remote.provider_job_id):
            raise InvalidError(f"{remote.provider_job_id[:100]!r} is not the id of a request at fal")
        return f"{self.queue_url}/{model['app']}/requests/{quote(remote.provider_job_id)}"

    def _upload_header(self, policy: UploadPolicy | None) -> dict[str, str]:
        """fal takes https addresses of S3 alone, and refuses the whole request for another; its simulator does not."""
        if policy is None or urlsplit(policy.url).scheme != urlsplit(self.queue_url).scheme:
            return {}
        return {"X-App-Fal-Upload-Policy": _json({"url": policy.url, "fields": dict(policy.fields)})}


def _headers(credential: Credential) -> dict[str, str]:
    return {"Authorization": f"Key {credential.secret.strip()}", "Accept": "application/json"}


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _no_model(model_ref: str) -> str:
    return f"{model_ref[:100]!r} is no endpoint of fal: it must be owner/app, as in fal-ai/flux/schnell"
