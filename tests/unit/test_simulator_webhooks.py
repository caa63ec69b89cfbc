"""Webhooks as Replicate sends them, and as they go wrong."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from local.replicate.settings import DEFAULT_SECRET
from tests.fakes.simulator_client import LLAMA, Talk, talking
from tests.fakes.simulator_receiver import Received, receiver

EVERYTHING = ["start", "output", "logs", "completed"]
STEPS = ["start", "completed"]


@pytest.fixture(scope="module")
def talk() -> Iterator[Talk]:
    with talking() as talk:
        yield talk


def verified(webhook: Received) -> dict[str, Any]:
    body: dict[str, Any] = Webhook(DEFAULT_SECRET).verify(webhook.body, webhook.headers)
    return body


def is_verified(webhook: Received) -> bool:
    try:
        verified(webhook)
    except WebhookVerificationError:
        return False
    return True


def delivered(talk: Talk, prediction: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """The simulator's own record of this many deliveries, once they are done."""
    inside = talk.until(
        lambda: talk.inside(prediction["id"]), lambda known: len(known["deliveries"]) >= count
    )
    deliveries: list[dict[str, Any]] = inside["deliveries"]
    return deliveries


def test_without_a_filter_output_and_completed_come(talk: Talk) -> None:
    with receiver() as inbox:
        prediction = talk.create("a kite", webhook=f"{inbox.url}/hook?job=1&token=t")
        bodies = {body["status"]: body for body in map(verified, inbox.wait_for(2))}
        assert inbox.received[0].path == "/hook?job=1&token=t"
    assert set(bodies) == {"processing", "succeeded"}
    assert bodies["processing"]["output"] == bodies["succeeded"]["output"]
    assert bodies["succeeded"] == talk.get(prediction["id"])


def test_the_start_webhook_says_starting_and_has_nothing_yet(talk: Talk) -> None:
    with receiver() as inbox:
        talk.create("a kite", webhook=inbox.url, webhook_events_filter=["start"])
        body = verified(inbox.wait_for(1)[0])
    assert body["status"] == "starting"
    assert [body[name] for name in ("started_at", "completed_at", "output", "error")] == [None] * 4
    assert body["metrics"] == {}


def test_output_and_logs_are_sent_at_most_twice_a_second(talk: Talk) -> None:
    with receiver() as inbox:
        prediction = talk.create(
            "[sim:slow=700ms]", model=LLAMA, webhook=inbox.url, webhook_events_filter=EVERYTHING
        )
        talk.finished(prediction["id"])
        events = [delivery["event"] for delivery in delivered(talk, prediction, 5)]
    assert {event: events.count(event) for event in EVERYTHING} == {
        "start": 1,
        "output": 2,
        "logs": 1,
        "completed": 1,
    }


def test_a_failed_prediction_sends_its_completed_webhook(talk: Talk) -> None:
    with receiver() as inbox:
        talk.create("[sim:fail=tired]", webhook=inbox.url)
        body = verified(inbox.wait_for(1)[0])
    assert (body["status"], body["error"]) == ("failed", "tired")


def test_only_the_terminal_webhook_is_repeated_with_its_id(talk: Talk) -> None:
    with receiver(500, 503) as inbox:
        talk.create("a kite", webhook=inbox.url, webhook_events_filter=["completed"])
        webhooks = inbox.wait_for(3)
    assert len({webhook.headers["webhook-id"] for webhook in webhooks}) == 1
    assert all(is_verified(webhook) for webhook in webhooks)
    with receiver(500) as inbox:
        prediction = talk.create("[sim:slow=300ms]", webhook=inbox.url, webhook_events_filter=STEPS)
        results = [(d["event"], d["attempt"], d["result"]) for d in delivered(talk, prediction, 2)]
    assert results == [("start", 1, 500), ("completed", 1, 200)]


def test_a_receiver_that_never_takes_it_is_given_up(talk: Talk) -> None:
    with receiver(*[404] * 9) as inbox:
        prediction = talk.create("a kite", webhook=inbox.url, webhook_events_filter=["completed"])
        assert [d["result"] for d in delivered(talk, prediction, 3)] == [404, 404, 404]


