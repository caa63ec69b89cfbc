"""`POST /webhook/{provider}`: raw bytes in, one message out."""

import base64
import json
from typing import Any

import pytest

from handlers.process_webhook import LIMIT_BYTES, handler
from lib import bootstrap
from lib.domain.webhook_token import CallbackTarget, make_token
from lib.providers import standard_webhooks
from tests.fakes.events import JOB_ID, Context, body_of, request
from tests.fakes.replicate_answers import body_of as replicate_says
from tests.fakes.wired import ENVIRONMENT, NOW, Wired

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
TARGET = CallbackTarget("replicate", JOB_ID, 1)


class Client:
    """Replicate, as far as it is asked for its secret."""

    def webhook_secret(self, _credential: object) -> str:
        """See `ProviderClient`."""
        return SECRET


@pytest.fixture(autouse=True)
def _client(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "provider", lambda _name: Client())


def webhook(body: str, *, path: str = "/webhook/replicate", encoded: bool = False) -> dict[str, Any]:
    """A genuine delivery of this body."""
    stamp = int(NOW.timestamp())
    token = make_token(ENVIRONMENT["WEBHOOK_TOKEN_KEY"], TARGET)
    event = request(
        "receive_webhook",
        body=base64.b64encode(body.encode()).decode() if encoded else body,
        path=path,
        query={"job": JOB_ID, "attempt": "1", "token": token},
        headers={
            "webhook-id": "msg_1",
            "webhook-timestamp": str(stamp),
            "webhook-signature": standard_webhooks.sign(SECRET, "msg_1", stamp, body.encode()),
        },
    )
    event["isBase64Encoded"] = encoded
    return event


@pytest.mark.parametrize("encoded", [False, True])
def test_the_signature_is_checked_over_the_raw_bytes(wired: Wired, encoded: bool) -> None:
    body = json.dumps(replicate_says("succeeded_images"), indent=3)
    answer = handler(webhook(body, encoded=encoded), Context())
    assert (answer["statusCode"], body_of(answer)) == (200, {"received": True})
    (sent,) = wired.advance_queue.sent
    assert (sent.message["jobId"], sent.message["requestId"]) == (JOB_ID, "JKJaXmPLvHcESHA=")


def test_a_body_of_five_megabytes_is_taken(wired: Wired) -> None:
    body = json.dumps(replicate_says("succeeded_images", input={"image": "A" * 5_000_000}))
    assert handler(webhook(body), Context())["statusCode"] == 200
    assert len(json.dumps(dict(wired.advance_queue.sent[0].message))) < 10_000


def test_a_body_over_the_limit_is_refused(wired: Wired) -> None:
    answer = handler(webhook('"' + "A" * LIMIT_BYTES + '"'), Context())
    assert answer["statusCode"] == 413


def test_a_forged_webhook_is_refused_as_a_problem(wired: Wired) -> None:
    event = webhook("{}")
    event["headers"]["webhook-signature"] = "v1,AAAA"
    answer = handler(event, Context())
    assert (answer["statusCode"], body_of(answer)["code"]) == (401, "webhook_signature_wrong")
    assert wired.advance_queue.sent == []


def test_an_unknown_provider_is_not_found(wired: Wired) -> None:
    assert handler(webhook("{}", path="/webhook/nobody"), Context())["statusCode"] == 404


def test_a_queue_that_is_away_is_503_so_that_the_provider_sends_again(wired: Wired) -> None:
    wired.advance_queue.down = True
    answer = handler(webhook(json.dumps(replicate_says("succeeded_images"))), Context())
    assert answer["statusCode"] == 503
    assert answer["headers"]["Retry-After"]


def test_neither_database_nor_redis_nor_another_table_is_touched(wired: Wired) -> None:
    wired.cache.down = wired.mirror.down = wired.record_tier.down = wired.keys.down = True
    answer = handler(webhook(json.dumps(replicate_says("processing"))), Context())
    assert answer["statusCode"] == 200
    assert wired.mirror.reads == wired.record_tier.reads == 0
