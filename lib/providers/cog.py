"""Cog's adapter: models on the operator's own servers, as pure request builders and parsers over Cog's HTTP API.

Source: cog 0.23.1 (the Rust runtime) and 0.16.12, tried in November 2026; github.com/replicate/cog, docs/http.md.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lib.domain.direct_upload import OWN_ID
from lib.domain.errors import ConfigurationError, InvalidError, ProviderError, UnauthenticatedError
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
    WebhookProof,
)
from lib.providers.adapter import BaseAdapter, unreadable_webhook
from lib.providers.answers import error_of, raise_unless_success
from lib.providers.base_url import checked_base_url, checked_private_url
from lib.providers.cog_meaning import NAME, failure_in_http, update_from
from lib.providers.cog_models import Health, Prediction, Setup
from lib.providers.submit_judgement import unread

# "output" and "logs" would bring two webhooks a second, and nothing that the last one does not say.
WEBHOOK_EVENTS = ("start", "completed")
DEFAULT_SERVER = "default"
BUSY_SECONDS = 5.0

_SERVER_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_WORKING = ("READY", "BUSY")
_UNFIT = {
    "SETUP_FAILED": "the model's setup failed",
    "DEFUNCT": "the server cannot work any more and must be started again",
    "UNHEALTHY": "the model says that it is not healthy",
}

TRAITS = AdapterTraits(
    # PUT /predictions/{id}: while one of this id runs, another PUT is answered with its state.
    submit_safety=SubmitSafety.OWN_ID,
    credential_fields=(
        CredentialField("apiKey", "The bearer token of a proxy before the server", required=False),
        CredentialField("webhookToken", "The server's WEBHOOK_AUTH_TOKEN", required=False),
    ),
    webhooks=WebhookProof.TOKEN,
    polls=False,
    own_credentials=False,
)


@dataclass(frozen=True)
class CogAdapter(BaseAdapter):
    """Cog servers: the one at `base_url`, called `default`, and further ones by name.

    The catalogue's `version` is a server's name. With `plain_http` of "private", http is allowed to private
    addresses, too: the operator's own network is then trusted with inputs and keys.
    """

    base_url: str = "http://127.0.0.1:5000"
    servers: Mapping[str, str] = field(default_factory=dict)
    plain_http: str = ""

    def __post_init__(self) -> None:
        if self.plain_http not in ("", "private"):
            raise ConfigurationError(
                f'plain_http of cog must be "private" or left out, not {self.plain_http!r}'
            )
        checked = checked_private_url if self.plain_http else checked_base_url
        if not isinstance(self.servers, Mapping) or not all(map(_SERVER_NAME.fullmatch, self.servers)):
            raise ConfigurationError(
                'servers of cog must be an object of addresses by name, as in {"sketch": "https://..."}'
            )
        servers = {DEFAULT_SERVER: self.base_url, **self.servers}
        object.__setattr__(self, "servers", {name: checked(str(url)) for name, url in servers.items()})

    @property
    def name(self) -> str:
        """The provider's name."""
        return NAME

    @property
    def traits(self) -> AdapterTraits:
        """Ids of ours, webhooks without a signature, no polls."""
        return TRAITS

    def submit_request(
        self, submission: Submission, credential: Credential, callback_url: str | None
    ) -> HttpRequest:
        """Build `PUT /predictions/{own id}`, asynchronously.

        Raises `ConfigurationError` for a server that is none, and without a webhook: Cog tells a result to its webhook
        and can not be asked.
        """
        if callback_url is None:
            raise ConfigurationError(
                "a Cog server tells its results by webhook only: PROVIDER_WEBHOOKS must be enabled"
            )
        body = {
            "id": submission.own_id,
            "input": dict(submission.input),
            "webhook": callback_url,
            "webhook_events_filter": list(WEBHOOK_EVENTS),
        }
        headers = {**_headers(credential), "Prefer": "respond-async"}
        return HttpRequest("PUT", self._prediction(submission.model_ref, submission.own_id), headers, body)

    def parse_submit(self, response: HttpResponse) -> SubmitResult:
        """Judge the answer to a create; never raises.

        | answer | outcome | why |
        |---|---|---|
        | 2xx with a prediction | accepted | it runs, maybe since an earlier PUT, or it has ended |
        | 2xx with anything else | unknown | it was taken; sending it again is harmless |
        | 409, 429, 503 | deferred | busy, or not ready yet |
        | other 3xx, 4xx | refused | judged, not taken |
        | 408, other 5xx | unknown | a proxy may have passed it on |
        """
        if response.is_success:
            prediction = Prediction.of(response.body)
            if prediction.model_fields_set & {"status", "id"}:
                return SubmitResult(SubmitOutcome.ACCEPTED, update=update_from(prediction))
            return unread(response, "is no prediction")
        failure = failure_in_http(response)
        if response.status in (409, 429, 503):
            return SubmitResult(SubmitOutcome.DEFERRED, failure=_waiting(failure))
        refused = 300 <= response.status < 500 and response.status != 408
        return SubmitResult(SubmitOutcome.REFUSED if refused else SubmitOutcome.UNKNOWN, failure=failure)

    def cancel_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest:
        """Build `POST /predictions/{id}/cancel`. Raises `InvalidError` for an id that is none of ours."""
        url = f"{self._prediction(remote.model_ref, remote.provider_job_id)}/cancel"
        return HttpRequest("POST", url, _headers(credential))

    def parse_cancel(self, response: HttpResponse) -> ProviderUpdate:
        """Read the answer to a cancel: what becomes of it, a webhook will tell (UNKNOWN, non-final).

        Cog's own 404 says that it runs no such prediction: there is nothing left to cancel.
        """
        if response.is_success:
            return ProviderUpdate(RemoteStatus.UNKNOWN)
        if response.status == 404 and response.body.strip() == b"{}":
            words = "The Cog server runs no such prediction any more"
            failure = Failure(FailureKind.CANCELED, words, unbilled=True)
            return ProviderUpdate(RemoteStatus.CANCELED, failure=failure, raw_status="404")
        raise error_of(failure_in_http(response))

    def test_request(self, credential: Credential) -> HttpRequest:
        """Build `GET /health-check` of the default server."""
        return HttpRequest("GET", f"{self.servers[DEFAULT_SERVER]}/health-check", _headers(credential))

    def parse_test(self, response: HttpResponse) -> str:
        """Return the server's version if it is ready or busy. Raises `ProviderError` saying what it is otherwise."""
        raise_unless_success(response, failure_in_http)
        health = Health.of(response.body)
        status = (health.status or "").upper()
        if status in _WORKING:
            coglet = health.version.coglet if health.version else None
            return f"coglet {coglet}" if coglet else "cog"
        raise _unfit(status, health.setup)

    def parse_webhook(
        self, headers: Mapping[str, str], raw_body: bytes, secrets: Sequence[str], now: datetime
    ) -> ProviderUpdate:
        """Read a webhook. Its address proves it; with a `webhookToken` its bearer token must be right as well.

        Raises `UnauthenticatedError` for a wrong one, `BadRequestError` for a body that is no prediction.
        """
        del now
        if secrets and not _bearer_is_one_of(headers.get("authorization", ""), secrets):
            raise UnauthenticatedError("the webhook does not carry the server's WEBHOOK_AUTH_TOKEN")
        prediction = Prediction.of(raw_body)
        if "status" not in prediction.model_fields_set:
            raise unreadable_webhook("a Cog prediction")
        return update_from(prediction)

    def _prediction(self, server: str, prediction_id: str) -> str:
        if not OWN_ID.fullmatch(prediction_id):
            raise InvalidError(f"{prediction_id[:100]!r} is not the id of an attempt")
        address = self.servers.get(server)
        if address is None:
            known = ", ".join(sorted(self.servers))
            raise ConfigurationError(f"no Cog server is called {server[:100]!r}; known are: {known}")
        return f"{address}/predictions/{prediction_id}"


def _headers(credential: Credential) -> dict[str, str]:
    key = credential.secret.strip()
    return {"Accept": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}


def _waiting(failure: Failure) -> Failure:
    seconds = failure.retry_after_seconds if failure.retry_after_seconds is not None else BUSY_SECONDS
    return Failure(failure.kind, failure.message, True, seconds, unbilled=True)


def _unfit(status: str, setup: Setup | None) -> ProviderError:
    if status == "STARTING":
        failure = Failure(FailureKind.OUTAGE, "the Cog server is starting: ask again", True, BUSY_SECONDS)
        return error_of(failure)
    words = _UNFIT.get(status, f"the Cog server's health is {status[:50] or 'not said'}")
    if status == "SETUP_FAILED" and setup and setup.logs:
        words = f"{words}: {setup.logs.strip()[-500:]}"
    return error_of(Failure(FailureKind.OUTAGE, words))


def _bearer_is_one_of(header: str, secrets: Sequence[str]) -> bool:
    given = header.encode("utf-8", "replace")
    return any(hmac.compare_digest(given, f"Bearer {secret}".encode()) for secret in secrets)
