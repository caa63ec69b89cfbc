"""A provider's webhook: proved genuine, then put into the queue. No database, no Redis, one message."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from lib.domain.errors import BadRequestError, UnauthenticatedError
from lib.domain.ids import parse_job_id
from lib.domain.provider import PLATFORM_VERSION, ProviderUpdate, SubmitSafety, own_id
from lib.domain.provider_json import update_to_json
from lib.domain.snapshot import format_time
from lib.domain.webhook_token import CallbackTarget, token_is_genuine
from lib.ports.metrics import GatewayMetrics
from lib.ports.provider import ProviderAdapter
from lib.ports.queue import WorkQueue
from lib.ports.storage import MediaBucket
from lib.services.webhook_secrets import WebhookSecrets

INLINE_BYTES = 200 * 1024
PARKED_PREFIX = "temp/webhooks/"
_LONGEST_WEBHOOK_ID = 200


@dataclass(frozen=True)
class Delivery:
    """A webhook as it came: lower-case header names, the query's values, the very bytes."""

    provider: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class AcceptWebhook:
    """The use case of `POST /webhook/{provider}`.

    `adapter` raises NotFoundError for an unknown provider; `bucket` is called for large updates only.
    """

    adapter: Callable[[str], ProviderAdapter]
    token_key: Callable[[], str]
    secrets: WebhookSecrets
    queue: WorkQueue
    bucket: Callable[[], MediaBucket]
    metrics: GatewayMetrics
    clock: Callable[[], datetime]

    def accept(self, delivery: Delivery) -> None:
        """Check the webhook and enqueue what it says.

        Raises:
            NotFoundError: no such provider.
            UnauthenticatedError: forged, stale, with a wrong token, or without any proof.
            BadRequestError: genuine and not readable.
            UnavailableError: the queue, the bucket or the provider's secret is away; the provider sends again.
        """
        adapter, now = self.adapter(delivery.provider), self.clock()
        try:
            target = self._proved_target(delivery)
            if target is not None and not _speaks_for_us(adapter, target):
                self._enqueue_hint(adapter, delivery, target, now)
                return
            update = self._verified(adapter, delivery, now, signed_only=target is None)
            _must_be_about(adapter, target, update)
        except (UnauthenticatedError, BadRequestError) as error:
            self.metrics.count("WebhookRejected", provider=delivery.provider, reason=error.code)
            raise
        if target is None and update.provider_job_id is None:
            raise BadRequestError("the webhook names no job")
        self._enqueue(adapter.webhook_id(delivery.headers), delivery, target, update, now)
        self.metrics.webhook_received(delivery.provider)

    def _proved_target(self, delivery: Delivery) -> CallbackTarget | None:
        """Whose callback it is, proved by the token; None for a delivery without any."""
        query = delivery.query
        if not query.keys() & {"token", "job", "attempt"}:
            return None
        job_id, attempt = parse_job_id(query.get("job", "")), query.get("attempt", "")
        if job_id and attempt.isascii() and attempt.isdigit() and len(attempt) <= 6:
            credential = query.get("credential", PLATFORM_VERSION)
            target = CallbackTarget(delivery.provider, job_id, int(attempt), credential)
            if token_is_genuine(self.token_key(), target, query.get("token", "")):
                return target
        raise UnauthenticatedError("the callback's token is wrong", code="webhook_token_wrong")

    def _verified(
        self, adapter: ProviderAdapter, delivery: Delivery, now: datetime, *, signed_only: bool
    ) -> ProviderUpdate:
        if signed_only and not (
            adapter.traits.signature_proves_account and adapter.webhook_id(delivery.headers) is not None
        ):
            raise UnauthenticatedError(
                "the webhook has neither a token nor a signature that proves the account",
                code="webhook_unproved",
            )
        secrets = self.secrets.current(delivery.provider)
        if signed_only and not secrets:
            raise UnauthenticatedError(
                "this provider signs nothing: a token is needed", code="webhook_unproved"
            )
        try:
            return adapter.parse_webhook(delivery.headers, delivery.body, secrets, now)
        except UnauthenticatedError as error:
            others = self.secrets.after_mismatch(delivery.provider)
            if others:
                return adapter.parse_webhook(delivery.headers, delivery.body, others, now)
            raise UnauthenticatedError(error.message, code="webhook_signature_wrong") from error

    def _enqueue_hint(
        self, adapter: ProviderAdapter, delivery: Delivery, target: CallbackTarget, now: datetime
    ) -> None:
        """Of an account that is not ours the address alone is proof, and of no more than that there is news."""
        message = {
            "kind": "hint",
            "provider": delivery.provider,
            "jobId": target.job_id,
            "attempt": target.attempt,
            "providerJobId": adapter.hinted_job_id(delivery.body),
            "receivedAt": format_time(now),
        }
        self.queue.send(message, group=target.job_id)
        self.metrics.webhook_received(delivery.provider)

    def _enqueue(
        self,
        webhook_id: str | None,
        delivery: Delivery,
        target: CallbackTarget | None,
        update: ProviderUpdate,
        now: datetime,
    ) -> None:
        message: dict[str, Any] = {
            "kind": "event",
            "provider": delivery.provider,
            "webhookId": webhook_id[:_LONGEST_WEBHOOK_ID] if webhook_id else None,
            "jobId": target.job_id if target else None,
            "attempt": target.attempt if target else None,
            "credentialVersion": target.credential_version if target else PLATFORM_VERSION,
            "receivedAt": format_time(now),
            **self._carried(update, now),
        }
        group = target.job_id if target else f"{delivery.provider}:{update.provider_job_id}"
        self.queue.send(message, group=group)

    def _carried(self, update: ProviderUpdate, now: datetime) -> dict[str, Any]:
        """The update itself, or where it was put if it is too large for a message."""
        value = update_to_json(update)
        body = json.dumps(value, separators=(",", ":")).encode()
        if len(body) <= INLINE_BYTES:
            return {"update": value}
        key = f"{PARKED_PREFIX}{now:%Y/%m/%d}/{uuid4()}.json"
        self.bucket().put(key, body, content_type="application/json", metadata={})
        return {"bodyRef": key}


def _must_be_about(adapter: ProviderAdapter, target: CallbackTarget | None, update: ProviderUpdate) -> None:
    """Where predictions have ids of ours, a callback of one attempt tells of that attempt's and of no other."""
    if target is None or adapter.traits.submit_safety is not SubmitSafety.OWN_ID:
        return
    if update.provider_job_id not in (None, own_id(target.job_id, target.attempt)):
        raise BadRequestError("the webhook is about another prediction than the one that its address is for")


def _speaks_for_us(adapter: ProviderAdapter, target: CallbackTarget) -> bool:
    """Whether what this webhook says is evidence; a provider that cannot be asked is believed by its address alone."""
    return target.credential_version == PLATFORM_VERSION or not adapter.traits.polls
