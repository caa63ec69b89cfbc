"""What was refused is told to the workers, with nothing secret in it, and never at the cost of the answer."""

import json
from datetime import timedelta
from typing import Any

import pytest

from handlers import describe_api, generate_media, get_status, manage_jobs, process_webhook
from lib import bootstrap
from lib.domain.errors import ConfigurationError
from lib.ports.actor import current_actor
from lib.services.security_log import MOST_A_MINUTE
from tests.fakes.events import JOB_ID, Context, request
from tests.fakes.snapshots import snapshot
from tests.fakes.wired import NOW, USER, Wired

WRONG_KEY = "vsl_" + "A" * 43


def told(wired: Wired) -> list[dict[str, Any]]:
    """The security events that were sent."""
    assert all(sent.message["kind"] == "security_event" for sent in wired.note_queue.sent)
    return [sent.message["event"] for sent in wired.note_queue.sent]


def status(key: str | None, **changes: Any) -> dict[str, Any]:
    return get_status.handler(request("get_status", key=key, **changes), Context())


def test_a_wrong_key_is_told_with_where_it_came_from_and_without_the_key(wired: Wired) -> None:
    agent = f"curl/8.7.1 (Bearer {WRONG_KEY})"
    event = request("get_status", key=WRONG_KEY, headers={"x-request-id": f"try-{WRONG_KEY}"})
    event["requestContext"]["http"]["userAgent"] = agent
    assert get_status.handler(event, Context())["statusCode"] == 401
    (found,) = told(wired)
    assert (found["kind"], found["userId"], found["jobId"]) == ("wrong_key", None, JOB_ID)
    assert (found["clientIp"], found["at"]) == ("203.0.113.7", "2026-11-20T18:04:02.118Z")
    assert found["details"] == {"code": "unauthenticated", "operation": "getStatus"}
    assert found["userAgent"].startswith("curl/8.7.1")
    assert WRONG_KEY not in json.dumps([dict(sent.message) for sent in wired.note_queue.sent])


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer "}, {"authorization": "Basic YTpi"}])
def test_a_missing_key_is_nobodys_attempt(wired: Wired, headers: dict[str, str]) -> None:
    assert status(None, headers=headers)["statusCode"] == 401
    assert told(wired) == []


def test_somebody_elses_job_is_told_with_who_asked(wired: Wired) -> None:
    wired.mirror.write(snapshot(JOB_ID, userId="user-2"), NOW)
    assert status(wired.key())["statusCode"] == 404
    (found,) = told(wired)
    assert (found["kind"], found["userId"], found["jobId"]) == ("access_refused", USER, JOB_ID)


@pytest.mark.parametrize("path", ["/status/none", "/status/1%20or%201=1", "/nothing/here"])
def test_what_is_no_id_is_mistyped_and_not_told(wired: Wired, path: str) -> None:
    assert status(wired.key(), path=path)["statusCode"] == 404
    assert told(wired) == []


def test_a_rate_limit_is_told_with_its_user(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    key = wired.key(rate=1)
    for _ in range(2):
        answer = generate_media.handler(request("generate_media", key=key, body="{"), Context())
    assert answer["statusCode"] == 429
    assert [(found["kind"], found["userId"]) for found in told(wired)] == [("rate_limited", USER)]


def test_another_users_id_in_a_body_is_told(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "record", lambda: None)
    body = {
        "mediaType": "image",
        "modelId": "flux-schnell",
        "prompt": "a secret lighthouse",
        "userId": "user-2",
    }
    answer = generate_media.handler(request("generate_media", key=wired.key(), body=body), Context())
    assert answer["statusCode"] == 403
    (found,) = told(wired)
    assert (found["kind"], found["userId"], found["details"]["code"]) == ("access_refused", USER, "forbidden")
    assert "lighthouse" not in json.dumps(found)


@pytest.mark.parametrize(
    ("query", "events"),
    [
        ({"job": JOB_ID, "attempt": "1", "token": "forged"}, ["forged_webhook"]),
        ({"job": "1; drop table jobs", "attempt": "1", "token": "x"}, ["forged_webhook"]),
        ({}, []),
    ],
)
def test_a_forged_webhook_is_told_and_one_without_any_proof_is_not(
    wired: Wired, query: dict[str, str], events: list[str]
) -> None:
    event = request("receive_webhook", query=query, body="{}")
    event["headers"] = {"authorization": f"Bearer {WRONG_KEY}", "content-type": "application/json"}
    assert process_webhook.handler(event, Context())["statusCode"] == 401
    found = told(wired)
    assert [each["kind"] for each in found] == events
    assert [each["details"]["provider"] for each in found] == ["replicate"] * len(events)
    assert all(each["jobId"] in (JOB_ID, None) for each in found)
    assert "forged" not in json.dumps([each["details"] for each in found]).replace("forged_webhook", "")


def test_a_flood_is_told_in_part_and_counted_in_full_and_hides_nothing_else(wired: Wired) -> None:
    for number in range(MOST_A_MINUTE + 5):
        status(f"vsl_{number:043}")
    assert len(told(wired)) == MOST_A_MINUTE
    suppressed = ("SecurityEventSuppressed", {"kind": "wrong_key"})
    assert wired.metrics.counted.count(suppressed) == 5
    status(wired.key())
    assert told(wired)[-1]["kind"] == "access_refused"
    wired.now = NOW + timedelta(minutes=1)
    status(WRONG_KEY)
    assert told(wired)[-1]["kind"] == "wrong_key"


def test_a_queue_that_is_away_changes_no_answer_and_is_left_alone_for_a_while(wired: Wired) -> None:
    wired.note_queue.down = True
    assert status(WRONG_KEY)["statusCode"] == 401
    lost = ("NoteLost", {"kind": "security_event"})
    assert wired.metrics.counted.count(lost) == 1
    wired.note_queue.down = False
    status(WRONG_KEY)
    assert (told(wired), wired.metrics.counted.count(lost)) == ([], 2)
    wired.now = NOW + timedelta(seconds=10)
    status(WRONG_KEY)
    assert len(told(wired)) == 1


def test_whatever_goes_wrong_with_telling_the_answer_is_the_same(
    wired: Wired, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise ConfigurationError("no queue")

    monkeypatch.setattr(bootstrap, "security_log", broken)
    assert status(WRONG_KEY)["statusCode"] == 401
    assert "could not be told" in caplog.text


@pytest.mark.parametrize("address", ["", "unknown", "fe80::1%eth0", "1.2.3.4.5", "'; drop table jobs; --"])
def test_an_address_that_is_none_is_left_out(wired: Wired, address: str) -> None:
    event = request("get_status", key=WRONG_KEY)
    event["requestContext"]["http"]["sourceIp"] = address
    get_status.handler(event, Context())
    assert told(wired)[0]["clientIp"] is None


def test_nobody_acts_once_a_request_is_over(wired: Wired) -> None:
    """The next request of the same process begins with nobody, whatever the last one came to."""
    seen = []

    class Jobs:
        """Lists nothing, and looks who acts."""

        def list(self, user_id: str, query: object) -> None:
            seen.append(current_actor())
            raise ZeroDivisionError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "list_jobs", Jobs)
        guest = wired.guest_key()
        for key in (wired.key(), guest):
            manage_jobs.handler(request("list_jobs", key=key), Context())
    assert [actor.user_id for actor in seen if actor] == [USER, "visitors"]
    assert [actor.guest_token is None for actor in seen if actor] == [True, False]
    assert current_actor() is None
    describe_api.handler(request("get_health"), Context())
    assert current_actor() is None
