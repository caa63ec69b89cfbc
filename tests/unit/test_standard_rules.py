"""A rule of `standard` that contradicts its entry, or the fields of its media type, is an error with its path."""

import json
from typing import Any

import pytest

from lib.domain.catalogue import load_models_config
from lib.domain.errors import ConfigurationError

RULES: dict[str, Any] = {
    "prompt": {"to": "prompt"},
    "aspect_ratio": {"to": "ratio"},
    "motion_intensity": {"to": "motion", "scale": [1, 10, 1, 255]},
}
PARAMS: dict[str, Any] = {
    "prompt": {"type": "string"},
    "ratio": {"enum": ["16:9", "9:16"]},
    "motion": {"type": "integer", "minimum": 1, "maximum": 255},
    "seconds": {"enum": [5, 10]},
    "width": {"type": "integer"},
    "loop": {"type": "boolean"},
    "frame": {"type": "string", "format": "media-uri"},
    "frames": {
        "type": "array",
        "items": {"type": "object", "properties": {"uri": {"type": "string", "format": "media-uri"}}},
    },
}


def errors_of(standard: dict[str, Any], **entry: Any) -> dict[str, str]:
    """The errors of a video model with these rules more, by path within the entry."""
    model = {
        "version": "owner/name",
        "estimatedTime": 5,
        "params": PARAMS,
        "standard": {name: rule for name, rule in {**RULES, **standard}.items() if rule is not None},
        **entry,
    }
    try:
        load_models_config(json.dumps({"video": {"one": model}}))
    except ConfigurationError as error:
        return {found.path.removeprefix("video.one."): found.message for found in error.errors}
    return {}


def test_right_rules_load() -> None:
    more = {
        "duration": {"to": "seconds", "nearest": True},
        "resolution": {"pixels": ["width", "motion"]},
        "style": {"append": "prompt", "text": ", {value} style"},
        "quality": {"to": "loop", "values": [["low", False], ["high", True]]},
        "fps": {"ignore": "the model decides the frame rate"},
        "image": {"to": "frame", "also": {"loop": True}, "note": "it loops", "overrides": {"seed": "why"}},
        "last_image": {"to": "frames", "item": "uri"},
    }

    assert errors_of(more) == {}


