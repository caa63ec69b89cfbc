"""Gemini's interactions: what is sent, what each status means, and how a video that lies in a file is fetched."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from lib.domain.errors import ConfigurationError, InvalidError, ProviderError
from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import (
    Credential,
    FailureKind,
    OutputKind,
    RemoteJob,
    RemoteStatus,
    Submission,
    SubmitOutcome,
    WebhookProof,
)
from lib.providers.gemini import GeminiAdapter
from tests.fakes.stored_answers import stored_answer

KEY = Credential("gemini", "AIza-secret")
ID = "v1_ChdWbE1tYWNfWk1yZjBqdThQOGVQTGtBZxIXVmxNbWFjX1pNcmYwanU4UDhlUExrQWc"
JOB = RemoteJob(ID, "gemini-omni-1.1-flash")
BASE = "https://generativelanguage.googleapis.com"
IMAGE = "data:image/png;base64,iVBORw0KGgo="

adapter = GeminiAdapter()


def sent(values: Mapping[str, Any], model: str = "gemini-omni-1.1-flash") -> Any:
    return adapter.submit_request(
        Submission("j1", 1, model, values, 600), KEY, "https://x.example/w"
    ).json_body


def content_of(values: Mapping[str, Any]) -> Any:
    [step] = sent(values)["input"]
    assert step["type"] == "user_input"
    return step["content"]


def test_an_interaction_is_created_in_the_background_and_delivered_as_a_file() -> None:
    values = {
        "prompt": "a red fox",
        "response_format": {"resolution": "720p", "duration": 8},
        "generation_config": {"seed": 7},
    }
    request = adapter.submit_request(Submission("j1", 1, "gemini-omni-1.1-flash", values, 600), KEY, None)

    assert (request.method, request.url) == ("POST", f"{BASE}/v1beta/interactions")
    assert request.headers["x-goog-api-key"] == "AIza-secret"
    assert request.json_body == {
        "model": "gemini-omni-1.1-flash",
        "input": "a red fox",
        "generation_config": {"seed": 7},
        "response_format": {"resolution": "720p", "duration": "8s", "type": "video", "delivery": "uri"},
        "background": True,
    }


def test_media_come_before_the_words() -> None:
    image = {"type": "image", "data": "iVBORw0KGgo=", "mime_type": "image/png"}
    assert content_of({"prompt": "fly", "image": [IMAGE, IMAGE]}) == [
        image,
        image,
        {"type": "text", "text": "fly"},
    ]
    assert content_of({"prompt": "fly", "image": IMAGE, "video": IMAGE})[:2] == [
        image,
        image | {"type": "video"},
    ]
    assert sent({"prompt": "fly", "image": None})["input"] == "fly"


def test_what_the_gateway_decides_cannot_be_said_otherwise() -> None:
    body = sent(
        {"prompt": "", "background": False, "response_format": {"delivery": "inline", "type": "text"}}
    )
    assert body["background"] is True
    assert body["response_format"] == {"delivery": "uri", "type": "video"}


def test_addresses_and_models_that_are_none_are_refused() -> None:
    with pytest.raises(InvalidError, match="image is not fetched"):
        sent({"prompt": "", "image": "https://example.com/a.png"})
    with pytest.raises(ConfigurationError, match="no model"):
        sent({"prompt": ""}, model="models/../x")


def test_an_accepted_interaction_is_known_by_its_id() -> None:
    result = adapter.parse_submit(stored_answer("gemini", "created"))
    assert result.outcome is SubmitOutcome.ACCEPTED
    assert result.update is not None
    assert (result.update.provider_job_id, result.update.status) == (ID, RemoteStatus.RUNNING)


@pytest.mark.parametrize("changes", [{"id": "a/b"}, {"id": None}, {"id": ""}])
def test_a_success_without_an_id_may_have_been_accepted(changes: dict[str, Any]) -> None:
    assert (
        adapter.parse_submit(stored_answer("gemini", "created", **changes)).outcome is SubmitOutcome.UNKNOWN
    )
    with pytest.raises(ProviderError) as raised:
        adapter.parse_poll(stored_answer("gemini", "created", **changes))
    assert raised.value.retryable


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("status_queued", RemoteStatus.QUEUED),
        ("status_in_progress", RemoteStatus.RUNNING),
        ("status_requires_action", RemoteStatus.RUNNING),
        ("status_requires_continuation", RemoteStatus.RUNNING),
        ("status_unknown", RemoteStatus.UNKNOWN),
        ("cancelled", RemoteStatus.CANCELED),
    ],
)
def test_each_status_has_a_meaning_and_an_unknown_one_is_not_final(name: str, status: RemoteStatus) -> None:
    update = adapter.parse_poll(stored_answer("gemini", name))
    assert update.status is status
    assert update.outputs == ()


@pytest.mark.parametrize("errors", [[5, None, {"code": "internal"}], {"code": "internal"}, "internal", None])
def test_the_first_error_that_is_one_says_why(errors: object) -> None:
    failure = adapter.parse_poll(stored_answer("gemini", "failed", errors=errors)).failure
    assert failure is not None
    assert failure.kind is (FailureKind.OUTAGE if isinstance(errors, list) else FailureKind.MODEL_ERROR)


@pytest.mark.parametrize("moment", [None, "soon", [], "0001-01-01T00:00:00+14:00"])
def test_a_time_that_is_none_costs_no_video(moment: object) -> None:
    update = adapter.parse_poll(stored_answer("gemini", "completed_inline", created=moment, updated=moment))
    assert (len(update.outputs), update.started_at, update.completed_at) == (1, None, None)


@pytest.mark.parametrize("status", [None, 5, [], " ", "IN_PROGRESS"])
def test_a_status_of_another_case_or_kind_breaks_nothing(status: object) -> None:
    assert not adapter.parse_poll(stored_answer("gemini", "created", status=status)).status.final


def test_a_completed_video_is_fetched_from_its_file_with_the_key() -> None:
    update = adapter.parse_poll(stored_answer("gemini", "completed_file"))
    assert (update.status, update.outputs, update.result_ref) == (RemoteStatus.SUCCEEDED, (), "abc-123xyz")
    assert update.completed_at is not None

    request = adapter.result_request(RemoteJob(ID, result_ref=update.result_ref), KEY)

    assert request is not None
    assert (request.method, request.url) == ("GET", f"{BASE}/v1beta/files/abc-123xyz")
    assert request.headers["x-goog-api-key"] == "AIza-secret"
    assert not request.media_answer

    update = adapter.parse_result(stored_answer("gemini", "file_active"))
    assert (update.status, update.outputs) == (RemoteStatus.SUCCEEDED, ())
    request = adapter.result_request(RemoteJob(ID, result_ref=update.result_ref), KEY)

    assert request is not None
    assert (request.method, request.url) == (
        "GET",
        f"{BASE}/download/v1beta/files/abc-123xyz:download?alt=media",
    )
    assert request.headers["x-goog-api-key"] == "AIza-secret"
    assert request.media_answer


def test_a_file_may_be_named_in_short_and_the_status_in_capitals() -> None:
    update = adapter.parse_poll(stored_answer("gemini", "completed_output_video"))
    assert (update.status, update.result_ref) == (RemoteStatus.SUCCEEDED, "abc-123xyz")


@pytest.mark.parametrize("result_ref", ["", "../x", "a/b", "a?b", ":download", "a/b:download"])
def test_a_file_id_that_is_none_is_never_part_of_an_address(result_ref: str) -> None:
    with pytest.raises(InvalidError):
        adapter.result_request(RemoteJob(ID, result_ref=result_ref), KEY)


def test_a_video_inside_the_answer_is_taken_as_it_is() -> None:
    update = adapter.parse_poll(stored_answer("gemini", "completed_inline"))
    [output] = update.outputs
    assert output.kind is OutputKind.DATA_URL
    assert output.value.startswith("data:video/mp4;base64,")
    assert update.result_ref == ""


def test_a_file_that_is_not_ready_is_asked_for_again() -> None:
    assert adapter.parse_result(stored_answer("gemini", "file_not_active")).status is RemoteStatus.RUNNING
    assert adapter.parse_result(stored_answer("gemini", "file_processing")).status is RemoteStatus.RUNNING
    [output] = adapter.parse_result(stored_answer("gemini", "file")).outputs
    assert output.kind is OutputKind.DATA_URL


@pytest.mark.parametrize("state", ["PROCESSING", "processing", "STATE_UNSPECIFIED", "RESTING"])
def test_a_file_in_any_other_state_is_asked_for_again(state: str) -> None:
    update = adapter.parse_result(stored_answer("gemini", "file_active", state=state))
    assert (update.status, update.result_ref) == (RemoteStatus.RUNNING, "")


@pytest.mark.parametrize("file", [{}, {"state": ""}, {"state": 7}, {"state": None}])
def test_a_file_without_a_state_is_fetched_and_not_taken_for_its_content(file: dict[str, object]) -> None:
    body = json.dumps({"name": "files/abc-123xyz", **file}).encode()
    update = adapter.parse_result(HttpResponse(200, {"content-type": "application/json"}, body))
    assert (update.status, update.outputs) == (RemoteStatus.SUCCEEDED, ())
    assert update.result_ref == "abc-123xyz:download"


def test_a_file_that_google_could_not_make_ends_the_job_with_its_words() -> None:
    update = adapter.parse_result(stored_answer("gemini", "file_failed"))
    assert update.status is RemoteStatus.FAILED
    assert update.failure is not None
    assert (update.failure.kind, update.failure.message) == (
        FailureKind.OUTAGE,
        "The video could not be encoded.",
    )
    for error in (None, {}, "odd", {"message": "It broke."}):
        failure = adapter.parse_result(stored_answer("gemini", "file_failed", error=error)).failure
        assert failure is not None
        assert failure.kind is FailureKind.MODEL_ERROR


@pytest.mark.parametrize("name", ["file_gone", "file_denied"])
def test_a_file_that_is_gone_says_nothing_of_the_key(name: str) -> None:
    update = adapter.parse_result(stored_answer("gemini", name))
    assert update.status is RemoteStatus.FAILED
    assert update.failure is not None
    assert update.failure.kind is FailureKind.DATA_EXPIRED


@pytest.mark.parametrize(
    ("name", "kind"),
    [("no_key", FailureKind.AUTHENTICATION), ("overloaded", FailureKind.OUTAGE)],
)
def test_any_other_answer_about_a_file_is_an_error(name: str, kind: FailureKind) -> None:
    with pytest.raises(ProviderError) as raised:
        adapter.parse_result(stored_answer("gemini", name))
    assert raised.value.code == kind.value


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("failed", FailureKind.OUTAGE, "Video generation failed."),
        ("failed_safety", FailureKind.MODERATION, "blocked"),
        ("failed_no_reason", FailureKind.MODEL_ERROR, "Google gave no reason"),
        ("failed_odd_code", FailureKind.MODEL_ERROR, "It broke."),
        ("incomplete", FailureKind.MODEL_ERROR, "before the video was complete"),
        ("budget_exceeded", FailureKind.BILLING, "budget"),
        ("completed_refused", FailureKind.MODERATION, "safety policy"),
        ("completed_with_words", FailureKind.MODEL_ERROR, "a story instead"),
    ],
)
def test_an_end_without_a_video_says_why(name: str, kind: FailureKind, words: str) -> None:
    update = adapter.parse_poll(stored_answer("gemini", name))
    assert update.status is RemoteStatus.FAILED
    assert update.failure is not None
    assert update.failure.kind is kind
    assert words in update.failure.message
    assert not update.failure.unbilled


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": None},
        {"steps": [5, {"type": "model_output"}, {"type": "model_output", "content": [5]}]},
        {"steps": [{"type": "model_output", "content": [{"type": "video", "uri": "gs://bucket/a"}]}]},
        {"output_video": 5, "steps": 5},
    ],
)
def test_a_completed_interaction_of_another_shape_fails_and_breaks_nothing(changes: dict[str, Any]) -> None:
    assert (
        adapter.parse_poll(stored_answer("gemini", "completed_file", **changes)).status is RemoteStatus.FAILED
    )


def test_a_cancel_says_what_the_interaction_says() -> None:
    request = adapter.cancel_request(JOB, KEY)
    assert (request.method, request.url) == ("POST", f"{BASE}/v1beta/interactions/{ID}/cancel")
    assert request.json_body is None
    assert adapter.parse_cancel(stored_answer("gemini", "cancelled")).status is RemoteStatus.CANCELED
    assert adapter.parse_cancel(HttpResponse(200, {}, b"{}")).status is RemoteStatus.UNKNOWN
    assert adapter.parse_cancel(stored_answer("gemini", "completed_file")).status is RemoteStatus.UNKNOWN
    with pytest.raises(InvalidError):
        adapter.cancel_request(RemoteJob("../x"), KEY)


def test_the_key_test_lists_one_model() -> None:
    assert adapter.test_request(KEY).url == f"{BASE}/v1beta/models?pageSize=1"
    assert adapter.parse_test(stored_answer("gemini", "models")) == "models/gemini-omni-1.1-flash"
    for body in (b"{}", b'{"models": {"name": "x"}}', b'{"models": [null, {"name": 5}]}'):
        assert adapter.parse_test(HttpResponse(200, {}, body)) == "Gemini API"
    with pytest.raises(ProviderError) as raised:
        adapter.parse_test(stored_answer("gemini", "invalid_key"))
    assert raised.value.code == FailureKind.AUTHENTICATION.value


def test_no_key_stands_in_an_address_or_is_shown() -> None:
    for request in (
        adapter.poll_request(JOB, KEY),
        adapter.test_request(KEY),
        adapter.cancel_request(JOB, KEY),
    ):
        assert "AIza" not in request.url
        assert "AIza" not in repr(request)


def test_it_is_polled_since_its_calls_cannot_be_checked() -> None:
    assert adapter.traits.webhooks is WebhookProof.NONE
    assert not adapter.traits.claimable
