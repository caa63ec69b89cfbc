"""The simulated Runway refuses what Runway's document refuses: field by field, per model, with its path."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from lib.domain.model_config import ModelConfig
from lib.domain.model_input import build_input
from lib.domain.parameters import validate_parameters
from lib.stores.models_source import load_catalogue
from local.model_examples import covering
from local.providers import runway
from local.providers.runway_fields import MODELS, wrong_input
from local.providers.server import running
from local.providers.settings import Settings

OF_RUNWAY = [model for model in load_catalogue("config/models") if model.provider == "runway"]
IMAGE = "https://caller.example/start.png"
GEN = {"model": "gen4.5", "promptText": "a fox", "promptImage": IMAGE, "ratio": "1280:720", "duration": 5}
VEO = {"model": "veo3.1", "promptText": "a fox", "ratio": "1280:720"}
TURBO = {"model": "gen4_image_turbo", "promptText": "a fox", "ratio": "720:720"}
REFERENCE = {"uri": IMAGE, "tag": "fox"}
SPEECH = {"model": "eleven_multilingual_v2", "promptText": "hello", "voice": {"type": "runway-preset"}}
SOUND = {"model": "eleven_text_to_sound_v2", "promptText": "rain"}


def wrong(route: str, values: dict[str, Any], **changes: Any) -> list[str]:
    """The paths of what is wrong; a change to None leaves a field out."""
    given = {name: value for name, value in {**values, **changes}.items() if value is not None}
    return [".".join(issue["path"]) for issue in wrong_input(route, given)]


@pytest.mark.parametrize(
    ("route", "values", "changes", "paths"),
    [
        ("image_to_video", GEN, {"promptText": None}, ["promptText"]),
        ("image_to_video", GEN, {"promptImage": None}, ["promptImage"]),
        ("image_to_video", GEN, {"ratio": None}, ["ratio"]),
        ("image_to_video", GEN, {"duration": None}, ["duration"]),
        ("image_to_video", GEN, {"promptText": "x" * 1001}, ["promptText"]),
        ("image_to_video", GEN, {"promptText": "🦊" * 501}, ["promptText"]),
        ("image_to_video", GEN, {"ratio": "1920:1080"}, ["ratio"]),
        ("image_to_video", GEN, {"duration": 1}, ["duration"]),
        ("image_to_video", GEN, {"duration": 11}, ["duration"]),
        ("image_to_video", GEN, {"duration": 2.5}, ["duration"]),
        ("image_to_video", GEN, {"duration": "5"}, ["duration"]),
        ("image_to_video", GEN, {"seed": -1}, ["seed"]),
        ("image_to_video", GEN, {"seed": 4_294_967_296}, ["seed"]),
        (
            "image_to_video",
            GEN,
            {"contentModeration": {"publicFigureThreshold": "none"}},
            ["contentModeration.publicFigureThreshold"],
        ),
        ("image_to_video", GEN, {"promptImage": "http://caller.example/a.png"}, ["promptImage"]),
        ("image_to_video", GEN, {"promptImage": f"{IMAGE}?{'x' * 2048}"}, ["promptImage"]),
        ("image_to_video", GEN, {"promptImage": f"data:image/png;base64,{'A' * 5_242_880}"}, ["promptImage"]),
        (
            "image_to_video",
            GEN,
            {"promptImage": [{"uri": IMAGE, "position": "x"}]},
            ["promptImage.0.position"],
        ),
        ("text_to_video", VEO, {"ratio": "960:960"}, ["ratio"]),
        ("text_to_video", VEO, {"duration": 5}, ["duration"]),
        ("text_to_video", VEO, {"audio": "yes"}, ["audio"]),
        ("text_to_video", {**GEN, "promptImage": None}, {"ratio": "960:960"}, ["ratio"]),
        ("text_to_image", TURBO, {}, ["referenceImages"]),
        ("text_to_image", TURBO, {"referenceImages": [REFERENCE] * 4}, ["referenceImages"]),
        (
            "text_to_image",
            TURBO,
            {"referenceImages": [{**REFERENCE, "tag": "ox"}]},
            ["referenceImages.0.tag"],
        ),
        (
            "text_to_image",
            TURBO,
            {"referenceImages": [{"uri": "ftp://x.example/a"}]},
            ["referenceImages.0.uri"],
        ),
        ("text_to_speech", SPEECH, {"voice": None}, ["voice"]),
        ("text_to_speech", SPEECH, {"promptText": "x" * 1001}, ["promptText"]),
        ("sound_effect", SOUND, {"duration": 0.4}, ["duration"]),
        ("sound_effect", SOUND, {"promptText": "x" * 3001}, ["promptText"]),
        ("sound_effect", SOUND, {"loop": 1}, ["loop"]),
        ("sound_effect", SOUND, {"model": None}, ["model"]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_runway_refuses_is_refused_at_its_path(
    route: str, values: dict[str, Any], changes: dict[str, Any], paths: list[str]
) -> None:
    assert wrong(route, values, **changes) == paths


@pytest.mark.parametrize(
    ("route", "values", "changes"),
    [
        ("image_to_video", GEN, {"duration": 10, "seed": 4_294_967_295, "promptText": "🦊" * 500}),
        ("image_to_video", GEN, {"promptImage": "runway://uploaded-file"}),
        ("image_to_video", GEN, {"promptImage": "data:image/png;base64,AAAA"}),
        ("image_to_video", GEN, {"promptImage": "http://127.0.0.1:8700/a.png"}),
        ("text_to_video", VEO, {"duration": 6, "audio": False}),
        ("text_to_image", TURBO, {"referenceImages": [REFERENCE]}),
        ("sound_effect", SOUND, {"duration": 0.5, "loop": True}),
        ("text_to_video", VEO, {"model": "one-that-came-later", "ratio": None}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_runway_takes_is_taken(route: str, values: dict[str, Any], changes: dict[str, Any]) -> None:
    assert wrong(route, values, **changes) == []


@pytest.mark.parametrize("model", OF_RUNWAY, ids=lambda model: model.id)
def test_each_model_of_the_catalogue_is_known_there_and_takes_what_we_send(model: ModelConfig) -> None:
    route, _, name = model.version.partition("/")
    assert name in MODELS[route]
    for parameters in covering(model):
        body = {**build_input(model, validate_parameters(model, parameters)), "model": name}
        assert wrong_input(route, body) == []


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with (
        running("runway", settings=Settings(latency=0.05)) as simulator,
        httpx.Client(base_url=simulator.urls["runway"], trust_env=False) as http,
    ):
        http.headers.update(
            {"authorization": f"Bearer {runway.LOCAL_KEY}", "x-runway-version": runway.VERSION}
        )
        yield http


def test_all_that_is_wrong_comes_in_one_answer(http: httpx.Client) -> None:
    answer = http.post("/v1/image_to_video", json={**GEN, "ratio": "1:1", "duration": 60})
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "Validation of body failed",
        "issues": [
            {"code": "invalid_enum_value", "path": ["ratio"], "message": "Invalid enum value"},
            {"code": "too_big", "path": ["duration"], "message": "Number must be from 2 to 10"},
        ],
    }
