"""The simulated Stability asked by a plain HTTP client, as its reference's examples ask: forms, accept, errors."""

import base64
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from local.providers.server import running
from local.providers.settings import Settings
from local.providers.stability_fields import OPERATIONS, File, problems_of
from tests.fakes.media_files import image_bytes

CORE = "/v2beta/stable-image/generate/core"
NOTHING: Any = {"none": (None, b"")}


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with (
        running("stability", settings=Settings(latency=0.05)) as simulator,
        httpx.Client(base_url=simulator.urls["stability"], trust_env=False) as http,
    ):
        http.headers["authorization"] = f"Bearer sk-{uuid4()}"
        yield http


def test_without_a_key_nothing_is_answered(http: httpx.Client) -> None:
    answer = http.post(CORE, headers={"authorization": ""}, data={"prompt": "a fox"}, files=NOTHING)
    assert (answer.status_code, answer.json()["name"]) == (401, "unauthorized")
    assert set(answer.json()) == {"id", "name", "errors"}


@pytest.mark.parametrize("body", [{"json": {"prompt": "a fox"}}, {"data": {"prompt": "a fox"}}])
def test_only_forms_in_parts_are_taken(http: httpx.Client, body: dict[str, Any]) -> None:
    answer = http.post(CORE, **body)
    assert (answer.status_code, answer.json()["name"]) == (400, "bad_request")
    assert answer.json()["errors"] == ["content-type: must be multipart/form-data"]


@pytest.mark.parametrize("accept", ["image/*", "*/*"])
def test_bytes_come_with_their_headers(http: httpx.Client, accept: str) -> None:
    answer = http.post(CORE, headers={"accept": accept}, data={"prompt": "a fox", "seed": "7"}, files=NOTHING)
    assert answer.content.startswith(b"\x89PNG")
    assert (answer.headers["content-type"], answer.headers["seed"]) == ("image/png", "7")
    assert answer.headers["finish-reason"] == "SUCCESS"
    assert answer.headers["x-request-id"]


def test_json_has_the_same_in_base64(http: httpx.Client) -> None:
    answer = http.post(
        CORE, headers={"accept": "application/json"}, data={"prompt": "a fox", "seed": "7"}, files=NOTHING
    )
    assert answer.headers["content-type"] == "application/json; type=image/png"
    assert (answer.json()["finish_reason"], answer.json()["seed"]) == ("SUCCESS", 7)
    assert base64.b64decode(answer.json()["image"]).startswith(b"\x89PNG")


def test_media_that_the_operation_does_not_make_is_not_acceptable(http: httpx.Client) -> None:
    answer = http.post(CORE, headers={"accept": "audio/*"}, data={"prompt": "a fox"}, files=NOTHING)
    assert answer.json()["errors"] == ["accept: must be image/* or application/json"]


def test_all_that_is_wrong_is_told_at_once(http: httpx.Client) -> None:
    answer = http.post(
        CORE, data={"prompt": "", "aspect_ratio": "7:5", "seed": "-1", "output_format": "gif"}, files=NOTHING
    )
    assert {error.partition(":")[0] for error in answer.json()["errors"]} == {
        "prompt",
        "aspect_ratio",
        "seed",
        "output_format",
    }


def test_a_request_over_ten_mebibytes_is_refused(http: httpx.Client) -> None:
    large: Any = {"image": ("a.png", bytes(11 * 1024 * 1024), "image/png")}
    answer = http.post("/v2beta/stable-image/upscale/fast", files=large)
    assert (answer.status_code, answer.json()["name"]) == (413, "payload_too_large")


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((63, 100), "each side must have at least 64 pixels"),
        ((3073, 3072), "must have at most 9437184 pixels"),
        ((64, 161), "the aspect ratio must be between 1:2.5 and 2.5:1"),
        ((64, 160), ""),
        ((3072, 3072), ""),
    ],
)
def test_a_picture_has_sides_that_stability_takes(size: tuple[int, int], words: str) -> None:
    image = File("image/png", image_bytes("PNG", size))
    found = problems_of(OPERATIONS["stable-image/upscale/fast"], {}, {"image": image})
    assert found == ([f"image: {words}"] if words else [])


def test_what_is_no_picture_is_refused(http: httpx.Client) -> None:
    for content, content_type, words in (
        (b"not a picture", "image/png", "is not an image that can be read"),
        (b"GIF89a", "image/gif", "must be a jpeg, png or webp"),
    ):
        answer = http.post(
            "/v2beta/stable-image/upscale/fast", files={"image": ("a.png", content, content_type)}
        )
        assert answer.json()["errors"] == [f"image: {words}"]


@pytest.mark.parametrize(
    ("model", "steps", "taken"),
    [
        ("stable-audio-2", 29, False),
        ("stable-audio-2", 30, True),
        ("stable-audio-2", 100, True),
        ("stable-audio-2", 101, False),
        ("stable-audio-2.5", 3, False),
        ("stable-audio-2.5", 8, True),
        ("stable-audio-2.5", 9, False),
    ],
)
def test_each_model_of_sound_has_its_own_steps(model: str, steps: int, taken: bool) -> None:
    fields = {"prompt": "rain", "model": model, "steps": str(steps)}
    found = problems_of(OPERATIONS["audio/stable-audio-2/text-to-audio"], fields, {})
    assert (not found) is taken


def test_a_result_is_asked_for_as_what_it_is(http: httpx.Client) -> None:
    started = http.post(
        "/v2beta/audio/stable-audio/text-to-audio", data={"prompt": "rain"}, files=NOTHING
    ).json()["id"]
    url = f"/v2beta/audio/results/{started}"
    answer = http.get(url, headers={"accept": "image/*"})
    assert (answer.status_code, answer.json()["errors"]) == (
        400,
        ["accept: must be audio/* or application/json"],
    )
    for accept in ("audio/*", "audio/wav", "application/json"):
        assert http.get(url, headers={"accept": accept}).status_code in (200, 202)


def test_a_result_that_nobody_started_is_not_found(http: httpx.Client) -> None:
    answer = http.get(f"/v2beta/results/{'a' * 64}", headers={"accept": "image/*"})
    assert (answer.status_code, answer.json()["name"]) == (404, "not_found")
