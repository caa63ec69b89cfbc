"""Webhooks: what is proved goes into the queue, once and small; everything else is refused and counted."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lib.domain.errors import (
    BadRequestError,
    NotFoundError,
    ProviderError,
    UnauthenticatedError,
    UnavailableError,
)
from lib.domain.provider import RemoteStatus
from lib.domain.provider_json import update_from_json
from lib.domain.webhook_token import CallbackTarget, make_token
from lib.ports.provider import ProviderAdapter
from lib.providers import standard_webhooks
from lib.providers.replicate import ReplicateAdapter
from lib.services.accept_webhook import AcceptWebhook, Delivery
from lib.services.webhook_secrets import LIFE_SECONDS, PAUSE_SECONDS, WebhookSecrets
from tests.fakes.bucket import FakeBucket
from tests.fakes.metrics import FakeMetrics
from tests.fakes.provider import FakeAdapter
from tests.fakes.queue import FakeQueue
from tests.fakes.replicate_answers import PREDICTION_ID, body_of

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER_SECRET = "whsec_" + "B" * 32
JOB_ID = "019a5f3e-7c1b-7d42-9a06-2f1d6f0c8b51"
TARGET = CallbackTarget("replicate", JOB_ID, 1)
NOW = datetime(2026, 11, 20, 18, 4, 2, tzinfo=UTC)


class World:
    """The use case over fakes, with the real adapter."""

    def __init__(self) -> None:
        self.queue, self.bucket, self.metrics = FakeQueue(), FakeBucket(), FakeMetrics()
        self.secret: str | None = SECRET
        self.fetches = 0
        self.seconds = 0.0
        self.service = AcceptWebhook(
            adapter=self._adapter,
            token_key=lambda: "token-key",
            secrets=WebhookSecrets(self._fetch, monotonic=lambda: self.seconds),
            queue=self.queue,
            bucket=lambda: self.bucket,
            metrics=self.metrics,
            clock=lambda: NOW,
        )

    def accept(self, delivery: Delivery) -> dict[str, Any]:
        """The message that was enqueued."""
        self.service.accept(delivery)
        (sent,) = self.queue.sent
        return dict(sent.message)

    def rejected(self) -> list[str]:
        """Why webhooks were rejected."""
        return [facts["reason"] for name, facts in self.metrics.counted if name == "WebhookRejected"]

    @staticmethod
    def _adapter(name: str) -> ProviderAdapter:
        if name != "replicate":
            raise NotFoundError(f"there is no provider {name}")
        return ReplicateAdapter()

    def _fetch(self, _provider: str) -> str | None:
        self.fetches += 1
        if self.secret is None:
            raise ProviderError("away")
        return self.secret


@pytest.fixture
def world() -> World:
    return World()


def token_query(target: CallbackTarget = TARGET, token: str | None = None) -> dict[str, str]:
    return {
        "job": target.job_id,
        "attempt": str(target.attempt),
        "token": make_token("token-key", target) if token is None else token,
    }


def delivery(
    body: bytes | None = None,
    query: dict[str, str] | None = None,
    *,
    secret: str = SECRET,
    at: datetime = NOW,
    provider: str = "replicate",
) -> Delivery:
    """A delivery as Replicate makes it."""
    body = body if body is not None else json.dumps(body_of("succeeded_images")).encode()
    stamp = int(at.timestamp())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(stamp),
        "webhook-signature": standard_webhooks.sign(secret, "msg_1", stamp, body),
    }
    return Delivery(provider, headers, token_query() if query is None else query, body)


def unsigned(query: dict[str, str]) -> Delivery:
    return Delivery("replicate", {}, query, b"{}")


def test_a_genuine_webhook_becomes_one_message_with_what_matters(world: World) -> None:
    message = world.accept(delivery())
    update = update_from_json(message.pop("update"))
    assert message == {
        "kind": "event",
        "provider": "replicate",
        "webhookId": "msg_1",
        "jobId": JOB_ID,
        "attempt": 1,
        "credentialVersion": "platform",
        "receivedAt": "2026-11-20T18:04:02.000Z",
    }
    assert (update.status, update.provider_job_id) == (RemoteStatus.SUCCEEDED, PREDICTION_ID)
    assert update.outputs
    assert world.queue.sent[0].group == JOB_ID


def test_without_a_token_the_signature_alone_proves_a_platform_account(world: World) -> None:
    message = world.accept(delivery(query={}))
    assert (message["jobId"], message["attempt"], message["credentialVersion"]) == (None, None, "platform")
    assert update_from_json(message["update"]).provider_job_id == PREDICTION_ID


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        (lambda: delivery(query=token_query(token="A" * 43)), "webhook_token_wrong"),
        (lambda: delivery(query=token_query(token="")), "webhook_token_wrong"),
        (lambda: delivery(query={"job": JOB_ID, "attempt": "1"}), "webhook_token_wrong"),
        (lambda: delivery(query={**token_query(), "attempt": "2"}), "webhook_token_wrong"),
        (lambda: delivery(query={**token_query(), "attempt": "one"}), "webhook_token_wrong"),
        (lambda: delivery(query={**token_query(), "job": "none"}), "webhook_token_wrong"),
        (
            lambda: delivery(query={**token_query(), "job": "019a5f3e-7c1b-7d42-9a06-2f1d6f0c8b52"}),
            "webhook_token_wrong",
        ),
        (lambda: delivery(query={**token_query(), "credential": "mine"}), "webhook_token_wrong"),
        (lambda: unsigned({}), "webhook_unproved"),
        (lambda: unsigned(token_query()), "webhook_signature_wrong"),
        (lambda: delivery(secret=OTHER_SECRET), "webhook_signature_wrong"),
        (lambda: delivery(at=NOW - timedelta(seconds=301)), "webhook_signature_wrong"),
        (lambda: delivery(at=NOW + timedelta(seconds=301)), "webhook_signature_wrong"),
    ],
)
def test_what_is_not_proved_is_refused_counted_and_not_enqueued(
    world: World, forge: Callable[[], Delivery], reason: str
) -> None:
    with pytest.raises(UnauthenticatedError):
        world.service.accept(forge())
    assert world.rejected() == [reason]
    assert world.queue.sent == []


def test_a_wrong_token_costs_no_question_to_the_provider(world: World) -> None:
    with pytest.raises(UnauthenticatedError):
        world.service.accept(delivery(query=token_query(token="A" * 43)))
    assert world.fetches == 0


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"status": 7}'])
def test_a_genuine_webhook_that_cannot_be_read_is_a_bad_request(world: World, body: bytes) -> None:
    with pytest.raises(BadRequestError):
        world.service.accept(delivery(body))
    assert world.rejected() == ["bad_request"]


def test_an_unknown_provider_is_not_found(world: World) -> None:
    with pytest.raises(NotFoundError):
        world.service.accept(delivery(provider="nobody"))


def test_a_large_update_goes_by_reference(world: World) -> None:
    large = "data:image/png;base64," + "A" * 4_000_000
    message = world.accept(delivery(json.dumps(body_of("succeeded_images", output=[large])).encode()))
    assert "update" not in message
    assert message["bodyRef"].startswith("temp/webhooks/2026/11/20/")
    assert len(json.dumps(message)) < 1_000
    info = world.bucket.head(message["bodyRef"])
    assert info is not None
    kept = update_from_json(json.loads(world.bucket.read(message["bodyRef"], 0, info.size)))
    assert [output.value for output in kept.outputs] == [large]


def test_inputs_are_not_carried_along(world: World) -> None:
    body = body_of(
        "succeeded_images", input={"prompt": "secret words", "image": "A" * 500_000}, logs="x" * 300_000
    )
    message = world.accept(delivery(json.dumps(body).encode()))
    assert "secret words" not in json.dumps(message)
    assert "update" in message


def test_a_queue_that_is_away_makes_the_provider_send_again(world: World) -> None:
    world.queue.down = True
    with pytest.raises(UnavailableError):
        world.service.accept(delivery())
    assert world.rejected() == []


def test_the_secret_is_asked_for_once_an_hour(world: World) -> None:
    for _ in range(3):
        world.service.accept(delivery())
    assert world.fetches == 1
    world.seconds += LIFE_SECONDS
    world.service.accept(delivery())
    assert world.fetches == 2


def test_a_rotated_secret_is_found_at_its_first_webhook(world: World) -> None:
    world.service.accept(delivery())
    world.secret, world.seconds = OTHER_SECRET, PAUSE_SECONDS
    world.service.accept(delivery(secret=OTHER_SECRET))
    assert (len(world.queue.sent), world.fetches, world.rejected()) == (2, 2, [])


def test_forged_webhooks_ask_the_provider_once_a_minute_at_most(world: World) -> None:
    world.service.accept(delivery())
    for second in (10, 59, 61, 70, 119):
        world.seconds = second
        with pytest.raises(UnauthenticatedError):
            world.service.accept(delivery(secret=OTHER_SECRET))
    assert world.fetches == 2


def test_while_the_provider_does_not_tell_its_secret_it_is_asked_to_send_again(world: World) -> None:
    world.secret = None
    with pytest.raises(UnavailableError):
        world.service.accept(delivery())
    assert world.queue.sent == []


def test_a_known_secret_outlives_its_hour_while_the_provider_is_away(world: World) -> None:
    world.service.accept(delivery())
    world.secret, world.seconds = None, LIFE_SECONDS + 1
    world.service.accept(delivery())
    world.service.accept(delivery())
    assert (len(world.queue.sent), world.fetches) == (3, 2)


OWN = CallbackTarget("replicate", JOB_ID, 1, "own:019a5f3e-7c1b-7d42-9a06-2f1d6f0c8b99")


def own_query(target: CallbackTarget = OWN) -> dict[str, str]:
    return {**token_query(target), "credential": target.credential_version}


def test_a_webhook_of_a_users_own_account_is_no_more_than_a_hint(world: World) -> None:
    message = world.accept(delivery(query=own_query(), secret=OTHER_SECRET))
    assert message == {
        "kind": "hint",
        "provider": "replicate",
        "jobId": JOB_ID,
        "attempt": 1,
        "providerJobId": PREDICTION_ID,
        "receivedAt": "2026-11-20T18:04:02.000Z",
    }
    assert world.fetches == 0


def test_an_event_of_a_users_own_account_says_whose_key_its_words_may_echo(world: World) -> None:
    cannot_be_asked = FakeAdapter(wanted=replace(ReplicateAdapter().traits, polls=False))
    world.service = replace(world.service, adapter=lambda _name: cannot_be_asked)
    message = world.accept(delivery(query=own_query()))
    assert (message["kind"], message["credentialVersion"]) == ("event", OWN.credential_version)


def test_a_hint_needs_the_token_of_that_very_credential(world: World) -> None:
    for query in (
        {**own_query(), "credential": "own:019a5f3e-7c1b-7d42-9a06-2f1d6f0c8b00"},
        {**token_query(), "credential": OWN.credential_version},
        {**own_query(), "job": "019a5f3e-7c1b-7d42-9a06-2f1d6f0c8b52"},
    ):
        with pytest.raises(UnauthenticatedError):
            world.service.accept(delivery(query=query, secret=OTHER_SECRET))
    assert world.queue.sent == []


def test_a_users_own_signature_without_a_token_proves_nothing(world: World) -> None:
    with pytest.raises(UnauthenticatedError):
        world.service.accept(delivery(query={}, secret=OTHER_SECRET))
    assert world.queue.sent == []
