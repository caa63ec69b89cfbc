"""A standard request becomes a model's parameters by the rules of its entry; what it cannot do is refused by name."""

import json
from typing import Any

import pytest

from lib.domain.catalogue import Catalogue, load_models_config
from lib.domain.media_type import MediaType
from lib.domain.standard_request import read_standard_request
from lib.domain.translate import Translation, translate
from lib.domain.who_can import with_hints

ENTRY: dict[str, Any] = {
    "version": "owner/name",
    "pricing": 0.1,
    "estimatedTime": 5,
    "required": ["text"],
    "params": {
        "text": {"type": "string", "maxLength": 40},
        "ratio": {"enum": ["1280:720", "720:1280"]},
        "bucket": {"type": "integer", "minimum": 1, "maximum": 255},
        "strength": {"type": "number", "minimum": 0, "maximum": 1},
        "seconds": {"enum": ["4", "8"]},
        "length": {"type": "integer", "minimum": 2, "maximum": 20, "multipleOf": 4},
        "size": {"enum": ["720p", "1080p", "4k"]},
        "pixels": {"enum": ["1280x720", "1920x1080"]},
        "width": {"type": "integer", "maximum": 1280},
        "height": {"type": "integer"},
        "draft": {"type": "boolean"},
        "seed": {"type": "integer", "minimum": 0, "maximum": 4294967295},
    },
    "standard": {
        "prompt": {"to": "text"},
        "aspect_ratio": {"to": "ratio", "values": [["16:9", "1280:720"], ["9:16", "720:1280"]]},
        "motion_intensity": {"to": "bucket", "scale": [1, 10, 1, 255]},
    },
}
REQUEST: dict[str, Any] = {"prompt": "a cat", "aspectRatio": "16:9", "motionIntensity": 1}


def catalogue(**models: dict[str, Any]) -> Catalogue:
    """Video models with these rules more than `ENTRY` has; None takes one away."""
    entries = {}
    for name, rules in models.items():
        standard = {**ENTRY["standard"], **rules}
        entries[name] = {
            **ENTRY,
            "standard": {field: rule for field, rule in standard.items() if rule is not None},
        }
    return load_models_config(json.dumps({"video": entries}))


def translated(rules: dict[str, Any], **request: Any) -> Translation:
    """The request for a model with these rules."""
    model = catalogue(one=rules).get_model_config("one")
    return translate(read_standard_request(MediaType.VIDEO, {**REQUEST, **request}), model)


def test_a_value_is_written_as_it_is_or_by_its_pair() -> None:
    found = translated({"seed": {"to": "seed"}}, seed=7)

    assert found.given == {"text": "a cat", "ratio": "1280:720", "bucket": 1, "seed": 7}
    assert found.parameters is not None


def test_a_scaled_value_is_rounded_to_the_parameters_type_and_told() -> None:
    found = translated({}, motionIntensity=7)

    assert found.given is not None
    assert found.given["bucket"] == 170
    assert found.warnings == ("motionIntensity: 7 of 1 to 10 was sent to one as bucket 170.",)


def test_a_scale_to_a_number_keeps_its_fraction() -> None:
    rule = {"motion_intensity": {"to": "strength", "scale": [1, 10, 0, 1]}}

    assert translated(rule, motionIntensity=5.5).given == {
        "text": "a cat",
        "ratio": "1280:720",
        "strength": 0.5,
    }


@pytest.mark.parametrize(
    ("rule", "asked", "sent", "told"),
    [
        ({"to": "seconds", "nearest": True}, 15, "8", "duration: 15 s asked, 8 s is what one makes."),
        ({"to": "seconds", "nearest": True}, 6, "4", "duration: 6 s asked, 4 s is what one makes."),
        ({"to": "seconds", "nearest": True}, 8, "8", None),
        ({"to": "length", "nearest": True}, 120, 20, "duration: 120 s asked, 20 s is what one makes."),
        ({"to": "length", "nearest": True}, 1, 4, "duration: 1 s asked, 4 s is what one makes."),
        ({"to": "length", "nearest": True}, 7.5, 8, "duration: 7.5 s asked, 8 s is what one makes."),
        ({"to": "length", "nearest": True}, 12, 12, None),
        (
            {"to": "seconds", "values": [[4, "4"], [8, "8"]], "nearest": True},
            9,
            "8",
            "duration: 9 s asked, 8 s is what one makes.",
        ),
        (
            {"to": "seconds", "values": [[8, "8"], [4, "4"]], "nearest": True},
            6,
            "4",
            "duration: 6 s asked, 4 s is what one makes.",
        ),
    ],
)
def test_a_number_that_cannot_be_had_becomes_the_nearest_and_that_is_told(
    rule: dict[str, Any], asked: float, sent: Any, told: str | None
) -> None:
    found = translated({"duration": rule}, duration=asked)

    assert found.given is not None
    assert found.given[rule["to"]] == sent
    assert [warning for warning in found.warnings if "duration" in warning] == ([told] if told else [])


def test_a_style_is_written_into_the_prompt_and_told() -> None:
    found = translated({"style": {"append": "text", "text": ", {value} style"}}, style="noir")

    assert found.given is not None
    assert found.given["text"] == "a cat, noir style"
    assert any(warning.startswith('style: "noir" was written into text') for warning in found.warnings)


def test_a_hint_that_is_not_honoured_is_told_with_the_reason() -> None:
    found = translated({"fps": {"ignore": "the model decides the frame rate"}}, fps=24)

    assert "fps: 24 is not honoured: the model decides the frame rate." in found.warnings


