"""Replicate's adapter: pure request builders and parsers over its HTTP API.

Source: replicate.com/docs/reference/http and its OpenAPI document; read November 2026.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from lib.domain.errors import BadRequestError, ConfigurationError, InvalidError
from lib.domain.http_exchange import HttpRequest, HttpResponse
from lib.domain.provider import (
    AdapterTraits,
    Credential,
    CredentialField,
    ProviderUpdate,
    RateLimit,
    RecoveredPrediction,
    RemoteJob,
    RemoteStatus,
    Submission,
    SubmitResult,
    SubmitSafety,
    WebhookProof,
)
from lib.providers import standard_webhooks
from lib.providers.adapter import BaseAdapter
from lib.providers.answer_model import Answer
from lib.providers.answers import raise_unless_success, unreadable
from lib.providers.base_url import checked_base_url
from lib.providers.replicate_meaning import failure_in_http, update_from
from lib.providers.replicate_models import PREDICTION_ID, Account, Page, Prediction, WebhookSecret
from lib.providers.replicate_recovery import ListedPrediction, match_listed
from lib.providers.replicate_submit import judge_submit

MIN_CANCEL_AFTER_SECONDS = 5
# "logs" would feed the progress too, but brings two webhooks a second per job; polls show progress for less.
WEBHOOK_EVENTS = ("start", "completed")

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_MODEL = re.compile(rf"(?P<model>{_NAME}/{_NAME})")
_VERSION = re.compile(rf"(?:(?P<model>{_NAME}/{_NAME}):)?(?P<version>[0-9a-f]{{64}})")

AnswerT = TypeVar("AnswerT", bound=Answer)

TRAITS = AdapterTraits(
    # There is neither an idempotency key nor an id of ours.
    submit_safety=SubmitSafety.NONE,
    credential_fields=(CredentialField("apiToken", "The API token, as in r8_..."),),
    webhooks=WebhookProof.SIGNATURE,
    signature_proves_account=True,
    recovers=True,
    output_life_seconds=3600,
    rate_limit=RateLimit(per_minute=540, burst=60),  # 600 in a minute
)


@dataclass(frozen=True)
class ReplicateAdapter(BaseAdapter):
    """Replicate at `base_url` (without `/v1`; a trailing `/v1` is tolerated).

    The key goes to this address only: every URL is built here from an id, none is taken from an answer.
    """

    base_url: str = "https://api.replicate.com"

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", checked_base_url(self.base_url).removesuffix("/v1"))

    @property
    def name(self) -> str:
        """The provider's name."""
        return "replicate"

    @property
    def traits(self) -> AdapterTraits:
        """Webhooks with a signature of the account's own, polls, cancels and lists."""
        return TRAITS

    def submit_request(
        self, submission: Submission, credential: Credential, callback_url: str | None
    ) -> HttpRequest:
        """Build the create call: an official model by its name, any other by its version.

        Raises `ConfigurationError` for a `model_ref` that is neither.
        """
        path, body = _target(submission.model_ref)
        body["input"] = dict(submission.input)
        if callback_url is not None:
            body |= {"webhook": callback_url, "webhook_events_filter": list(WEBHOOK_EVENTS)}
        cancel_after = max(submission.deadline_seconds, MIN_CANCEL_AFTER_SECONDS)
        headers = {**_headers(credential), "Cancel-After": f"{cancel_after}s"}
        return HttpRequest("POST", f"{self.base_url}/v1/{path}", headers, body)

    def parse_submit(self, response: HttpResponse) -> SubmitResult:
        """Judge the answer to a create, see `judge_submit`; never raises."""
        return judge_submit(response)

    def poll_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest:
        """Build `GET /v1/predictions/{id}`. Raises `InvalidError` for an impossible id."""
        return self._get(f"predictions/{_checked_id(remote.provider_job_id)}", credential)

    def parse_poll(self, response: HttpResponse) -> ProviderUpdate:
        """Read a prediction. Raises `ProviderError`; it is retryable where asking again may help."""
        return update_from(_answer(Prediction, response))

    def cancel_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest:
        """Build `POST .../{id}/cancel`, without a body. Raises `InvalidError` for an impossible id."""
        url = f"{self.base_url}/v1/predictions/{_checked_id(remote.provider_job_id)}/cancel"
        return HttpRequest("POST", url, _headers(credential))

    def parse_cancel(self, response: HttpResponse) -> ProviderUpdate:
        """Read the prediction after a cancel; a success without one says nothing yet (UNKNOWN, non-final)."""
        raise_unless_success(response, failure_in_http)
        prediction = Prediction.find(response.body)
        return update_from(prediction) if prediction else ProviderUpdate(RemoteStatus.UNKNOWN)

    def test_request(self, credential: Credential) -> HttpRequest:
        """Build `GET /v1/account`."""
        return self._get("account", credential)

    def parse_test(self, response: HttpResponse) -> str:
        """Return the account's user name."""
        return _answer(Account, response).username

    def recover_request(
        self,
        created_after: datetime,
        created_before: datetime,
        credential: Credential,
        next_url: str | None = None,
    ) -> HttpRequest:
        """Build the listing of a window, or the page at `next_url`: its query, at our own address."""
        window = {"created_after": _iso(created_after), "created_before": _iso(created_before)}
        query = urlsplit(next_url).query if next_url else urlencode(window)
        return self._get(f"predictions?{query}", credential)

    def parse_recover(self, response: HttpResponse) -> tuple[list[RecoveredPrediction], str | None]:
        """Return the readable predictions of one page, newest first, and the next page's address."""
        page = _answer(Page, response)
        found = [ListedPrediction.of(prediction) for prediction in page.results]
        return [prediction for prediction in found if prediction is not None], page.next

    def match_recovered(
        self,
        submission: Submission,
        callback_url: str | None,
        candidates: Sequence[RecoveredPrediction],
        *,
        complete: bool = True,
    ) -> RecoveredPrediction | None:
        """Return the prediction that this attempt made, see `match_listed`; None when unsure."""
        return match_listed(submission, callback_url, candidates, complete=complete)

    def webhook_secret_request(self, credential: Credential) -> HttpRequest:
        """Build `GET /v1/webhooks/default/secret`; there is one secret per account."""
        return self._get("webhooks/default/secret", credential)

    def parse_webhook_secret(self, response: HttpResponse) -> str:
        """Return the `whsec_...` secret."""
        return _answer(WebhookSecret, response).key

    def webhook_id(self, headers: Mapping[str, str]) -> str | None:
        """Return the `webhook-id` header, the same on each redelivery."""
        return standard_webhooks.webhook_id(headers)

    def hinted_job_id(self, raw_body: bytes) -> str | None:
        """The prediction's id."""
        prediction = Prediction.find(raw_body)
        return prediction.id if prediction else None

    def parse_webhook(
        self, headers: Mapping[str, str], raw_body: bytes, secrets: Sequence[str], now: datetime
    ) -> ProviderUpdate:
        """Verify and read a webhook; its body is the prediction as a poll would show it.

        Raises `UnauthenticatedError` (forged, stale, not signed), `BadRequestError` (genuine, no prediction).
        """
        standard_webhooks.verify(headers, raw_body, secrets, now)
        prediction = Prediction.find(raw_body)
        if prediction is None:
            raise BadRequestError("the webhook's body is not a Replicate prediction")
        return update_from(prediction)

    def _get(self, path: str, credential: Credential) -> HttpRequest:
        return HttpRequest("GET", f"{self.base_url}/v1/{path}", _headers(credential))


def _headers(credential: Credential) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential.secret.strip()}", "Accept": "application/json"}


def _target(model_ref: str) -> tuple[str, dict[str, Any]]:
    """Return the path and the start of the body for a model."""
    if by_version := _VERSION.fullmatch(model_ref):
        return "predictions", {"version": by_version["version"]}
    if by_name := _MODEL.fullmatch(model_ref):
        return f"models/{by_name['model']}/predictions", {}
    raise ConfigurationError(
        f"{model_ref!r} is no Replicate model: it must be owner/name, owner/name:version or a version, "
        "and a version is 64 hex digits"
    )


def _checked_id(provider_job_id: str) -> str:
    if not PREDICTION_ID.fullmatch(provider_job_id):
        raise InvalidError(f"{provider_job_id!r} is not the id of a Replicate prediction")
    return provider_job_id


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _answer(model: type[AnswerT], response: HttpResponse) -> AnswerT:
    raise_unless_success(response, failure_in_http)
    answer = model.find(response.body)
    if answer is None:
        raise unreadable(response, "Replicate", model.__name__.lower())
    return answer
