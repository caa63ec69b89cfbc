"""OpenAI: what is sent for images, edits and speech, and what each answer means when it may have been billed."""

from collections.abc import Mapping
from typing import Any

import pytest

from lib.domain.errors import ConfigurationError, InvalidError, ProviderError
from lib.domain.http_exchange import FormPart, HttpRequest, HttpResponse
from lib.domain.provider import (
    Credential,
    FailureKind,
    OutputKind,
    RemoteJob,
    RemoteStatus,
    Submission,
    SubmitOutcome,
    SubmitSafety,
)
from lib.providers.openai import OpenaiAdapter
from tests.fakes.stored_answers import stored_answer

KEY = Credential("openai", "sk-secret")
REFUSED, DEFERRED, UNKNOWN = SubmitOutcome.REFUSED, SubmitOutcome.DEFERRED, SubmitOutcome.UNKNOWN
IMAGE = "data:image/png;base64,iVBORw0KGgo="
PNG = b"\x89PNG\r\n\x1a\n"

adapter = OpenaiAdapter()


def request(
    values: Mapping[str, Any], model: str = "images/gpt-image-1.5", key: Credential = KEY
) -> HttpRequest:
    return adapter.submit_request(Submission("j1", 1, model, values, 600), key, "https://x.example/w")


def test_images_are_made_from_words() -> None:
    made = request({"prompt": "a red fox", "n": 2, "size": "1024x1024"})
    assert (made.method, made.url) == ("POST", "https://api.openai.com/v1/images/generations")
    assert made.headers["Authorization"] == "Bearer sk-secret"
    assert made.json_body == {"model": "gpt-image-1.5", "prompt": "a red fox", "n": 2, "size": "1024x1024"}
    assert made.media_answer


def test_an_image_makes_it_an_edit_by_a_form() -> None:
    edit = request({"prompt": "a hat", "image": IMAGE, "mask": IMAGE, "n": 2, "stream": False})
    assert edit.url == "https://api.openai.com/v1/images/edits"
    assert edit.json_body is None
    assert edit.parts == (
        FormPart("model", "gpt-image-1.5"),
        FormPart("prompt", "a hat"),
        FormPart("image", PNG, "image.png", "image/png"),
        FormPart("mask", PNG, "mask.png", "image/png"),
        FormPart("n", "2"),
        FormPart("stream", "false"),
    )


def test_several_images_are_a_list_in_the_form() -> None:
    parts = request({"prompt": "", "image": [IMAGE, IMAGE.replace("png", "jpeg")]}).parts
    assert [(part.name, part.filename) for part in parts if part.filename] == [
        ("image[]", "image-0.png"),
        ("image[]", "image-1.jpg"),
    ]


@pytest.mark.parametrize("image", ["https://example.com/a.png", "data:image/png;base64,???", ["x"], 5])
def test_an_image_that_is_not_here_is_refused_before_it_is_sent(image: object) -> None:
    with pytest.raises(InvalidError, match="image"):
        request({"prompt": "", "image": image})


def test_speech_is_made_from_a_text() -> None:
    made = request({"input": "Hello", "voice": "coral", "speed": 1.5}, "speech/gpt-4o-mini-tts")
    assert made.url == "https://api.openai.com/v1/audio/speech"
    assert made.json_body == {"model": "gpt-4o-mini-tts", "input": "Hello", "voice": "coral", "speed": 1.5}
    assert made.media_answer


@pytest.mark.parametrize("model", ["gpt-image-1.5", "videos/sora-2", "images/../x", "images/"])
def test_a_model_without_its_kind_is_none(model: str) -> None:
    with pytest.raises(ConfigurationError, match="no OpenAI model"):
        request({"prompt": ""}, model)


def test_the_organization_and_the_project_are_headers() -> None:
    key = Credential("openai", "sk-secret", extra={"organization": "org-1", "project": "proj_2"})
    headers = request({"prompt": ""}, key=key).headers
    assert (headers["OpenAI-Organization"], headers["OpenAI-Project"]) == ("org-1", "proj_2")
    assert "OpenAI-Project" not in request({"prompt": ""}).headers


