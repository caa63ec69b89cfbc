"""The simulated Veo and Gemini refuse what Google documents as impossible, and take what the catalogue sends."""

from typing import Any

import pytest

from lib.domain.model_config import ModelConfig
from lib.domain.model_input import build_input
from lib.domain.parameters import validate_parameters
from lib.domain.provider import Credential, Submission
from lib.providers.registry import load_adapter
from lib.stores.models_source import load_catalogue
from local.model_examples import covering
from local.providers import gemini, google_veo
from local.providers.google_account import key_file

OF_GOOGLE = [model for model in load_catalogue("config/models") if model.provider in ("google_veo", "gemini")]
VEO, LITE = "veo-3.1-generate-001", "veo-3.1-lite-generate-001"
IMAGE = {"bytesBase64Encoded": "AAAA", "mimeType": "image/png"}
REFERENCE = {"image": IMAGE, "referenceType": "asset"}
OMNI = {"model": "gemini-omni-1.1-flash", "input": "a kite", "response_format": {"type": "video"}}


@pytest.mark.parametrize(
    ("model", "instance", "parameters", "words"),
    [
        (VEO, {"prompt": ""}, {}, "Either a prompt"),
        (VEO, {"image": {"mimeType": "image/png"}}, {}, "image has neither"),
        (VEO, {"image": {"bytesBase64Encoded": "AAAA"}}, {}, "image has no mimeType"),
        (VEO, {"referenceImages": [REFERENCE] * 4}, {}, "At most 3 reference images"),
        (VEO, {"referenceImages": [{"image": IMAGE, "referenceType": "mood"}]}, {}, "referenceType"),
        (VEO, {"referenceImages": [REFERENCE]}, {"durationSeconds": 6}, "must be 8 with reference images"),
        (VEO, {"video": IMAGE}, {"durationSeconds": 4}, "must be 8 with reference images or a video"),
        (VEO, {"video": IMAGE}, {"resolution": "1080p"}, "720p only"),
        (VEO, {}, {"durationSeconds": 5}, "durationSeconds must be one of 4, 6, 8"),
        (VEO, {}, {"aspectRatio": "1:1"}, "aspectRatio"),
        (VEO, {}, {"resolution": "2k"}, "resolution"),
        (VEO, {}, {"resolution": "1080p", "durationSeconds": 6}, "output resolution"),
        (VEO, {}, {"sampleCount": 5}, "sampleCount"),
        (VEO, {}, {"seed": -1}, "seed"),
        (VEO, {}, {"seed": 4_294_967_296}, "seed"),
        (VEO, {}, {"seed": "7"}, "seed"),
        (VEO, {}, {"personGeneration": "everybody"}, "personGeneration"),
        (VEO, {}, {"compressionQuality": "small"}, "compressionQuality"),
        (VEO, {}, {"resizeMode": "stretch"}, "resizeMode"),
        (LITE, {}, {"resolution": "4k"}, "4k is not supported"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_veo_refuses(model: str, instance: dict[str, Any], parameters: dict[str, Any], words: str) -> None:
    assert words in google_veo.wrong_input(model, {"prompt": "a fox", **instance}, parameters)


@pytest.mark.parametrize(
    ("instance", "parameters"),
    [
        ({"referenceImages": [{**REFERENCE, "referenceType": "ASSET"}] * 3}, {}),
        ({"video": IMAGE}, {"durationSeconds": 8, "resolution": "720p"}),
        ({}, {"resolution": "4k", "seed": 4_294_967_295, "sampleCount": 4}),
    ],
    ids=str,
)
def test_veo_takes(instance: dict[str, Any], parameters: dict[str, Any]) -> None:
    assert google_veo.wrong_input(VEO, {"prompt": "a fox", **instance}, parameters) == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "gemini-omni-0"}, "not supported"),
        ({"input": ""}, "input is required"),
        ({"response_format": {}}, "of the type video"),
        ({"response_format": {"type": "video", "aspect_ratio": "1:1"}}, "aspect ratio"),
        ({"response_format": {"type": "video", "resolution": "540p"}}, "resolution"),
        ({"response_format": {"type": "video", "duration": "2s"}}, "duration"),
        ({"response_format": {"type": "video", "duration": "11s"}}, "duration"),
        ({"response_format": {"type": "video", "delivery": "post"}}, "delivery"),
        ({"generation_config": {"video_config": {"task": "sing"}}}, "task sing"),
        ({"generation_config": {"seed": "7"}}, "seed"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_gemini_refuses(changes: dict[str, Any], words: str) -> None:
    assert gemini.wrong_input(OMNI) == ""
    assert words in gemini.wrong_input({**OMNI, **changes})


@pytest.mark.parametrize("model", OF_GOOGLE, ids=lambda model: model.id)
def test_they_take_what_each_model_of_the_catalogue_sends(model: ModelConfig) -> None:
    adapter = load_adapter(model.provider)
    credential = Credential(model.provider, key_file(), extra={"accessToken": "ya29.example"})
    for parameters in covering(model):
        given = build_input(model, validate_parameters(model, parameters))
        request = adapter.submit_request(Submission("j", 1, model.version, given, 60), credential, None)
        body: Any = request.json_body
        wrong = (
            gemini.wrong_input(body)
            if model.provider == "gemini"
            else google_veo.wrong_input(model.version, body["instances"][0], body["parameters"])
        )
        assert wrong == ""
