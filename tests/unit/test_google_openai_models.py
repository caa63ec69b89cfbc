"""Google's and OpenAI's models in the catalogue: what they cost, and that all they declare is sent."""

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from lib.domain.catalogue import Catalogue
from lib.domain.errors import InvalidParametersError, UnknownPriceError
from lib.domain.http_exchange import HttpRequest
from lib.domain.media_type import MediaType
from lib.domain.model_config import ModelConfig
from lib.domain.model_input import build_input
from lib.domain.parameters import validate_parameters
from lib.domain.pricing import quote
from lib.domain.provider import Credential, Submission
from lib.providers.registry import load_adapter
from lib.stores.models_source import load_catalogue
from tests.fakes.google_keys import key_file

PROVIDERS = ("google_veo", "gemini", "openai")
IMAGE = "data:image/png;base64,iVBORw0KGgo="
VIDEO = "data:video/mp4;base64,AAAAGGZ0eXA="
SENT_MEDIA = {IMAGE: "iVBORw0KGgo=", VIDEO: "AAAAGGZ0eXA="}
WITH: Mapping[str, dict[str, Any]] = {
    "last_frame": {"image": IMAGE},
    "mask": {"images": [IMAGE]},
    "input_fidelity": {"images": [IMAGE]},
    "output_compression": {"output_format": "webp"},
    "background": {"output_format": "webp"},
}
"""What some parameters are only given with."""


@cache
def catalogue() -> Catalogue:
    return load_catalogue("config/models")


def models() -> list[ModelConfig]:
    every = [catalogue().get_model_config(one) for one in catalogue().ids()]
    return [model for model in every if model.provider in PROVIDERS]


def samples(name: str, schema: Mapping[str, Any]) -> list[Any]:
    """Values of a parameter that tell on the wire: each of an enum, both ends of a range."""
    if name in ("images", "reference_images"):
        return [[IMAGE]]
    if schema.get("format") == "media-uri":
        return [VIDEO if name == "video" else IMAGE]
    if schema["type"] == "boolean":
        return [True, False]
    if "enum" in schema:
        return list(schema["enum"])
    if "minimum" in schema:
        return [schema["minimum"], schema["maximum"]]
    return ["v1_abc" if "pattern" in schema else "a red fox, café"]


CASES = [
    pytest.param(model.id, name, value, id=f"{model.id}-{name}-{str(value)[:20]}")
    for model in models()
    for name, schema in model.params.items()
    for value in samples(name, schema)
]


def request_for(model: ModelConfig, given: Mapping[str, Any]) -> HttpRequest:
    values = build_input(model, validate_parameters(model, dict(given)))
    key = Credential(model.provider, key_file(), extra={"accessToken": "ya29.token"})
    submission = Submission("j1", 1, model.version, values, 600)
    return load_adapter(model.provider).submit_request(submission, key, None)


