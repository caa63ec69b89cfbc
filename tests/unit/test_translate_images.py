"""The pictures of standard requests are sent as a model's own parameters, told of, or refused by name."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from lib.domain.alternative import plan_alternatives, standard_alternative
from lib.domain.catalogue import load_models_config
from lib.domain.media_type import MediaType
from lib.domain.model_config import ModelConfig
from lib.domain.model_ranges import field_ranges
from lib.domain.parameter_schema import MEDIA_URI
from lib.domain.pricing import UnpricedModels
from lib.domain.standard_fields import FIELDS
from lib.domain.standard_request import StandardRequest, read_standard_request
from lib.domain.translate import Translation, translate
from lib.domain.who_can import with_hints
from lib.stores.models_source import load_catalogue

CATALOGUE = load_catalogue("config/models")
MODELS = list(CATALOGUE)
PNG = "data:image/png;base64,iVBORw0KGgo="
OTHER_PNG = "data:image/png;base64,AAECAwQFBgc="
ADDRESS = "https://example.com/a.png"
OF_THEIR_OWN = {
    "mask": "says where a picture is changed, and is no use without its size",
    "reference_images": "of Veo, which forbids them beside a first frame",
    "background_reference": "of one model alone",
    "light_reference": "of one model alone",
    "video": "no picture",
    "input_audio": "no picture",
}
"""Media parameters that no standard field stands for, and why."""
IMAGE_FIELDS = {one.name for fields in FIELDS.values() for one in fields if one.is_image}


def media_parameters(model: ModelConfig) -> Iterator[str]:
    """The parameters that take media, alone or inside."""
    for name, schema in model.params.items():
        if MEDIA_URI in json.dumps(schema):
            yield name


def image_rules(model: ModelConfig) -> Mapping[str, str]:
    """The fields for pictures that the model has, and their parameters."""
    return {name: str(rule.to) for name, rule in model.standard.items() if name in IMAGE_FIELDS}


def request_of(model: ModelConfig, **given: Any) -> StandardRequest:
    """A request in a shape that the model takes, for those of a picture's own shape any."""
    rule = model.standard.get("aspect_ratio")
    pairs = (*rule.values, *rule.set) if rule else ()
    least = {"prompt": "a cat", "aspectRatio": pairs[0][0] if pairs else "16:9"}
    if model.media_type is MediaType.VIDEO:
        least["motionIntensity"] = 5
    return read_standard_request(model.media_type, {**least, **given})


def pictures(model: ModelConfig, one: str = PNG) -> dict[str, Any]:
    """A value for every field for pictures that the model has."""
    return {name: [one] if name == "images" else one for name in image_rules(model)}


READERS = [model for model in MODELS if image_rules(model)]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_each_picture_that_a_model_reads_has_a_field_or_a_reason(model: ModelConfig) -> None:
    written = set(image_rules(model).values())

    assert set(media_parameters(model)) - written <= OF_THEIR_OWN.keys()


@pytest.mark.parametrize("model", READERS, ids=lambda model: model.id)
def test_each_picture_is_what_the_models_own_parameter_holds(model: ModelConfig) -> None:
    found = translate(request_of(model, **pictures(model)), model)

    assert found.errors == ()
    assert found.given is not None
    for field, name in image_rules(model).items():
        sent = found.given[name]
        item = model.standard[field].item
        assert sent in (PNG, [PNG], [{item: PNG}])
        assert found.carried[field][0] == name


@pytest.mark.parametrize("model", READERS, ids=lambda model: model.id)
def test_an_address_is_sent_or_refused_where_the_provider_fetches_none(model: ModelConfig) -> None:
    found = translate(request_of(model, **pictures(model, ADDRESS)), model)

    if found.possible:
        assert found.given is not None
        assert ADDRESS in json.dumps(found.given)
    else:
        assert {error.path.rpartition(".")[2] for error in found.errors} <= {"image", "lastImage", "images"}
        assert all("must be a data: URL" in error.message for error in found.errors)


@pytest.mark.parametrize(
    "model",
    [model for model in READERS if {*image_rules(model).values()} & {*model.needed}],
    ids=lambda model: model.id,
)
def test_a_model_that_needs_a_picture_asks_for_it_by_the_fields_name(model: ModelConfig) -> None:
    request = request_of(model)
    refused = translate(request, model)

    (error,) = with_hints(refused, request, CATALOGUE)

    assert error.path in ("request.image", "request.images")
    assert f"is required by {model.id}. Models that do without: " in error.message
    assert [one.field for one in field_ranges(model) if one.required] == [error.path.removeprefix("request.")]


@pytest.mark.parametrize(
    "model",
    [
        model
        for model in MODELS
        if model.media_type in (MediaType.IMAGE, MediaType.VIDEO) and model not in READERS
    ],
    ids=lambda model: model.id,
)
def test_a_model_that_reads_no_picture_refuses_one_and_names_those_that_can(model: ModelConfig) -> None:
    field = "image" if model.media_type is MediaType.VIDEO else "images"
    request = request_of(model, **{field: PNG if field == "image" else [PNG]})

    (error,) = with_hints(translate(request, model), request, CATALOGUE)

    assert error.path == f"request.{field}"
    assert f"is nothing that {model.id} can be told. Models that can: " in error.message