def test_all_images_of_an_answer_are_outputs_of_its_format() -> None:
    result = adapter.parse_submit(stored_answer("openai", "images"))
    assert result.outcome is SubmitOutcome.ACCEPTED
    assert result.update is not None
    assert (result.update.status, result.update.provider_job_id) == (
        RemoteStatus.SUCCEEDED,
        "req_9f1c2d3e4f5a6b7c",
    )
    assert [output.kind for output in result.update.outputs] == [OutputKind.DATA_URL] * 2
    assert result.update.outputs[0].value.startswith("data:image/webp;base64,iVBOR")
    assert result.update.cost_usd is None


def test_an_image_by_address_is_an_address() -> None:
    result = adapter.parse_submit(stored_answer("openai", "images_by_url"))
    assert result.update is not None
    [output] = result.update.outputs
    assert (output.kind, output.value) == (OutputKind.URL, "https://files.example.com/image.png")


def test_the_body_of_speech_is_the_output() -> None:
    result = adapter.parse_submit(stored_answer("openai", "speech"))
    assert result.update is not None
    [output] = result.update.outputs
    assert output.value.startswith("data:audio/mpeg;base64,")
    assert result.update.provider_job_id == "req_0a1b2c3d"


@pytest.mark.parametrize("data", [[], [5], [{"b64_json": None}], [{"url": ""}]])
def test_an_answer_without_an_image_is_a_failure_that_may_have_cost(data: list[object]) -> None:
    result = adapter.parse_submit(stored_answer("openai", "no_images", data=data))
    assert result.update is not None
    assert result.update.status is RemoteStatus.FAILED
    assert result.update.failure is not None
    assert result.update.failure.kind is FailureKind.MODEL_ERROR
    assert not result.update.failure.unbilled


def test_what_is_odd_in_a_paid_answer_costs_no_image_beside_it() -> None:
    data = [7, {"b64_json": ["?"], "url": "https://files.example.com/a.png"}, {"b64_json": "iVBORw0KGgo="}]
    result = adapter.parse_submit(stored_answer("openai", "images", data=data, output_format=5))
    assert result.update is not None
    assert [output.value for output in result.update.outputs] == [
        "https://files.example.com/a.png",
        "data:image/png;base64,iVBORw0KGgo=",
    ]


@pytest.mark.parametrize("changes", [{"data": None}, {"data": "x"}, {"data": {"url": "https://a.example"}}])
def test_a_success_that_cannot_be_read_is_unknown(changes: dict[str, object]) -> None:
    assert adapter.parse_submit(stored_answer("openai", "images", **changes)).outcome is UNKNOWN
    assert adapter.parse_submit(stored_answer("openai", "unreadable")).outcome is UNKNOWN
    assert adapter.parse_submit(HttpResponse(200, {"content-type": "audio/mpeg"}, b"")).outcome is UNKNOWN


def test_a_request_id_that_is_none_is_left_out() -> None:
    odd = HttpResponse(200, {"content-type": "audio/mpeg", "x-request-id": "a b"}, b"ID3")
    result = adapter.parse_submit(odd)
    assert result.update is not None
    assert result.update.provider_job_id is None


ROWS = [
    ("invalid_value", FailureKind.INVALID_INPUT, False, REFUSED),
    ("moderation_blocked", FailureKind.MODERATION, False, REFUSED),
    ("content_policy_violation", FailureKind.MODERATION, False, REFUSED),
    ("billing_hard_limit", FailureKind.BILLING, False, REFUSED),
    ("billing_not_active", FailureKind.BILLING, False, REFUSED),
    ("unsupported_content_type", FailureKind.INVALID_INPUT, False, REFUSED),
    ("invalid_api_key", FailureKind.AUTHENTICATION, False, REFUSED),
    ("unverified", FailureKind.AUTHENTICATION, False, REFUSED),
    ("model_not_found", FailureKind.NOT_FOUND, False, REFUSED),
    ("not_found_page", FailureKind.UNKNOWN, False, REFUSED),
    ("request_timeout", FailureKind.OUTAGE, True, UNKNOWN),
    ("conflict", FailureKind.OUTAGE, True, DEFERRED),
    ("too_large", FailureKind.INVALID_INPUT, False, REFUSED),
    ("rate_limited", FailureKind.RATE_LIMITED, True, DEFERRED),
    ("insufficient_quota", FailureKind.BILLING, False, REFUSED),
    ("do_not_retry", FailureKind.RATE_LIMITED, False, REFUSED),
    ("server_error", FailureKind.OUTAGE, True, UNKNOWN),
    ("overloaded", FailureKind.OUTAGE, True, UNKNOWN),
    ("bad_gateway", FailureKind.OUTAGE, True, UNKNOWN),
]