def leaves(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def field_of(body: Any, name: str) -> list[Any]:
    """All that stands under a name, however deep."""
    if isinstance(body, Mapping):
        found = [leaf for key, value in body.items() if key == name for leaf in leaves(value)]
        return found + [leaf for value in body.values() for leaf in field_of(value, name)]
    return [leaf for item in body for leaf in field_of(item, name)] if isinstance(body, list) else []


def received(request: HttpRequest, name: str) -> list[Any]:
    """What the provider receives under a name: in its JSON, or as parts of a form."""
    if request.parts:
        return [part.value for part in request.parts if part.name.removesuffix("[]") == name]
    return field_of(request.json_body, name)


@pytest.mark.parametrize(("model_id", "name", "value"), CASES)
def test_every_declared_parameter_is_what_the_provider_receives(model_id: str, name: str, value: Any) -> None:
    model = catalogue().get_model_config(model_id)
    required = {"text" if "text" in model.params else "prompt": "a red fox, café"}

    request = request_for(model, {**required, **WITH.get(name, {}), name: value})

    target = (model.map[name].to if name in model.map else name).rpartition(".")[2]
    sent = value[0] if isinstance(value, list) else value
    if model.provider == "gemini" and target in ("prompt", "image", "video"):
        target = "input"
    if name == "duration" and model.provider == "gemini":
        sent = f"{value}s"
    if name in ("compression_quality", "resize_mode"):
        sent = str(value).upper()
    if sent in SENT_MEDIA:
        found = received(request, target)
        assert SENT_MEDIA[sent] in found or b"\x89PNG\r\n\x1a\n" in found
    else:
        expected = [sent, json.dumps(sent)] if request.parts else [sent]
        assert any(one in expected and type(one) in (type(sent), str) for one in received(request, target))


@pytest.mark.parametrize(
    ("model_id", "parameters", "amount"),
    [
        ("veo-3.1-generate-001", {}, "3.20"),
        ("veo-3.1-generate-001", {"generate_audio": False, "duration": 4}, "0.80"),
        ("veo-3.1-generate-001", {"resolution": "4k", "sample_count": 2}, "9.60"),
        ("veo-3.1-fast-generate-001", {"resolution": "1080p"}, "0.96"),
        ("veo-3.1-lite-generate-001", {"duration": 6}, "0.30"),
        ("gemini-omni-1.1-flash", {"duration": 10}, "1.014"),
        ("gpt-image-1.5", {"quality": "high", "n": 2}, "0.266005"),
        ("gpt-image-1.5", {"size": "1024x1536", "images": [IMAGE, IMAGE]}, "0.151005"),
        ("gpt-image-1-mini", {"quality": "low"}, "0.005002"),
        ("gpt-image-2", {"size": "1536x1024", "quality": "high"}, "0.165005"),
        ("tts-1", {"text": "x" * 4000}, "0.06"),
        ("tts-1-hd", {"text": "x" * 4000}, "0.12"),
    ],
)
def test_the_models_cost_what_their_source_says(
    model_id: str, parameters: dict[str, Any], amount: str
) -> None:
    model = catalogue().get_model_config(model_id)
    given = parameters if "text" in parameters else {"prompt": "x", **parameters}
    assert quote(model, validate_parameters(model, given)).amount == Decimal(amount)


def test_a_price_by_tokens_of_audio_is_not_known() -> None:
    model = catalogue().get_model_config("gpt-4o-mini-tts")
    with pytest.raises(UnknownPriceError):
        quote(model, validate_parameters(model, {"text": "hello"}))


@pytest.mark.parametrize(
    ("model_id", "parameters", "path"),
    [
        ("veo-3.1-generate-001", {"resolution": "1080p", "duration": 4}, "duration"),
        ("veo-3.1-generate-001", {"last_frame": IMAGE}, "last_frame"),
        ("veo-3.1-generate-001", {"reference_images": [IMAGE], "aspect_ratio": "9:16"}, "reference_images"),
        ("veo-3.1-lite-generate-001", {"resolution": "4k"}, "resolution"),
        ("veo-3.1-lite-generate-001", {"reference_images": [IMAGE]}, "reference_images"),
        ("veo-3.1-fast-generate-001", {"image": "https://example.com/a.png"}, "image"),
        ("gpt-image-1.5", {"mask": IMAGE}, "mask"),
        ("gpt-image-2", {"size": "2048x2048"}, "size"),
        ("gpt-image-1-mini", {"output_compression": 50}, "output_compression"),
    ],
)
def test_what_a_model_cannot_do_is_refused_by_name(
    model_id: str, parameters: dict[str, Any], path: str
) -> None:
    model = catalogue().get_model_config(model_id)
    with pytest.raises(InvalidParametersError) as raised:
        validate_parameters(model, {"prompt": "x", **parameters})
    assert [error.path for error in raised.value.errors] == [f"parameters.{path}"]


def test_a_fallback_never_costs_more() -> None:
    for model in models():
        for other in map(catalogue().get_model_config, model.fallbacks):
            assert other.media_type is model.media_type
            required = {"prompt": "x"}
            ours, theirs = (
                quote(one, validate_parameters(one, dict(required))).amount for one in (model, other)
            )
            assert theirs <= ours


def test_speech_says_when_it_ends() -> None:
    speech = [model for model in models() if model.media_type is MediaType.AUDIO]
    assert len(speech) == 3
    assert all("6 January 2027" in str(model.description) for model in speech)