@pytest.mark.parametrize(
    ("asked", "parameter", "sent"),
    [
        ("720p", "size", "720p"),
        ("1280x720", "size", "720p"),
        ("1920x1080", "size", "1080p"),
        ("4K", "size", "4k"),
        ("3840x2160", "size", "4k"),
        ("2160p", "size", "4k"),
        ("720p", "pixels", "1280x720"),
        ("1920X1080", "pixels", "1920x1080"),
    ],
)
def test_a_resolution_is_known_by_any_of_its_names(asked: str, parameter: str, sent: str) -> None:
    found = translated({"resolution": {"to": parameter}}, resolution=asked)

    assert found.given is not None
    assert found.given[parameter] == sent


def test_a_resolution_becomes_a_width_and_a_height_and_takes_the_place_of_the_shapes() -> None:
    rules = {
        "aspect_ratio": {"set": [["16:9", {"width": 1024, "height": 576}]]},
        "resolution": {"pixels": ["width", "height"]},
    }
    by_shape = translated(rules).given
    by_pixels = translated(rules, resolution="720p").given

    assert by_shape is not None
    assert by_pixels is not None
    assert (by_shape["width"], by_shape["height"]) == (1024, 576)
    assert (by_pixels["width"], by_pixels["height"]) == (1280, 720)


@pytest.mark.parametrize(
    ("rules", "request_", "path", "words"),
    [
        ({}, {"duration": 5}, "request.duration", "Duration is nothing that one can be told"),
        (
            {},
            {"aspectRatio": "1:1"},
            "request.aspectRatio",
            "Aspect ratio 1:1 is not possible with one: it makes 16:9, 9:16",
        ),
        (
            {"duration": {"to": "seconds"}},
            {"duration": 5},
            "request.duration",
            "Duration 5 s is not possible with one: it makes 4, 8",
        ),
        (
            {"resolution": {"to": "size"}},
            {"resolution": "360p"},
            "request.resolution",
            "it makes 720p, 1080p, 4k",
        ),
        (
            {"resolution": {"pixels": ["width", "height"]}},
            {"resolution": "1080p"},
            "request.resolution",
            "width must be at most 1280, not 1920",
        ),
        (
            {"resolution": {"pixels": ["width", "height"]}},
            {"resolution": "2k"},
            "request.resolution",
            "Resolution 2k has no pixels that one could be told: write it as 1280x720",
        ),
        (
            {"seed": {"to": "bucket"}},
            {"seed": 300},
            "request.seed",
            "Seed must be at most 255, not 300 with one",
        ),
        ({"quality": {"only": ["high"]}}, {"quality": "low"}, "request.quality", "it makes high"),
        (
            {"style": {"append": "text"}},
            {"style": "a" * 60},
            "request.prompt",
            "one: text must have at most 40 character(s)",
        ),
        (
            {"fps": {"to": "length", "nearest": True}, "duration": {"to": "length", "nearest": True}},
            {"fps": 20, "duration": 8},
            "request.fps",
            "would make length 20 and Duration 8 of one: give one of them",
        ),
    ],
)
def test_what_a_model_cannot_do_is_refused_by_name(
    rules: dict[str, Any], request_: dict[str, Any], path: str, words: str
) -> None:
    found = translated(rules, **request_)

    assert found.possible is False
    assert [error.path for error in found.errors] == [path]
    assert words in found.errors[0].message


def test_two_fields_that_agree_on_a_parameter_do_not_contradict_each_other() -> None:
    rules = {"fps": {"to": "length", "nearest": True}, "duration": {"to": "length", "nearest": True}}

    found = translated(rules, fps=20, duration=20)

    assert found.given is not None
    assert found.given["length"] == 20


def test_what_the_model_makes_anyway_needs_nothing_and_no_word() -> None:
    found = translated({"quality": {"only": ["high"]}}, quality="high")

    assert found.possible
    assert found.carried["quality"] == ()
    assert not any("quality" in warning for warning in found.warnings)


def test_a_required_parameter_that_no_field_gave_is_asked_for_by_the_fields_name() -> None:
    entry = {
        **ENTRY,
        "required": ["text", "seconds"],
        "standard": {**ENTRY["standard"], "duration": {"to": "seconds"}},
    }
    model = load_models_config(json.dumps({"video": {"one": entry}})).get_model_config("one")

    found = translate(read_standard_request(MediaType.VIDEO, REQUEST), model)

    assert [error.path for error in found.errors] == ["request.duration"]
    assert "is required by one" in found.errors[0].message


def test_a_model_without_rules_takes_no_standard_requests() -> None:
    entry = {key: value for key, value in ENTRY.items() if key != "standard"}
    model = load_models_config(json.dumps({"video": {"one": entry}})).get_model_config("one")

    found = translate(read_standard_request(MediaType.VIDEO, REQUEST), model)

    assert [error.path for error in found.errors] == ["request"]
    assert "send `parameters`" in found.errors[0].message


def test_a_model_takes_no_requests_of_another_media_type() -> None:
    model = catalogue(one={}).get_model_config("one")

    found = translate(
        read_standard_request(MediaType.IMAGE, {"prompt": "a cat", "aspectRatio": "16:9"}), model
    )

    assert [error.path for error in found.errors] == ["request"]
    assert "one takes no standard image requests" in found.errors[0].message


def test_a_refusal_names_the_models_that_can() -> None:
    models = catalogue(
        one={}, two={"seed": {"to": "seed"}}, three={"seed": {"to": "seed"}, "fps": {"ignore": "it is fixed"}}
    )
    request = read_standard_request(MediaType.VIDEO, {**REQUEST, "seed": 1, "fps": 24, "duration": 5})
    refused = translate(request, models.get_model_config("one"))

    found = {error.path: error.message for error in with_hints(refused, request, models)}

    assert found["request.seed"].endswith("Models that can: two, three.")
    assert found["request.fps"].endswith("Models that can: three.")
    assert found["request.duration"].endswith("No other model can either.")
