"""The simulated Stability asked by a plain HTTP client, as its reference's examples ask: forms, accept, errors."""

import base64
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from local.providers.server import running
from local.providers.settings import Settings

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


def test_a_result_that_nobody_started_is_not_found(http: httpx.Client) -> None:
    answer = http.get(f"/v2beta/results/{'a' * 64}", headers={"accept": "image/*"})
    assert (answer.status_code, answer.json()["name"]) == (404, "not_found")
