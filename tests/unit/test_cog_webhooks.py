"""A Cog server's webhooks at the gateway: proved by address and token, about their own attempt, late and twice."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from lib.domain.errors import BadRequestError, UnauthenticatedError
from lib.domain.http_exchange import Delivery, HttpRequest, HttpResponse
from lib.domain.provider import Credential, FailureKind, RemoteStatus, Submission, SubmitOutcome
from lib.domain.provider_json import update_from_json
from lib.domain.webhook_token import CallbackTarget, make_token
from lib.ports.provider import Operation, TransportError
from lib.providers.client import HttpProviderClient
from lib.providers.cog import CogAdapter
from lib.services.accept_webhook import AcceptWebhook
from lib.services.accept_webhook import Delivery as Webhook
from lib.services.webhook_secrets import WebhookSecrets
from tests.fakes.bucket import FakeBucket
from tests.fakes.cog_answers import JOB_ID, PREDICTION_ID, answer, webhook
from tests.fakes.metrics import FakeMetrics
from tests.fakes.queue import FakeQueue

NOW = datetime(2026, 11, 21, tzinfo=UTC)
CALLBACK = "https://gateway.example/webhook/cog?token=t"
CREDENTIAL = Credential("cog", "", extra={"webhookToken": "server-secret"})


class World:
    """The use case over fakes, with the real adapter; the credential holds the server's token."""

    def __init__(self) -> None:
        self.queue = FakeQueue()
        client = HttpProviderClient(CogAdapter(), Silent())
        self.service = AcceptWebhook(
            adapter=lambda _name: CogAdapter(),
            token_key=lambda: "token-key",
            secrets=WebhookSecrets(lambda _name: client.webhook_secret(CREDENTIAL)),
            queue=self.queue,
            bucket=FakeBucket,
            metrics=FakeMetrics(),
            clock=lambda: NOW,
        )

    def accept(
        self, name: str, *, attempt: int = 1, token: str | None = None, **changes: Any
    ) -> dict[str, Any]:
        """The last message, after the delivery of a stored webhook."""
        headers, body = webhook(name, **changes)
        target = CallbackTarget("cog", JOB_ID, attempt)
        proof = make_token("token-key", target) if token is None else token
        query = {"job": JOB_ID, "attempt": str(attempt), "token": proof}
        self.service.accept(Webhook("cog", headers, query, body))
        return dict(self.queue.sent[-1].message)


class Silent:
    """A transport that nobody should use, or one that loses every answer."""

    def __init__(self, *script: HttpResponse) -> None:
        self.script = list(script)
        self.sent: list[HttpRequest] = []

    def send(self, request: HttpRequest, *, provider: str, operation: Operation) -> HttpResponse:
        """See `ProviderTransport`."""
        self.sent.append(request)
        if not self.script:
            raise TransportError(f"{provider} did not answer", delivery=Delivery.UNKNOWN)
        return self.script.pop(0)


@pytest.fixture
def world() -> World:
    return World()


def test_a_genuine_webhook_goes_into_the_queue(world: World) -> None:
    message = world.accept("webhook_succeeded")

    assert (message["jobId"], message["attempt"]) == (JOB_ID, 1)
    update = update_from_json(message["update"])
    assert (update.status, update.provider_job_id) == (RemoteStatus.SUCCEEDED, PREDICTION_ID)
    assert update.outputs[0].value.startswith(f"temp/uploads/cog/{PREDICTION_ID}/")


def test_the_address_alone_is_not_enough_where_the_server_has_a_token(world: World) -> None:
    headers, body = webhook("webhook_succeeded")
    del headers["authorization"]
    query = {
        "job": JOB_ID,
        "attempt": "1",
        "token": make_token("token-key", CallbackTarget("cog", JOB_ID, 1)),
    }
    with pytest.raises(UnauthenticatedError):
        world.service.accept(Webhook("cog", headers, query, body))


@pytest.mark.parametrize("token", ["", "wrong"])
def test_the_servers_token_alone_is_not_enough(world: World, token: str) -> None:
    with pytest.raises(UnauthenticatedError):
        world.accept("webhook_succeeded", token=token)
    headers, body = webhook("webhook_succeeded")
    with pytest.raises(UnauthenticatedError):
        world.service.accept(Webhook("cog", headers, {}, body))


def test_a_callback_of_one_attempt_tells_nothing_of_another(world: World) -> None:
    for about in (PREDICTION_ID[:-1] + "2", "0" * 32 + "-1"):
        with pytest.raises(BadRequestError, match="about another prediction"):
            world.accept("webhook_succeeded", id=about)
    with pytest.raises(BadRequestError, match="about another prediction"):
        world.accept("webhook_succeeded", attempt=2)
    assert world.queue.sent == []


def test_twelve_tries_and_any_order_are_so_many_messages_of_the_same_content(world: World) -> None:
    """The record applies an end once and forgets what comes later; here nothing is lost and nothing refused."""
    world.accept("webhook_succeeded")
    for _ in range(12):
        world.accept("webhook_succeeded")
    world.accept("webhook_start")

    said = [json.dumps(sent.message["update"], sort_keys=True) for sent in world.queue.sent]
    assert len(said) == 14
    assert len(set(said)) == 2


def submitted(transport: Silent) -> Any:
    wanted = Submission(JOB_ID, 1, "default", {"prompt": "a fox"}, 600)
    return HttpProviderClient(CogAdapter(), transport).submit(wanted, CREDENTIAL, CALLBACK)


def test_a_lost_answer_is_deferred_since_the_same_id_may_be_sent_again() -> None:
    transport = Silent()
    first, second = submitted(transport), submitted(transport)

    assert first.outcome is second.outcome is SubmitOutcome.DEFERRED
    assert transport.sent[0] == transport.sent[1]
    assert transport.sent[0].json_body == transport.sent[1].json_body


def test_an_answer_about_another_prediction_is_not_taken_for_ours() -> None:
    other = json.dumps({"id": "0" * 32 + "-1", "status": "starting"}).encode()
    result = submitted(Silent(HttpResponse(202, {}, other)))

    assert result.outcome is SubmitOutcome.DEFERRED
    assert result.failure.kind is FailureKind.UNKNOWN
    assert submitted(Silent(answer("accepted"))).outcome is SubmitOutcome.ACCEPTED