def test_a_receiver_that_is_not_there_is_noted(talk: Talk) -> None:
    prediction = talk.create("a kite", webhook="http://127.0.0.1:1/", webhook_events_filter=["completed"])
    assert [d["result"] for d in delivered(talk, prediction, 3)] == ["ConnectError"] * 3


def test_redirects_are_not_followed(talk: Talk) -> None:
    with receiver() as elsewhere, receiver(307, location=elsewhere.url) as inbox:
        prediction = talk.create("a kite", webhook=inbox.url, webhook_events_filter=["completed"])
        assert [d["result"] for d in delivered(talk, prediction, 1)] == [307]
        assert elsewhere.received == []


@pytest.mark.parametrize(
    ("marker", "arrived"),
    [("lost-webhook", []), ("lost-start", ["completed"]), ("lost-completed", ["start"])],
)
def test_lost_webhooks_never_come(talk: Talk, marker: str, arrived: list[str]) -> None:
    with receiver() as inbox:
        prediction = talk.create(f"[sim:{marker}]", webhook=inbox.url, webhook_events_filter=STEPS)
        deliveries = delivered(talk, prediction, 2)
        assert len(inbox.received) == len(arrived)
    assert [d["event"] for d in deliveries if d["result"] == 200] == arrived
    assert all(d["result"] in (200, "lost") for d in deliveries)


def test_a_late_webhook_comes_after_the_end(talk: Talk) -> None:
    with receiver() as inbox:
        prediction = talk.create(
            "[sim:late-webhook=400ms]", webhook=inbox.url, webhook_events_filter=["completed"]
        )
        talk.finished(prediction["id"])
        assert inbox.received == []
        assert verified(inbox.wait_for(1)[0])["status"] == "succeeded"


def test_duplicates_carry_one_id(talk: Talk) -> None:
    with receiver() as inbox:
        talk.create("[sim:duplicate-webhook=3]", webhook=inbox.url, webhook_events_filter=["completed"])
        assert len({webhook.headers["webhook-id"] for webhook in inbox.wait_for(3)}) == 1


def test_shuffled_webhooks_begin_with_the_end(talk: Talk) -> None:
    with receiver() as inbox:
        talk.create(
            "[sim:shuffle-webhooks]",
            webhook=inbox.url,
            webhook_events_filter=["start", "output", "completed"],
        )
        statuses = [verified(webhook)["status"] for webhook in inbox.wait_for(3)]
    assert statuses == ["succeeded", "processing", "starting"]


def test_a_forged_webhook_is_signed_by_somebody_else(talk: Talk) -> None:
    with receiver() as inbox:
        prediction = talk.create(
            "[sim:forged-webhook]", webhook=inbox.url, webhook_events_filter=["completed"]
        )
        kinds = {d["kind"]: d["messageId"] for d in delivered(talk, prediction, 2)}
        webhooks = {webhook.headers["webhook-id"]: webhook for webhook in inbox.wait_for(2)}
    assert is_verified(webhooks[kinds["real"]])
    forged = webhooks[kinds["forged"]]
    assert not is_verified(forged)
    assert "forged.example" in json.loads(forged.body)["output"][0]


def test_a_stale_webhook_is_signed_rightly_for_an_hour_ago(talk: Talk) -> None:
    with receiver() as inbox:
        prompt = "[sim:stale-webhook] [sim:lost-webhook]"
        talk.create(prompt, webhook=inbox.url, webhook_events_filter=["completed"])
        [stale] = inbox.wait_for(1)
    with pytest.raises(WebhookVerificationError, match="too old"):
        verified(stale)


def test_after_a_rotation_only_the_new_secret_signs(talk: Talk) -> None:
    new = talk.http.post("/_sim/secret/rotate").json()["key"]
    assert talk.http.post("/_sim/secret/retire").json() == {"key": new}
    try:
        with receiver() as inbox:
            talk.create("a kite", webhook=inbox.url, webhook_events_filter=["completed"])
            [webhook] = inbox.wait_for(1)
        assert Webhook(new).verify(webhook.body, webhook.headers)
        assert not is_verified(webhook)
    finally:
        talk.http.post("/_sim/reset")
