"""`GET /models`, `/health`, `/openapi.json`, `/docs`, and what is not there."""

import json
from typing import Any

import pytest

from handlers.describe_api import handler
from lib import bootstrap
from lib.api.answer_models import ModelList
from lib.services.check_health import KEPT_SECONDS, CheckHealth, Health
from tests.fakes.events import Context, body_of, request
from tests.fakes.wired import Wired


def call(name: str, **changes: Any) -> dict[str, Any]:
    return handler(request(name, **changes), Context())


def test_the_models_are_shown_with_what_they_take_and_cost(wired: Wired) -> None:
    answer = call("list_models", key=wired.key())
    listed = ModelList.model_validate(body_of(answer))
    assert answer["statusCode"] == 200
    flux = next(model for model in listed.data if model.id == "flux-schnell")
    assert flux.parameters["properties"]["prompt"]["type"] == "string"
    assert flux.pricing
    assert {model.media_type for model in listed.data} == {"image", "video", "audio", "text"}


def test_the_models_of_one_media_type_can_be_asked_for(wired: Wired) -> None:
    listed = ModelList.model_validate(
        body_of(call("list_models", key=wired.key(), query={"mediaType": "video"}))
    )
    assert {model.media_type for model in listed.data} == {"video"}


@pytest.mark.parametrize("query", [{"mediaType": "smell"}, {"type": "video"}])
def test_a_wrong_query_of_models_is_refused(wired: Wired, query: dict[str, str]) -> None:
    assert call("list_models", key=wired.key(), query=query)["statusCode"] == 422


def test_models_need_a_key(wired: Wired) -> None:
    assert call("list_models")["statusCode"] == 401


class Parts:
    """What health is asked of, and a clock."""

    def __init__(self) -> None:
        self.record = self.redis = True
        self.asked = 0
        self.seconds = 0.0
        self.health = CheckHealth(self._record, lambda: self.redis, lambda: self.seconds)

    def _record(self) -> bool:
        self.asked += 1
        return self.record


@pytest.mark.parametrize(
    ("record", "redis", "status", "word"),
    [(True, True, 200, "healthy"), (True, False, 200, "degraded"), (False, True, 503, "unhealthy")],
)
def test_health_tells_the_public_one_word(
    wired: Wired, monkeypatch: pytest.MonkeyPatch, record: bool, redis: bool, status: int, word: str
) -> None:
    parts = Parts()
    parts.record, parts.redis = record, redis
    monkeypatch.setattr(bootstrap, "check_health", lambda: parts.health)
    answer = call("get_health")
    assert (answer["statusCode"], body_of(answer)) == (status, {"status": word})


def test_health_is_asked_at_most_once_in_a_while() -> None:
    parts = Parts()
    assert parts.health.check() is Health.HEALTHY
    parts.record = False
    assert (parts.health.check(), parts.asked) == (Health.HEALTHY, 1)
    parts.seconds = KEPT_SECONDS
    assert parts.health.check() is Health.UNHEALTHY


def test_health_without_redis_by_setting_is_healthy() -> None:
    assert CheckHealth(lambda: True, None, lambda: 0.0).check() is Health.HEALTHY


def test_a_record_that_is_away_is_unhealthy(wired: Wired) -> None:
    assert call("get_health")["statusCode"] == 503


def test_the_document_and_the_page_are_public_and_self_contained(wired: Wired) -> None:
    document = call("get_openapi")
    assert json.loads(document["body"])["openapi"].startswith("3.")
    page = call("get_docs")
    assert page["headers"]["Content-Type"] == "text/html; charset=utf-8"
    assert "POST /generate-media" in page["body"]
    assert not [word for word in ("<script", "src=", "http://", "@import") if word in page["body"]]


@pytest.mark.parametrize("path", ["/nothing/here", "/health/"])
def test_an_unknown_path_is_a_problem(wired: Wired, path: str) -> None:
    answer = call("get_health", path=path)
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("DELETE", "/generate-media", "POST"), ("PUT", "/status/x", "GET"), ("GET", "/jobs/x/cancel", "POST")],
)
def test_a_method_that_a_path_does_not_take_is_told_which_it_takes(
    wired: Wired, method: str, path: str, allowed: str
) -> None:
    answer = call("get_health", method=method, path=path)
    assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, allowed)
    assert body_of(answer)["code"] == "method_not_allowed"


def test_the_unexpected_is_logged_with_its_trace_and_answered_without_it(
    wired: Wired, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("inside words")

    monkeypatch.setattr(bootstrap, "check_health", broken)
    answer = call("get_health")
    assert (answer["statusCode"], body_of(answer)["code"]) == (500, "internal_error")
    assert "inside words" not in answer["body"]
    (logged,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert logged.exc_info is not None
    assert logged.exc_info[0] is ZeroDivisionError


def test_an_event_that_is_no_request_is_answered_too(wired: Wired) -> None:
    answer = handler({"headers": None}, Context())
    assert answer["statusCode"] in (404, 500)
    assert answer["headers"]["X-Request-Id"]


def test_wrong_settings_are_the_operators_affair(
    wired: Wired, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("CACHE_TABLE")
    answer = call("get_health")
    assert answer["statusCode"] == 500
    assert "CACHE_TABLE" not in answer["body"]
    assert "CACHE_TABLE" in caplog.text