@pytest.mark.parametrize(
    ("standard", "path", "words"),
    [
        ({"motion_intensity": None}, "standard", "has no rule for motion_intensity"),
        ({"speed": {"to": "prompt"}}, "standard.speed", "is no field of video"),
        ({"seed": {"to": "sead"}}, "standard.seed.to", "sead is not among the supportedParams"),
        ({"style": {"append": "promt"}}, "standard.style.append", "promt is not among"),
        ({"style": {"append": "motion"}}, "standard.style.append", "is no text"),
        (
            {"resolution": {"pixels": ["width", "height"]}},
            "standard.resolution.pixels",
            "height is not among",
        ),
        ({"duration": {"pixels": ["width", "motion"]}}, "standard.duration.pixels", "has no pixels"),
        ({"seed": {"ignore": "no seeds"}}, "standard.seed.ignore", "is no hint"),
        (
            {"aspect_ratio": {"to": "ratio", "values": [["16:9", "1280:720"]]}},
            "standard.aspect_ratio.values",
            "breaks the schema of ratio",
        ),
        (
            {"aspect_ratio": {"to": "ratio", "values": [["wide", "16:9"]]}},
            "standard.aspect_ratio.values",
            '"wide" is no value of aspect_ratio',
        ),
        ({"aspect_ratio": {"only": ["wide"]}}, "standard.aspect_ratio.only", "is no value"),
        (
            {"aspect_ratio": {"set": [["16:9", {"width": "many"}]]}},
            "standard.aspect_ratio.set",
            "breaks the schema of width",
        ),
        ({"aspect_ratio": {"set": [["16:9", {"w": 1}]]}}, "standard.aspect_ratio.set", "w is not among"),
        (
            {"motion_intensity": {"to": "motion", "scale": [1, 10, 1, 256]}},
            "standard.motion_intensity.scale",
            "makes 256 of 10",
        ),
        (
            {"motion_intensity": {"to": "motion", "scale": [0, 1, 1, 255]}},
            "standard.motion_intensity.scale",
            "starts from 0 to 1; motion_intensity is 1 to 10",
        ),
        ({"style": {"to": "motion", "scale": [1, 10, 1, 9]}}, "standard.style.scale", "is no number"),
        ({"duration": {"to": "width", "nearest": True}}, "standard.duration.nearest", "has neither an enum"),
        ({"style": {"to": "prompt", "nearest": True}}, "standard.style.nearest", "is no number"),
        ({"seed": {"to": "motion", "ignore": "both"}}, "standard.seed", ""),
        ({"seed": {}}, "standard.seed", ""),
        ({"seed": {"to": "motion", "text": "{value}"}}, "standard.seed", ""),
        ({"style": {"append": "prompt", "text": "no value"}}, "standard.style.text", ""),
        ({"seed": {"to": "motion", "scale": [0, 1, 0, 1], "nearest": True}}, "standard.seed", ""),
        ({"fps": {"ignroe": "x"}}, "standard.fps", ""),
        ({"image": {"to": "ratio"}}, "standard.image.to", "ratio takes no media"),
        ({"image": {"to": "frames"}}, "standard.image.to", "frames takes no media"),
        ({"image": {"to": "frames", "item": "url"}}, "standard.image.to", "frames takes no media"),
        ({"image": {"only": ["https://example.com"]}}, "standard.image", "is an image: it has `to`"),
        ({"image": {"ignore": "no images"}}, "standard.image", "is an image: it has `to`"),
        ({"image": {"to": "frame", "also": {"lop": True}}}, "standard.image.also", "lop is not among"),
        ({"image": {"to": "frame", "also": {"loop": 7}}}, "standard.image.also", "breaks the schema of loop"),
        (
            {"image": {"to": "frame", "overrides": {"count": "why"}}},
            "standard.image.overrides",
            "count is no other field of video",
        ),
        ({"seed": {"to": "width", "note": "a word"}}, "standard.seed.note", "seed is no image"),
        ({"prompt": {"ignore": "it reads none"}}, "standard.prompt.ignore", "it needs onlyByName"),
    ],
)
def test_a_wrong_rule_is_named(standard: dict[str, Any], path: str, words: str) -> None:
    found = errors_of(standard)

    assert list(found) == [path]
    assert words in found[path]


def test_a_required_parameter_that_no_rule_writes_is_an_error() -> None:
    found = errors_of({}, required=["prompt", "loop"])

    assert found == {"standard": "writes nothing to loop, which is required"}
    assert errors_of({}, required=["loop"], defaults={"loop": True}) == {}


def test_a_field_that_a_needed_picture_overrides_needs_no_rule() -> None:
    picture = {"to": "frame", "overrides": {"aspect_ratio": "the picture has one"}}
    without = {"aspect_ratio": None, "image": picture}

    assert errors_of(without, required=["frame"]) == {}
    assert "has no rule for aspect_ratio" in errors_of(without)["standard"]


def test_a_model_that_is_used_by_its_name_alone_may_read_no_prompt() -> None:
    assert errors_of({"prompt": {"ignore": "it reads none"}}, onlyByName=True) == {}


@pytest.mark.parametrize("value", ["mine", "", None, 7])
def test_whose_credentials_are_used_is_one_of_three_words(value: object) -> None:
    assert list(errors_of({}, credentials=value)) == ["credentials"]


def test_a_parameter_sent_inside_what_another_is_sent_as_is_an_error() -> None:
    found = errors_of({}, map={"width": "size", "motion": "size.height"})

    assert list(found) == ["map.motion"]
    assert "lies inside size" in found["map.motion"]


@pytest.mark.parametrize("target", ["a..b", ".a", "a.", "a.1", "a b", ""])
def test_a_dotted_name_has_a_name_on_both_sides_of_each_dot(target: str) -> None:
    assert list(errors_of({}, map={"width": target})) == ["map.width"]
