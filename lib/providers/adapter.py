"""What most adapters have in common: all that a provider does not have, said once."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from lib.domain.errors import BadRequestError, ProviderError, UnauthenticatedError
from lib.domain.http_exchange import HttpRequest, HttpResponse
from lib.domain.provider import (
    AdapterTraits,
    Credential,
    FailureKind,
    ProviderUpdate,
    RecoveredPrediction,
    RemoteJob,
    RemoteStatus,
    Submission,
)


class BaseAdapter:
    """A provider without polls, cancels, searches, tokens and webhooks; an adapter overrides what its provider has.

    What is left to write: `name`, `traits`, `submit_request`, `parse_submit`, `test_request`, `parse_test`.
    """

    @property
    def traits(self) -> AdapterTraits:
        """What the provider can do."""
        raise NotImplementedError

    def is_synchronous(self, model_ref: str) -> bool:
        """As its traits say, for all of its models."""
        del model_ref
        return self.traits.synchronous

    def token_request(self, credential: Credential, now: datetime) -> HttpRequest | None:
        """None: the key itself is sent."""
        del credential, now
        return None

    def parse_token(self, response: HttpResponse) -> tuple[str, float]:
        """Never asked for."""
        raise self._cannot("tokens", response)

    def poll_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest | None:
        """None: it cannot be asked."""
        del remote, credential
        return None

    def parse_poll(self, response: HttpResponse) -> ProviderUpdate:
        """Never asked for."""
        raise self._cannot("polls", response)

    def result_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest | None:
        """None: a poll brings the outputs."""
        del remote, credential
        return None

    def parse_result(self, response: HttpResponse) -> ProviderUpdate:
        """Never asked for."""
        raise self._cannot("results", response)

    def cancel_request(self, remote: RemoteJob, credential: Credential) -> HttpRequest | None:
        """None: it cannot be canceled."""
        del remote, credential
        return None

    def parse_cancel(self, response: HttpResponse) -> ProviderUpdate:
        """A success says nothing yet."""
        del response
        return ProviderUpdate(RemoteStatus.UNKNOWN)

    def recover_request(
        self,
        created_after: datetime,
        created_before: datetime,
        credential: Credential,
        next_url: str | None = None,
    ) -> HttpRequest | None:
        """None: what was made cannot be listed."""
        del created_after, created_before, credential, next_url
        return None

    def parse_recover(self, response: HttpResponse) -> tuple[list[RecoveredPrediction], str | None]:
        """Never asked for."""
        raise self._cannot("lists", response)

    def match_recovered(
        self,
        submission: Submission,
        callback_url: str | None,
        candidates: Sequence[RecoveredPrediction],
        *,
        complete: bool = True,
    ) -> RecoveredPrediction | None:
        """None: nothing can be found."""
        del submission, callback_url, candidates, complete
        return None

    def webhook_secret_request(self, credential: Credential) -> HttpRequest | None:
        """None: nothing signs."""
        del credential
        return None

    def parse_webhook_secret(self, response: HttpResponse) -> str:
        """Never asked for."""
        raise self._cannot("webhook secrets", response)

    def webhook_id(self, headers: Mapping[str, str]) -> str | None:
        """None: redeliveries cannot be told apart by their headers."""
        del headers
        return None

    def hinted_job_id(self, raw_body: bytes) -> str | None:
        """None: a webhook's body is not read before it is verified."""
        del raw_body
        return None

    def parse_webhook(
        self, headers: Mapping[str, str], raw_body: bytes, secrets: Sequence[str], now: datetime
    ) -> ProviderUpdate:
        """Refused: this provider does not call back."""
        del headers, raw_body, secrets, now
        raise UnauthenticatedError("this provider does not call back", code="webhook_unproved")

    @staticmethod
    def _cannot(what: str, response: HttpResponse) -> ProviderError:
        return ProviderError(
            f"this provider has no {what}, and answered HTTP {response.status}",
            code=FailureKind.UNKNOWN.value,
        )


def unreadable_webhook(what: str) -> BadRequestError:
    """The error for a genuine webhook whose body is not what the provider sends."""
    return BadRequestError(f"the webhook's body is not {what}")
