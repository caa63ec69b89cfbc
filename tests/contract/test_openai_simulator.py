"""The simulated OpenAI refuses what its reference refuses, and takes what the catalogue sends."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from lib.domain.model_config import ModelConfig
from lib.domain.model_input import build_input
from lib.domain.parameters import validate_parameters
from lib.stores.models_source import load_catalogue
from local.model_examples import covering
from local.providers import openai
from local.providers.openai_fields import (
    IMAGE_BYTES,
    MASK_BYTES,
    wrong_edit,
    wrong_image,
    wrong_speech,
)
from local.providers.server import running
from local.providers.settings import Settings

OF_OPENAI = [model for model in load_catalogue("config/models") if model.provider == "openai"]
IMAGE = {"model": "gpt-image-1.5", "prompt": "a fox"}
ANY_SIZE = {"model": "gpt-image-2", "prompt": "a fox"}
SPEECH = {"model": "tts-1", "input": "hello", "voice": "coral"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": "x" * 32_001}, "prompt"),
        ({"n": 0}, "n"),
        ({"n": 11}, "n"),
        ({"n": True}, "n"),
        ({"n": "2"}, "n"),
        ({"size": "1280x720"}, "size"),
        ({"size": "512x512"}, "size"),
        ({"quality": "ultra"}, "quality"),
        ({"background": "blue"}, "background"),
        ({"moderation": "off"}, "moderation"),
        ({"output_format": "gif"}, "output_format"),
        ({"output_compression": 101}, "output_compression"),
        ({"output_compression": -1}, "output_compression"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_image_of_which_one_field_is_wrong_is_refused_by_its_name(
    changes: dict[str, Any], field: str
) -> None:
    assert wrong_image({**IMAGE, **changes}) == field


@pytest.mark.parametrize(
    ("size", "taken"),
    [
        ("auto", True),
        ("1536x1024", True),
        ("1280x720", True),
        ("3840x2160", True),
        ("2160x3840", True),
        ("3072x1024", True),
        ("3088x1024", False),
        ("1280x725", False),
        ("3856x2160", False),
        ("3840x2176", False),
        ("1024", False),
    ],
)
def test_the_newer_model_makes_any_size_in_steps_of_16(size: str, taken: bool) -> None:
    assert (wrong_image({**ANY_SIZE, "size": size}) is None) is taken


def file(name: str, content_type: str = "image/png", size: int = 100) -> dict[str, Any]:
    return {"name": name, "filename": "a.png", "contentType": content_type, "size": size}


@pytest.mark.parametrize(
    ("parts", "values", "field"),
    [
        ([], {}, "image"),
        ([file("image[]")] * 17, {}, "image"),
        ([file("image", "image/gif")], {}, "image"),
        ([file("image", size=IMAGE_BYTES)], {}, "image"),
        ([file("image"), file("mask", "image/webp")], {}, "mask"),
        ([file("image"), file("mask", size=MASK_BYTES)], {}, "mask"),
        ([file("image")], {"input_fidelity": "highest"}, "input_fidelity"),
        ([file("image[]")] * 16, {"input_fidelity": "high"}, None),
        ([file("image", "image/jpeg"), file("mask")], {}, None),
    ],
    ids=str,
)
def test_an_edit_has_up_to_16_images_and_a_small_mask(
    parts: list[dict[str, Any]], values: dict[str, Any], field: str | None
) -> None:
    assert wrong_edit(parts, values) == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"input": ""}, "input"),
        ({"input": "x" * 4_097}, "input"),
        ({"voice": "nobody"}, "voice"),
        ({"instructions": 1}, "instructions"),
        ({"response_format": "ogg"}, "response_format"),
        ({"speed": 0.2}, "speed"),
        ({"speed": 4.1}, "speed"),
        ({"stream_format": "video"}, "stream_format"),
        ({"input": "x" * 4_096, "speed": 4, "instructions": "softly"}, None),
    ],
    ids=lambda value: str(value)[:40],
)
def test_speech_of_which_one_field_is_wrong_is_refused_by_its_name(
    changes: dict[str, Any], field: str | None
) -> None:
    assert wrong_speech({**SPEECH, **changes}) == field


@pytest.mark.parametrize("model", OF_OPENAI, ids=lambda model: model.id)
def test_it_takes_what_each_model_of_the_catalogue_sends(model: ModelConfig) -> None:
    kind, _, name = model.version.partition("/")
    wrong = wrong_image if kind == "images" else wrong_speech
    for parameters in covering(model):
        body = {**build_input(model, validate_parameters(model, parameters)), "model": name}
        assert wrong(body) is None


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with (
        running("openai", settings=Settings(latency=0.05)) as simulator,
        httpx.Client(base_url=simulator.urls["openai"], trust_env=False) as http,
    ):
        http.headers["authorization"] = f"Bearer {openai.LOCAL_KEY}"
        yield http


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"prompt": (None, "a hat")}, "missing_required_parameter"),
        ({"prompt": (None, "a hat"), "image": ("a.gif", b"GIF89a", "image/gif")}, "invalid_value"),
    ],
)
def test_a_wrong_edit_is_told_by_its_parameter(http: httpx.Client, files: Any, code: str) -> None:
    answer = http.post("/v1/images/edits", files=files, data={"model": "gpt-image-1.5"})
    assert answer.status_code == 400
    assert (answer.json()["error"]["param"], answer.json()["error"]["code"]) == ("image", code)


def test_the_numbers_of_a_form_count_as_numbers(http: httpx.Client) -> None:
    picture: Any = {"image": ("a.png", b"\x89PNG\r\n\x1a\n", "image/png")}
    fields = {"model": "gpt-image-1.5", "prompt": "a hat", "output_format": "jpeg"}
    url = "/v1/images/edits"
    refused = http.post(url, files=picture, data={**fields, "output_compression": "101"})
    assert refused.json()["error"]["param"] == "output_compression"
    taken = http.post(url, files=picture, data={**fields, "output_compression": "50", "n": "2"})
    assert len(taken.json()["data"]) == 2
