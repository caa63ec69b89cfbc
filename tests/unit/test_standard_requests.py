"""A standard request is checked as a whole, in the words of video-generation-gateway.md."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lib.domain.media_type import MediaType
from lib.domain.standard_fields import FIELDS
from lib.domain.standard_request import (
    InvalidStandardRequestError,
    StandardRequest,
    read_standard_request,
    request_schema,
)

# The "Complete Workflow Example" of video-generation-gateway.md, as it stands there.
DOCUMENT = {
    "prompt": "A cinematic sunset over a calm ocean with gentle waves",
    "negative_prompt": "dark, gloomy, stormy weather, low quality",
    "aspect_ratio": "16:9",
    "motion_intensity": 7,
    "duration": 15,
    "resolution": "1920x1080",
    "style": "cinematic",
    "quality": "high",
    "fps": 30,
    "seed": 42,
}
LEAST: dict[MediaType, dict[str, Any]] = {
    MediaType.VIDEO: {"prompt": "a cat", "aspect_ratio": "16:9", "motion_intensity": 5},
    MediaType.IMAGE: {"prompt": "a cat", "aspect_ratio": "1:1"},
    MediaType.AUDIO: {"prompt": "a purr", "kind": "effect"},
    MediaType.TEXT: {"prompt": "what is a cat?"},
}


def errors_of(media_type: MediaType, request: Any, prompt: str | None = None) -> dict[str, str]:
    """What is wrong with a request, by path."""
    with pytest.raises(InvalidStandardRequestError) as refused:
        read_standard_request(media_type, request, prompt)
    return {error.path: error.message for error in refused.value.errors}


def video(**changes: Any) -> dict[str, Any]:
    """A right video request with these changes."""
    return {**LEAST[MediaType.VIDEO], **changes}


def test_the_documents_example_is_a_right_request() -> None:
    assert read_standard_request(MediaType.VIDEO, DOCUMENT).values == DOCUMENT


@pytest.mark.parametrize("media_type", MediaType)
def test_the_required_fields_are_enough(media_type: MediaType) -> None:
    assert read_standard_request(media_type, LEAST[media_type]).values == LEAST[media_type]


def test_all_that_the_document_requires_is_asked_for_at_once_in_its_words() -> None:
    assert errors_of(MediaType.VIDEO, {}) == {
        "request.prompt": "Prompt is required",
        "request.aspectRatio": "Aspect ratio is required",
        "request.motionIntensity": "Motion intensity must be between 1 and 10",
    }


def test_all_ranges_of_the_document_are_told_at_once_in_its_words() -> None:
    wrong = {"prompt": "  ", "motion_intensity": 11, "duration": 121, "fps": 5, "seed": 1_000_000_000}

    assert errors_of(MediaType.VIDEO, wrong) == {
        "request.prompt": "Prompt is required",
        "request.aspectRatio": "Aspect ratio is required",
        "request.motionIntensity": "Motion intensity must be between 1 and 10",
        "request.duration": "Duration must be between 1 and 120 seconds",
        "request.fps": "FPS must be between 6 and 60",
        "request.seed": "Seed must be between 0 and 999999999",
    }


@pytest.mark.parametrize(
    ("field", "edge", "beyond"),
    [
        ("motion_intensity", (1, 10), (0.99, 10.01)),
        ("duration", (1, 120), (0, 120.5)),
        ("fps", (6, 60), (0, 61)),
        ("seed", (0, 999_999_999), (-1, 1_000_000_000)),
    ],
)
def test_the_edges_of_a_range_are_in_it(
    field: str, edge: tuple[float, float], beyond: tuple[float, float]
) -> None:
    for value in edge:
        assert read_standard_request(MediaType.VIDEO, video(**{field: value})).values[field] == value
    for value in beyond:
        assert len(errors_of(MediaType.VIDEO, video(**{field: value}))) == 1


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"duration": "15"}, "request.duration", "Duration must be between 1 and 120 seconds, as a number"),
        ({"fps": True}, "request.fps", "as a number"),
        ({"seed": 1.5}, "request.seed", "Seed must be a whole number"),
        ({"prompt": 7}, "request.prompt", "Prompt must be a text"),
        ({"negative_prompt": ""}, "request.negativePrompt", "leave it out"),
        ({"prompt": "a" * 100_001}, "request.prompt", "at most 100000 characters"),
        ({"style": "a" * 201}, "request.style", "at most 200 characters"),
        ({"aspect_ratio": "wide"}, "request.aspectRatio", "must be width:height, such as 16:9"),
        ({"aspect_ratio": ""}, "request.aspectRatio", "Aspect ratio is required"),
        ({"aspect_ratio": None}, "request.aspectRatio", "Aspect ratio is required"),
        ({"aspect_ratio": "0:9"}, "request.aspectRatio", "must be width:height"),
        ({"resolution": "big"}, "request.resolution", "must be such as 1280x720, 720p or 4k"),
        ({"resolution": 720}, "request.resolution", "must be such as"),
        ({"resolution": "1024x1024"}, "request.resolution", "1024x1024 has not the aspect ratio 16:9"),
        ({"quality": "best"}, "request.quality", "Quality must be one of low, medium, high"),
        ({"durration": 5}, "request.durration", "Did you mean duration?"),
        ({"prompt": "a\x00b"}, "request.prompt", "U+0000"),
        ({"style": {"deep": {"er": 1}}}, "request.style", "Style must be a text"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], path: str, words: str) -> None:
    found = errors_of(MediaType.VIDEO, video(**change))

    assert list(found) == [path]
    assert words in found[path]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", 'must be an https:// address or a base64 data: URL, not ""'),
        ("http://example.com/a.png", "must be an https:// address or a base64 data: URL"),
        ("file:///etc/passwd", "must be an https:// address or a base64 data: URL"),
        ("https://", "must be an https:// address or a base64 data: URL"),
        ("https://example.com/a b.png", "must be an https:// address or a base64 data: URL"),
        ("data:image/png;base64,not!base64", "must be an https:// address or a base64 data: URL"),
        ("data:image/png,plain", "must be an https:// address or a base64 data: URL"),
        ("data:video/mp4;base64,AAEC", "must be a picture, data:image/..., not"),
        (7, "must be a string, not 7"),
        (["https://example.com/a.png"], "must be a string"),
    ],
)
def test_a_picture_is_checked_as_the_models_own_parameters_are(value: Any, words: str) -> None:
    found = errors_of(MediaType.VIDEO, video(image=value, last_image=value))

    assert list(found) == ["request.image", "request.lastImage"]
    assert found["request.image"].startswith(f"Image {words}")
    assert found["request.lastImage"].startswith(f"Last image {words}")


def test_each_wrong_picture_of_a_list_is_named_at_once() -> None:
    request = {"aspect_ratio": "wide", "images": ["https://example.com/a.png", "ftp://x", 7]}

    found = errors_of(MediaType.IMAGE, request)

    assert list(found) == [
        "request.prompt",
        "request.aspectRatio",
        "request.images[1]",
        "request.images[2]",
    ]


@pytest.mark.parametrize("value", [[], "https://example.com/a.png", ["https://example.com/a.png"] * 17])
def test_pictures_are_a_list_of_one_to_sixteen(value: Any) -> None:
    found = errors_of(MediaType.IMAGE, {**LEAST[MediaType.IMAGE], "images": value})

    assert found == {"request.images": "Image must be given as a list of 1 to 16 addresses"}


def test_pictures_are_no_larger_than_parameters_may_be() -> None:
    large = "data:image/png;base64," + "A" * 1_048_576

    found = errors_of(MediaType.VIDEO, video(image=large))

    assert found == {"request": "larger than 1048576 bytes: give large media by address"}


def test_names_may_be_in_either_case_but_not_twice() -> None:
    camel = {"prompt": "a cat", "aspectRatio": "16:9", "motionIntensity": 5, "negativePrompt": "dogs"}

    assert read_standard_request(MediaType.VIDEO, camel).values["negative_prompt"] == "dogs"
    assert errors_of(MediaType.VIDEO, {**camel, "aspect_ratio": "9:16"}) == {
        "request.aspectRatio": "stands twice, as aspectRatio and aspect_ratio; send one"
    }


def test_null_is_not_given_and_a_whole_float_is_whole() -> None:
    found = read_standard_request(MediaType.VIDEO, video(style=None, duration=8.0)).values

    assert "style" not in found
    assert isinstance(found["duration"], int)


def test_the_prompt_may_stand_at_the_top_and_may_not_differ() -> None:
    without = {name: value for name, value in video().items() if name != "prompt"}

    assert read_standard_request(MediaType.VIDEO, without, "a dog").values["prompt"] == "a dog"
    assert read_standard_request(MediaType.VIDEO, video(), "a cat").values["prompt"] == "a cat"
    assert errors_of(MediaType.VIDEO, video(), "a dog") == {
        "prompt": "differs from request.prompt: give one of them"
    }


@pytest.mark.parametrize("request_", [None, [], "prompt", 7])
def test_what_is_no_object_is_refused(request_: object) -> None:
    assert errors_of(MediaType.VIDEO, request_) == {"request": "must be an object of field -> value"}


@pytest.mark.parametrize(
    ("media_type", "change", "path"),
    [
        (MediaType.IMAGE, {"count": 11}, "request.count"),
        (MediaType.IMAGE, {"format": "gif"}, "request.format"),
        (MediaType.IMAGE, {"fps": 24}, "request.fps"),
        (MediaType.AUDIO, {"kind": "noise"}, "request.kind"),
        (MediaType.AUDIO, {"speed": 5}, "request.speed"),
        (MediaType.AUDIO, {"duration": 0.4}, "request.duration"),
        (MediaType.TEXT, {"temperature": 2.1}, "request.temperature"),
        (MediaType.TEXT, {"max_tokens": 0}, "request.maxTokens"),
    ],
)
def test_each_media_type_has_ranges_of_its_own(
    media_type: MediaType, change: dict[str, Any], path: str
) -> None:
    assert list(errors_of(media_type, {**LEAST[media_type], **change})) == [path]


@pytest.mark.parametrize("media_type", MediaType)
def test_the_schema_that_is_shown_agrees_with_what_is_taken(media_type: MediaType) -> None:
    schema = request_schema(media_type)
    Draft202012Validator.check_schema(schema)
    right = {one.wire: LEAST[media_type][one.name] for one in FIELDS[media_type] if one.required}

    assert list(Draft202012Validator(schema).iter_errors(right)) == []
    assert read_standard_request(media_type, right) == StandardRequest(media_type, LEAST[media_type])
