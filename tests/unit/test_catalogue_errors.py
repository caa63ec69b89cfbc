"""A wrong catalogue is refused as a whole, with the path of every wrong value."""

import json
from typing import Any

import pytest

from lib.domain.catalogue import load_models_config
from lib.domain.errors import ConfigurationError

PRICE = {"source": ["a price list"], "verifiedOn": "2026-01-01"}


def entry(**changes: Any) -> dict[str, Any]:
    """A right entry with these changes; None takes a key away."""
    right: dict[str, Any] = {
        "version": "owner/name",
        "pricing": 0.1,
        "estimatedTime": 5,
        "params": {
            "prompt": {"type": "string"},
            "steps": {"type": "integer", "minimum": 1, "maximum": 4},
            "size": {"enum": ["s", "m"]},
        },
    }
    return {key: value for key, value in {**right, **changes}.items() if value is not None}


def errors_of(document: Any) -> dict[str, str]:
    """The errors of a document by path; nothing when it loads."""
    try:
        load_models_config(document if isinstance(document, str) else json.dumps(document))
    except ConfigurationError as error:
        return {found.path: found.message for found in error.errors} or {"": error.message}
    return {}


def test_a_right_entry_loads() -> None:
    assert errors_of({"image": {"one": entry()}}) == {}


def test_all_that_breaks_the_schema_is_told_at_once_with_its_path() -> None:
    document = {
        "image": {
            "one": entry(version=7, estimatedTime=-1),
            "two": entry(pricing={"type": "per_image", "amount": 0.01, **PRICE}),
            "three": entry(params={"steps": {"type": "integer", "minimun": 1}}),
            "Four!": entry(),
        },
        "smell": {},
    }

    found = errors_of(document)

    assert set(found) == {
        "$",
        "image",
        "image.one.version",
        "image.one.estimatedTime",
        "image.two.pricing.amount",
        "image.three.params.steps",
    }
    assert "smell" in found["$"]
    assert "Four!" in found["image"]
    assert "minimun" in found["image.three.params.steps"]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"version": None}, "one"),
        ({"version": "no slash"}, "one.version"),
        ({"version": "owner/name:abc"}, "one.version"),
        ({"version": "owner/name:" + "a" * 64, "official": True}, "one.version"),
        ({"version": "owner/name", "official": False}, "one.version"),
        ({"estimatedTime": 0}, "one.estimatedTime"),
        ({"pricing": -1}, "one.pricing"),
        ({"pricing": "0.1"}, "one.pricing"),
        ({"pricing": {"type": "per_mood", "amount": "1", **PRICE}}, "one.pricing.type"),
        ({"pricing": {"type": "fixed", **PRICE}}, "one.pricing"),
        ({"pricing": {"type": "fixed", "amount": "1"}}, "one.pricing"),
        ({"pricing": {"type": "fixed", "amount": "-1", **PRICE}}, "one.pricing.amount"),
        ({"pricing": {"type": "per_second", "amount": "1", **PRICE}}, "one.pricing"),
        ({"pricing": {"type": "per_second", "amount": "1", "frames": "steps", **PRICE}}, "one.pricing"),
        ({"pricing": {"type": "by_resolution", "resolution": "size", **PRICE}}, "one.pricing"),
        ({"params": None}, "one"),
        ({"params": {"a": {"$ref": "https://example.com/schema"}}}, "one.params.a"),
        ({"map": {"prompt": {"values": []}}}, "one.map.prompt"),
        ({"fallbacks": "one"}, "one.fallbacks"),
        ({"price": 1}, "one"),
    ],
)
def test_a_value_of_the_wrong_form_is_refused_at_its_path(changes: dict[str, Any], path: str) -> None:
    assert f"image.{path}" in errors_of({"image": {"one": entry(**changes)}})


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"supportedParams": ["prompt"]}, "params.steps", "supportedParams"),
        (
            {"supportedParams": ["prompt", "steps", "size", "more"]},
            "supportedParams",
            "more has no schema",
        ),
        ({"required": ["promt"]}, "required", "promt"),
        ({"defaults": {"speed": 1}}, "defaults", "speed"),
        ({"defaults": {"steps": 5}}, "defaults.steps", "at most 4"),
        ({"params": {"a": {"type": "integer", "default": "x"}}}, "params.a.default", '"x"'),
        (
            {"params": {"a": {"type": "integer", "default": 1}}, "defaults": {"a": 2}},
            "params.a.default",
            "differs",
        ),
        ({"params": {"a": {"pattern": "("}}}, "params.a.pattern", "regular expression"),
        ({"map": {"speed": "fast"}}, "map", "speed"),
        ({"map": {"steps": "prompt"}}, "map.steps", "prompt"),
        ({"map": {"size": {"to": "format", "values": [["s", 1]]}}}, "map.size.values", '"m"'),
        (
            {"pricing": {"type": "per_image", "amount": "1", "count": "steps", **PRICE}},
            "pricing",
            "steps, which is neither",
        ),
        ({"pricing": {"type": "per_image", "amount": "1", "count": "n", **PRICE}}, "pricing", "n"),
        (
            {
                "required": ["size"],
                "pricing": {"type": "by_resolution", "resolution": "size", "amounts": {"s": "1"}, **PRICE},
            },
            "pricing.amounts",
            '"m"',
        ),
        ({"rules": [{"path": "speed", "message": "no", "schema": {}}]}, "rules", "speed"),
    ],
)
def test_an_entry_that_contradicts_itself_is_refused(changes: dict[str, Any], path: str, words: str) -> None:
    found = errors_of({"image": {"one": entry(**changes)}})

    assert words in found[f"image.one.{path}"]


