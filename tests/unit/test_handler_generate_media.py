"""`POST /generate-media`: read, admitted, started; over the real record."""

import json
import logging
from typing import Any

import pytest

from handlers.generate_media import handler
from lib import bootstrap
from lib.api.answer_models import AcceptedJob, Problem
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.record import PostgresRecord
from tests.fakes.events import Context, body_of, request
from tests.fakes.provider import FakeProvider, OnSubmit
from tests.fakes.wired import USER, Wired

BODY = {"mediaType": "image", "modelId": "flux-schnell", "parameters": {"prompt": "A lighthouse"}}


@pytest.fixture
def provider(wired: Wired, api_record: PostgresRecord, monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    """The provider behind the function."""
    fake = FakeProvider(lambda: wired.now)
    monkeypatch.setattr(bootstrap, "record", lambda: api_record)
    monkeypatch.setattr(bootstrap, "provider", lambda _name: fake)
    return fake


def post(wired: Wired, body: Any = None, *, key: str | None = None, **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    event = request(
        "generate_media", key=key or wired.key(), headers=named, body=BODY if body is None else body
    )
    return handler(event, Context())


def test_a_job_is_started_and_answered_as_documented(wired: Wired, provider: FakeProvider) -> None:
    answer = post(wired)
    body = body_of(answer)
    assert answer["statusCode"] == 202
    AcceptedJob.model_validate(body)
    assert body["status"] == "pending"
    assert body["replicateId"] == body["providerJobId"] == next(iter(provider.predictions))
    assert answer["headers"]["Location"] == f"/status/{body['jobId']}"
    assert provider.received == [(body["jobId"], 1)]


def test_the_provider_is_given_an_address_with_a_token(wired: Wired, provider: FakeProvider) -> None:
    body = body_of(post(wired))
    (prediction,) = provider.predictions.values()
    url = str(prediction.callback_url)
    assert url.startswith(f"https://gateway.example/webhook/replicate?job={body['jobId']}&attempt=1&token=")


def test_without_webhooks_no_address_is_given_and_a_poll_is_scheduled(
    wired: Wired, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVIDER_WEBHOOKS", "disabled")
    body = body_of(post(wired, x_request_id="trace-1"))
    (prediction,) = provider.predictions.values()
    assert prediction.callback_url is None
    (sent,) = wired.advance_queue.sent
    assert (sent.message["jobId"], sent.message["requestId"]) == (body["jobId"], "trace-1")


def test_snake_case_and_the_short_prompt_are_understood(wired: Wired, provider: FakeProvider) -> None:
    body = {"media_type": "image", "model_id": "flux-schnell", "prompt": "A lighthouse", "user_id": USER}
    assert post(wired, body)["statusCode"] == 202
    (prediction,) = provider.predictions.values()
    assert prediction.input["prompt"] == "A lighthouse"


@pytest.mark.parametrize(
    ("body", "status", "code", "paths"),
    [
        ("{", 400, "bad_request", []),
        ("[]", 400, "bad_request", []),
        ({}, 422, "invalid_request", ["mediaType"]),
        (
            {"mediaType": "image"},
            422,
            "invalid_standard_request",
            ["request.prompt", "request.aspectRatio"],
        ),
        ({"mediaType": "image", "parameters": {"prompt": "x"}}, 422, "invalid_request", ["modelId"]),
        ({**BODY, "request": {"prompt": "x"}}, 422, "invalid_request", ["request"]),
        ({**BODY, "provider": "fal"}, 422, "unknown_model", ["provider"]),
        ({**BODY, "fallback": "no"}, 422, "invalid_request", ["fallback"]),
        ({**BODY, "webhook": "x", "n": 1}, 422, "invalid_request", ["webhook", "n"]),
        ({**BODY, "mediaType": 5, "parameters": []}, 422, "invalid_request", ["mediaType", "parameters"]),
        ({**BODY, "media_type": "image"}, 422, "invalid_request", ["mediaType"]),
        ({**BODY, "modelId": "flux-none"}, 422, "unknown_model", ["modelId"]),
        ({**BODY, "mediaType": "video"}, 422, "unknown_model", ["mediaType"]),
        ({**BODY, "parameters": {}}, 422, "invalid_parameters", ["parameters.prompt"]),
        (
            {**BODY, "parameters": {"prompt": "x", "sparkle": 1, "seed": "x"}},
            422,
            "invalid_parameters",
            ["parameters.seed", "parameters.sparkle"],
        ),
        ('{"mediaType":"image","modelId":"flux-schnell","prompt":"\\ud800"}', 422, "invalid_request", []),
        ({**BODY, "userId": "user-2"}, 403, "forbidden", ["userId"]),
        ({**BODY, "prompt": "x" * 1_100_000}, 413, "too_large", []),
    ],
)
def test_a_wrong_request_is_refused_by_name_and_starts_nothing(
    wired: Wired, provider: FakeProvider, body: Any, status: int, code: str, paths: list[str]
) -> None:
    answer = post(wired, body)
    problem = Problem.model_validate(body_of(answer))
    assert (answer["statusCode"], problem.code) == (status, code)
    assert sorted(error.path for error in problem.errors) == sorted(paths)
    assert provider.received == []
    assert "RateLimit-Remaining" in answer["headers"]


def test_another_content_type_is_refused(wired: Wired, provider: FakeProvider) -> None:
    answer = post(wired, content_type="application/x-www-form-urlencoded")
    assert (answer["statusCode"], body_of(answer)["code"]) == (400, "bad_request")


def test_the_same_idempotency_key_and_body_get_the_first_answer(wired: Wired, provider: FakeProvider) -> None:
    key = wired.key()
    reordered = dict(reversed(BODY.items()))
    first = post(wired, key=key, idempotency_key="order 66")
    again = post(wired, json.dumps(reordered, indent=4), key=key, idempotency_key="order 66")
    assert (first["statusCode"], body_of(first)) == (again["statusCode"], body_of(again))
    assert len(provider.received) == 1


def test_the_same_idempotency_key_with_another_body_is_refused(wired: Wired, provider: FakeProvider) -> None:
    key = wired.key()
    post(wired, key=key, idempotency_key="k")
    answer = post(wired, {**BODY, "parameters": {"prompt": "B"}}, key=key, idempotency_key="k")
    assert (answer["statusCode"], body_of(answer)["code"]) == (422, "idempotency_mismatch")


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "ümlaut"])
def test_an_idempotency_key_that_is_none_is_refused(wired: Wired, provider: FakeProvider, key: str) -> None:
    answer = post(wired, idempotency_key=key)
    assert (answer["statusCode"], body_of(answer)["errors"][0]["path"]) == (400, "Idempotency-Key")


def test_who_asks_too_often_is_told_when_to_come_back(wired: Wired, provider: FakeProvider) -> None:
    key = wired.key(rate=2)
    remaining = [post(wired, key=key)["headers"]["RateLimit-Remaining"] for _ in range(2)]
    answer = post(wired, key=key)
    assert (remaining, answer["statusCode"]) == (["1", "0"], 429)
    assert (answer["headers"]["RateLimit-Limit"], answer["headers"]["RateLimit-Remaining"]) == ("2", "0")
    assert answer["headers"]["Retry-After"] == answer["headers"]["RateLimit-Reset"]
    assert len(provider.received) == 2


def test_a_wrong_key_is_refused_before_anything_is_read(wired: Wired, provider: FakeProvider) -> None:
    answer = post(wired, "{", key="vsl_" + "A" * 43)
    assert answer["statusCode"] == 401
    assert "RateLimit-Remaining" not in answer["headers"]


def test_what_the_provider_refuses_names_the_job_that_failed(
    wired: Wired, provider: FakeProvider, record: PostgresRecord
) -> None:
    provider.on_submit = OnSubmit.REFUSE
    problem = body_of(post(wired))
    job = record.find_job(problem["jobId"])
    assert job is not None
    assert (job.status, job.data["error"]["code"]) == ("failed", problem["code"])


def test_with_the_record_away_nothing_is_sent_and_the_caller_is_told_when_to_come_back(
    wired: Wired, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = RecordConnection(lambda: "postgresql://nobody@127.0.0.1:9/none", connect_seconds=1)
    monkeypatch.setattr(bootstrap, "record", lambda: PostgresRecord(away))
    answer = post(wired)
    assert (answer["statusCode"], body_of(answer)["code"]) == (503, "record_unavailable")
    assert int(answer["headers"]["Retry-After"]) >= 1
    assert provider.received == []


@pytest.mark.parametrize(("wanted", "seen"), [("false", False), ("true", True)])
def test_words_of_callers_are_logged_only_if_the_operator_wants_them(
    wired: Wired,
    provider: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    wanted: str,
    seen: bool,
) -> None:
    monkeypatch.setenv("LOG_PROMPTS", wanted)
    caplog.set_level(logging.DEBUG)
    post(wired)
    assert any(record.name == "handlers.generate_media" for record in caplog.records)
    assert any("lighthouse" in str(vars(record)) for record in caplog.records) is seen