@pytest.mark.parametrize(("name", "kind", "retryable", "outcome"), ROWS)
def test_each_error_has_a_kind_and_an_outcome_and_keeps_its_words(
    name: str, kind: FailureKind, retryable: bool, outcome: SubmitOutcome
) -> None:
    answer = stored_answer("openai", name)
    result = adapter.parse_submit(answer)
    assert result.outcome is outcome
    assert result.failure is not None
    assert (result.failure.kind, result.failure.retryable) == (kind, retryable)
    assert result.failure.unbilled is (outcome is not UNKNOWN)
    words = result.failure.message
    assert words.startswith("HTTP ") or words.encode() in answer.body


def test_the_finer_of_both_waits_is_kept() -> None:
    result = adapter.parse_submit(stored_answer("openai", "rate_limited"))
    assert result.failure is not None
    assert result.failure.retry_after_seconds == 11.84


@pytest.mark.parametrize("milliseconds", ["", "soon", "-5", "nan", "inf"])
def test_a_wait_in_milliseconds_that_is_none_leaves_the_other(milliseconds: str) -> None:
    answer = stored_answer("openai", "rate_limited")
    odd = HttpResponse(429, {**answer.headers, "retry-after-ms": milliseconds}, answer.body)
    failure = adapter.parse_submit(odd).failure
    assert failure is not None
    assert failure.retry_after_seconds == 12


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"\xff", b'{"error": "x"}', b'{"error": ["x"]}', b'{"error": null}', b'{"error": 7}'),
        *(b'{"error": {"code": 5, "message": ["a"]}}', b'{"error": {"type": null, "message": " "}}'),
    ],
)
def test_errors_of_odd_shapes_are_judged_by_their_status(body: bytes) -> None:
    result = adapter.parse_submit(HttpResponse(400, {}, body))
    assert result.failure is not None
    assert (result.outcome, result.failure.kind) == (REFUSED, FailureKind.INVALID_INPUT)
    assert result.failure.message == "HTTP 400, with no readable reason"


@pytest.mark.parametrize("error", [None, "gone", {}, {"reason": "gone"}])
def test_only_openai_can_say_that_something_is_not_there(error: object) -> None:
    failure = adapter.parse_submit(stored_answer("openai", "model_not_found", error=error)).failure
    assert failure is not None
    assert failure.kind is FailureKind.UNKNOWN


def test_a_code_is_read_in_any_case_and_its_type_counts_where_it_is_none() -> None:
    for error in ({"code": "Moderation_Blocked"}, {"code": 7, "type": "MODERATION_BLOCKED"}):
        failure = adapter.parse_submit(stored_answer("openai", "invalid_value", error=error)).failure
        assert failure is not None
        assert failure.kind is FailureKind.MODERATION


@pytest.mark.parametrize(
    ("status", "outcome"), [(301, REFUSED), (302, UNKNOWN), (308, REFUSED), (520, UNKNOWN)]
)
def test_redirects_and_odd_statuses_are_judged_too(status: int, outcome: SubmitOutcome) -> None:
    assert adapter.parse_submit(HttpResponse(status, {}, b"")).outcome is outcome


def test_the_key_test_lists_the_models() -> None:
    assert adapter.test_request(KEY).url == "https://api.openai.com/v1/models"
    assert adapter.parse_test(stored_answer("openai", "models")) == "example-org"
    assert adapter.parse_test(HttpResponse(200, {}, b"{}")) == "OpenAI"
    with pytest.raises(ProviderError) as raised:
        adapter.parse_test(stored_answer("openai", "invalid_api_key"))
    assert raised.value.code == FailureKind.AUTHENTICATION.value


def test_the_answer_is_all_there_is() -> None:
    traits = adapter.traits
    assert (traits.synchronous, traits.polls, traits.cancels, traits.claimable) == (True, False, False, False)
    assert traits.submit_safety is SubmitSafety.NONE
    assert adapter.poll_request(RemoteJob("req_1"), KEY) is None
    assert (
        OpenaiAdapter(base_url="http://127.0.0.1:9/v1").test_request(KEY).url
        == "http://127.0.0.1:9/v1/models"
    )


def test_no_request_shows_its_key_or_its_words() -> None:
    shown = repr(request({"prompt": "a secret fox", "image": IMAGE}))
    assert "sk-" not in shown
    assert "secret fox" not in shown