def test_sizes_must_set_parameters_that_there_are_to_values_that_they_take() -> None:
    option = {"width": 8, "height": 8, "ratio": "1:1", "set": {"size": "xl", "shape": "square"}}
    sizes = {"width": "w", "height": "steps", "options": [option]}

    found = errors_of({"image": {"one": entry(sizes=sizes, defaults={"steps": 1})}})

    assert set(found) == {
        "image.one.sizes",
        "image.one.sizes.options.0.set",
        "image.one.sizes.options.0.set.size",
    }


def test_a_model_id_is_taken_once_over_all_media_types() -> None:
    found = errors_of({"image": {"one": entry()}, "video": {"one": entry()}})

    assert found == {
        "video.one": "the id is taken by a model of image: ids are unique over all media types and files"
    }


def test_a_key_that_stands_twice_is_refused_rather_than_overwritten() -> None:
    one = json.dumps(entry())

    assert "'one' stands twice" in errors_of(f'{{"image": {{"one": {one}, "one": {one}}}}}')[""]


def test_a_fallback_must_be_another_model_of_the_same_media_type() -> None:
    document = {
        "image": {"one": entry(fallbacks=["two", "one", "three", "four"]), "two": entry()},
        "video": {"three": entry()},
    }

    assert errors_of(document) == {
        "image.one.fallbacks.1": "a model is no fallback of itself",
        "image.one.fallbacks.2": "three makes video, not image",
        "image.one.fallbacks.3": "there is no model 'four'; known: one, two, three",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"image": {"one": {"pricing": NaN}}}', "NaN is not a JSON number"),
        ("[" * 200_000, "not JSON"),
    ],
)
def test_what_is_no_json_object_is_refused(text: str, words: str) -> None:
    assert words in errors_of(text)[""]


def test_another_provider_names_its_models_as_it_likes() -> None:
    assert errors_of({"video": {"one": entry(provider="runway", version="gen4_turbo")}}) == {}


def test_the_message_names_every_error() -> None:
    text = json.dumps({"image": {"one": entry(version=7), "two": entry(estimatedTime=0)}})

    with pytest.raises(ConfigurationError, match=r"image\.one\.version.*image\.two\.estimatedTime"):
        load_models_config(text)