def of(model_id: str, **given: Any) -> Translation:
    """The request for this model of the catalogue."""
    model = CATALOGUE.get_model_config(model_id)
    return translate(request_of(model, **given), model)


@pytest.mark.parametrize(
    ("model_id", "count", "words"),
    [
        ("sdxl", 2, "Image: sdxl takes one, not 2"),
        ("runway-gen4-image", 4, "Image for runway-gen4-image must have at most 3 item(s), not 4"),
    ],
)
def test_more_pictures_than_a_model_reads_are_refused(model_id: str, count: int, words: str) -> None:
    (error,) = of(model_id, images=[ADDRESS] * count).errors

    assert (error.path, error.message) == ("request.images", words)


def test_a_picture_that_was_given_alone_is_not_counted_in_a_refusal() -> None:
    (alone,) = of("gemini-omni-1.1-flash", image=ADDRESS).errors
    assert alone.message.startswith("Image for gemini-omni-1.1-flash must be a data: URL")
    (second,) = of("gpt-image-1.5", images=[PNG, ADDRESS]).errors
    assert second.message.startswith("Image[1] for gpt-image-1.5 must be a data: URL")


def test_the_shape_that_a_picture_decides_is_told() -> None:
    found = of("sdxl", images=[ADDRESS], aspectRatio="7:5", resolution="700x500")

    assert found.given == {"prompt": "a cat", "image": ADDRESS}
    assert found.warnings == (
        "aspectRatio: 7:5 is not honoured: with an image the model keeps the image's size.",
        "resolution: 700x500 is not honoured: with an image the model keeps the image's size.",
    )
    assert of("sdxl", aspectRatio="7:5").errors


def test_what_is_set_beside_a_picture_is_told() -> None:
    found = of("stability-sd3.5-large", images=[PNG])

    assert found.given is not None
    assert (found.given["mode"], found.given["strength"]) == ("image-to-image", 0.5)
    assert "aspect_ratio" not in found.given
    assert any(warning.startswith("images: strength 0.5 was sent") for warning in found.warnings)


def test_a_last_image_without_a_first_is_refused() -> None:
    (error,) = of("veo-3.1-generate-001", lastImage=PNG).errors

    assert error.path == "request.lastImage"
    assert "is given with image, the first frame" in error.message


def test_the_frames_stay_in_their_places() -> None:
    found = of("veo-3.1-generate-001", image=PNG, lastImage=OTHER_PNG)

    assert found.given is not None
    assert (found.given["image"], found.given["last_frame"]) == (PNG, OTHER_PNG)


def test_a_fallback_is_sent_the_picture_too() -> None:
    model = CATALOGUE.get_model_config("runway-gen4.5-image")
    request = request_of(model, image=ADDRESS)
    first = standard_alternative(translate(request, model), UnpricedModels.ALLOWED)

    (second,) = plan_alternatives(CATALOGUE, model, request, first.quote)

    assert second.model.id == "runway-gen4-turbo"
    assert second.input["promptImage"] == ADDRESS


def test_a_fallback_that_reads_no_picture_is_not_planned() -> None:
    model = CATALOGUE.get_model_config("stability-ultra")
    request = request_of(model, images=[PNG], aspectRatio="16:9")
    first = standard_alternative(translate(request, model))

    found = [one.model.id for one in plan_alternatives(CATALOGUE, model, request, first.quote)]

    assert found == ["stability-sd3.5-large"]


def test_a_model_without_schemas_is_sent_pictures_as_the_field_is() -> None:
    entry = {
        "version": "owner/name",
        "estimatedTime": 5,
        "supportedParams": ["prompt", "ratio", "pictures"],
        "standard": {
            "prompt": {"to": "prompt"},
            "aspect_ratio": {"to": "ratio"},
            "images": {"to": "pictures"},
        },
    }
    model = load_models_config(json.dumps({"image": {"one": entry}})).get_model_config("one")

    found = translate(request_of(model, images=[ADDRESS, PNG]), model)

    assert found.given == {"prompt": "a cat", "ratio": "16:9", "pictures": [ADDRESS, PNG]}


def test_the_range_of_pictures_is_how_many_and_what_they_decide_is_ignored() -> None:
    def ranges(model_id: str) -> dict[str, tuple[str, float | None]]:
        return {
            one.field: (one.how, one.maximum) for one in field_ranges(CATALOGUE.get_model_config(model_id))
        }

    assert ranges("runway-gen4-image")["images"] == ("exact", 3)
    assert ranges("sdxl")["images"] == ("exact", 1)
    assert ranges("gemini-omni-1.1-flash")["image"] == ("exact", 1)
    assert ranges("sdxl")["aspectRatio"][0] == "exact"
    assert ranges("stability-upscale-creative")["aspectRatio"][0] == "ignored"
