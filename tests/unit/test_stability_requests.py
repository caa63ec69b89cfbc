"""What is sent to Stability, call by call, and what is refused before it is sent."""

import base64
from typing import Any

import pytest

from lib.domain.errors import ConfigurationError, InvalidError
from lib.domain.http_exchange import FormPart, HttpRequest
from lib.domain.provider import Credential, RemoteJob, Submission, SubmitSafety
from lib.providers.stability import MAX_REQUEST_BYTES, StabilityAdapter
from lib.providers.stability_routes import ROUTES

KEY = Credential("stability", "sk-secret")
PIXELS = bytes(range(200))
IMAGE = f"data:image/jpeg;base64,{base64.b64encode(PIXELS).decode()}"
RESULT_ID = "a6dc6c6e20acda010fe14d71f180658f2896ed9b4ec25aa99a6ff06c796987c4"

adapter = StabilityAdapter()


def submit(model_ref: str, **values: Any) -> HttpRequest:
    return adapter.submit_request(Submission("j1", 1, model_ref, values, 600), KEY, "https://ignored.example")


def shown(request: HttpRequest) -> list[tuple[str, str | bytes, str | None, str | None]]:
    return [(part.name, part.value, part.filename, part.content_type) for part in request.parts]


def test_an_image_of_a_text_is_a_form_without_a_file() -> None:
    request = submit("stable-image/generate/core", prompt="a red fox", seed=0, aspect_ratio="16:9")
    assert (request.method, request.url) == (
        "POST",
        "https://api.stability.ai/v2beta/stable-image/generate/core",
    )
    assert request.headers == {"Authorization": "Bearer sk-secret", "Accept": "image/*"}
    assert request.json_body is None
    assert request.form is None
    assert request.media_answer
    assert shown(request) == [
        ("prompt", "a red fox", None, None),
        ("seed", "0", None, None),
        ("aspect_ratio", "16:9", None, None),
    ]


def test_a_picture_becomes_a_file_behind_all_texts() -> None:
    request = submit("stable-image/generate/ultra", image=IMAGE, prompt="a fox", strength=0.35)
    assert shown(request) == [
        ("prompt", "a fox", None, None),
        ("strength", "0.35", None, None),
        ("image", PIXELS, "image.jpg", "image/jpeg"),
    ]


def test_the_model_of_an_operation_with_several_is_a_field() -> None:
    request = submit("stable-image/generate/sd3:sd3.5-large-turbo", prompt="a fox", mode="text-to-image")
    assert request.url.endswith("/v2beta/stable-image/generate/sd3")
    assert ("model", "sd3.5-large-turbo", None, None) in shown(request)


def test_values_that_are_no_texts_are_written_as_json_has_them() -> None:
    request = submit("audio/stable-audio-2/text-to-audio", prompt="rain", duration=1.5, loop=True, seed=None)
    assert shown(request)[1:] == [("duration", "1.5", None, None), ("loop", "true", None, None)]


@pytest.mark.parametrize(
    ("model_ref", "accept", "waits"),
    [
        ("stable-image/generate/core", "image/*", True),
        ("audio/stable-audio-2/text-to-audio:stable-audio-2.5", "audio/*", True),
        ("audio/stable-audio/text-to-audio:stable-audio-3", "application/json", False),
        ("stable-image/upscale/creative", "application/json", False),
        ("stable-image/edit/replace-background-and-relight", "application/json", False),
    ],
)
def test_who_answers_with_the_result_is_asked_for_bytes(model_ref: str, accept: str, waits: bool) -> None:
    request = submit(model_ref, prompt="a fox")
    assert request.headers["Accept"] == accept
    assert (request.media_answer, adapter.is_synchronous(model_ref)) == (waits, waits)


@pytest.mark.parametrize(
    ("model_ref", "path", "accept"),
    [
        ("stable-image/upscale/creative", "results", "image/*"),
        ("stable-image/edit/replace-background-and-relight", "results", "image/*"),
        ("audio/stable-audio/text-to-audio:stable-audio-3", "audio/results", "audio/*"),
    ],
)
def test_a_result_is_asked_for_where_its_operation_keeps_it(model_ref: str, path: str, accept: str) -> None:
    request = adapter.poll_request(RemoteJob(RESULT_ID, model_ref), KEY)
    assert request is not None
    assert (request.method, request.url) == ("GET", f"https://api.stability.ai/v2beta/{path}/{RESULT_ID}")
    assert request.headers == {"Authorization": "Bearer sk-secret", "Accept": accept}
    assert request.media_answer


def test_a_job_whose_answer_was_its_result_is_not_asked_about() -> None:
    assert adapter.poll_request(RemoteJob("req-1", "stable-image/generate/core"), KEY) is None


@pytest.mark.parametrize("found", ["", "../v1/user/account", "abc/def-1234", "a" * 129, "12345678?x=1"])
def test_an_impossible_id_is_not_put_into_an_address(found: str) -> None:
    with pytest.raises(InvalidError, match="is not the id of a result"):
        adapter.poll_request(RemoteJob(found, "stable-image/upscale/creative"), KEY)


@pytest.mark.parametrize(
    "model_ref", ["", "core", "stable-image/generate/core:", "stable-image/generate/../../v1", "a:b"]
)
def test_a_model_that_is_none_is_a_wrong_setting(model_ref: str) -> None:
    with pytest.raises(ConfigurationError, match="is no model of Stability"):
        submit(model_ref, prompt="a fox")
    with pytest.raises(ConfigurationError):
        adapter.is_synchronous(model_ref)


@pytest.mark.parametrize("value", ["https://example.org/fox.png", "fox.png", 7, "data:image/png;base64,???"])
def test_a_file_that_is_no_data_url_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidError, match="image is"):
        submit("stable-image/upscale/fast", image=value)


def test_a_request_over_ten_mebibytes_is_refused_before_it_is_sent() -> None:
    large = f"data:image/png;base64,{base64.b64encode(bytes(MAX_REQUEST_BYTES)).decode()}"
    with pytest.raises(InvalidError, match="10 MiB"):
        submit("stable-image/upscale/fast", image=large)


def test_the_key_is_proved_by_the_balance() -> None:
    request = adapter.test_request(KEY)
    assert (request.method, request.url) == ("GET", "https://api.stability.ai/v1/user/balance")


def test_the_key_is_in_one_header_and_in_no_repr() -> None:
    for request in (submit("stable-image/generate/core", prompt="a fox"), adapter.test_request(KEY)):
        assert "sk-secret" not in request.url
        assert "sk-secret" not in repr(request)
        assert [name for name, value in request.headers.items() if "sk-secret" in value] == ["Authorization"]


def test_every_operation_has_a_place_of_its_own_and_media_to_accept() -> None:
    assert all(path == route.path for path, route in ROUTES.items())
    assert {route.accept for route in ROUTES.values()} == {"image/*", "audio/*"}


def test_a_submit_can_neither_be_repeated_nor_canceled() -> None:
    assert adapter.traits.submit_safety is SubmitSafety.NONE
    assert not adapter.traits.claimable
    assert adapter.cancel_request(RemoteJob(RESULT_ID, "stable-image/upscale/creative"), KEY) is None


def test_a_part_without_a_file_has_no_type() -> None:
    assert submit("stable-image/generate/core", prompt="a fox").parts == (FormPart("prompt", "a fox"),)
