"""Each of Stability's models in the catalogue: every parameter reaches the provider, and a file comes back."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest

from lib.domain.errors import InvalidParametersError
from lib.domain.model_input import build_input
from lib.domain.parameters import validate_parameters
from lib.domain.provider import Credential, RemoteJob, RemoteStatus, Submission
from lib.domain.sniff import sniff
from lib.providers.client import HttpProviderClient
from lib.providers.stability import StabilityAdapter
from lib.providers.transport import RequestsTransport
from lib.stores.models_source import load_catalogue
from local.providers.server import Providers, running
from local.providers.settings import Settings
from tests.fakes.media_files import image_bytes

CATALOGUE = load_catalogue("config/models")
MODELS = [model.id for model in CATALOGUE if model.provider == "stability"]
KEY = Credential("stability", "sk-models")
PICTURE = f"data:image/webp;base64,{base64.b64encode(image_bytes('WEBP')).decode()}"

_DRAWN = {"prompt": "a fox", "negative_prompt": "a dog", "seed": 7, "style_preset": "anime"}
_OF_A_TEXT = {**_DRAWN, "aspect_ratio": "9:16", "output_format": "jpeg"}
_OF_AN_IMAGE = {**_DRAWN, "image": PICTURE, "strength": 0.25, "output_format": "png"}
_SD3 = (
    {**_OF_A_TEXT, "mode": "text-to-image", "cfg_scale": 4.5},
    {**_OF_AN_IMAGE, "mode": "image-to-image", "cfg_scale": 10},
)
_HEARD = {"prompt": "rain", "duration": 1.5, "seed": 7, "steps": 8, "cfg_scale": 2.5, "output_format": "wav"}

WHOLE_REQUESTS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "stability-core": (_OF_A_TEXT,),
    "stability-ultra": ({**_OF_A_TEXT, "image": PICTURE, "strength": 0},),
    "stability-sd3.5-large": _SD3,
    "stability-sd3.5-large-turbo": _SD3,
    "stability-sd3.5-medium": _SD3,
    "stability-sd3.5-flash": _SD3,
    "stability-upscale-creative": (
        {
            "image": PICTURE,
            "prompt": "a fox",
            "negative_prompt": "a dog",
            "creativity": 0.35,
            "seed": 7,
            "output_format": "webp",
        },
    ),
    "stability-relight": (
        {
            "image": PICTURE,
            "background_prompt": "a wood",
            "background_reference": PICTURE,
            "foreground_prompt": "a fox",
            "negative_prompt": "a dog",
            "preserve_original_subject": 0.5,
            "original_background_depth": 1,
            "keep_original_background": True,
            "light_source_direction": "left",
            "light_reference": PICTURE,
            "light_source_strength": 0.1,
            "seed": 7,
            "output_format": "png",
        },
    ),
    "stability-audio-3": (_HEARD,),
    "stability-audio-2.5": (_HEARD,),
    "stability-audio-2": ({**_HEARD, "steps": 30},),
}
CASES = [(model_id, values) for model_id, requests in WHOLE_REQUESTS.items() for values in requests]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Providers]:
    with running("stability", settings=Settings(latency=0.05)) as simulator:
        yield simulator


@pytest.fixture
def client(simulator: Providers) -> Iterator[HttpProviderClient]:
    transport = RequestsTransport()
    yield HttpProviderClient(StabilityAdapter(base_url=simulator.urls["stability"]), transport)
    transport.close()


def received(values: Mapping[str, Any], renamed: Mapping[str, str]) -> dict[str, Any]:
    """The parts that a form with these parameters has: texts as they are, files by their names."""
    return {
        renamed.get(name, name): (
            f"{renamed.get(name, name)}.webp"
            if value == PICTURE
            else value
            if isinstance(value, str)
            else json.dumps(value)
        )
        for name, value in values.items()
    }


def test_the_requests_leave_out_no_model_and_no_parameter() -> None:
    assert set(WHOLE_REQUESTS) == set(MODELS)
    for model_id, requests in WHOLE_REQUESTS.items():
        asked = {name for values in requests for name in values}
        assert asked == set(CATALOGUE.get_model_config(model_id).supported_params), model_id


@pytest.mark.parametrize(("model_id", "values"), CASES, ids=lambda value: str(value)[:30])
def test_every_parameter_reaches_the_provider_and_a_file_comes_back(
    simulator: Providers, client: HttpProviderClient, model_id: str, values: Mapping[str, Any]
) -> None:
    model = CATALOGUE.get_model_config(model_id)
    built = build_input(model, validate_parameters(model, values))

    result = client.submit(Submission(str(uuid4()), 1, model.version, built, 600), KEY, None)

    assert result.update is not None, result.failure
    [sent] = [entry for entry in simulator.world.log if entry["method"] == "POST"][-1:]
    _, _, own_model = model.version.partition(":")
    renamed = {name: rule.to for name, rule in model.map.items()}
    assert {part["name"]: part["filename"] or part["value"] for part in sent["body"]} == {
        **received(values, renamed),
        **({"model": own_model} if own_model else {}),
    }
    update = result.update
    assert update.status.final is client.adapter.is_synchronous(model.version)
    identity = update.provider_job_id
    while not update.status.final and identity is not None:
        update = client.poll(RemoteJob(identity, model.version), KEY)
    assert update.status is RemoteStatus.SUCCEEDED
    with update.blobs[0].open() as file:
        assert sniff(file.read(4096), model.media_type) is not None


@pytest.mark.parametrize(
    ("model_id", "values", "path"),
    [
        ("stability-ultra", {"prompt": "a", "image": PICTURE}, "parameters.strength"),
        ("stability-core", {"prompt": "a", "image": PICTURE}, "parameters.image"),
        (
            "stability-ultra",
            {"prompt": "a", "image": "https://e.org/a.png", "strength": 1},
            "parameters.image",
        ),
        ("stability-sd3.5-large", {"prompt": "a", "image": PICTURE, "strength": 1}, "parameters.mode"),
        ("stability-sd3.5-large", {"prompt": "a", "mode": "image-to-image"}, "parameters.image"),
        (
            "stability-sd3.5-large",
            {"prompt": "a", "mode": "image-to-image", "image": PICTURE, "strength": 1, "aspect_ratio": "1:1"},
            "parameters.aspect_ratio",
        ),
        ("stability-relight", {"image": PICTURE}, "parameters.background_prompt"),
        (
            "stability-relight",
            {"image": PICTURE, "background_prompt": "a", "light_source_strength": 1},
            "parameters.light_source_strength",
        ),
        ("stability-audio-2.5", {"prompt": "a", "duration": 191}, "parameters.duration"),
    ],
)
def test_what_stability_would_refuse_is_refused_before_it_is_sent(
    model_id: str, values: Mapping[str, Any], path: str
) -> None:
    model = CATALOGUE.get_model_config(model_id)
    with pytest.raises(InvalidParametersError) as refused:
        validate_parameters(model, values)
    assert [error.path for error in refused.value.errors] == [path]
