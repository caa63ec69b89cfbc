"""What the simulated OpenAI's images and speech take: the first field that is wrong, or None.

Source: openai 3.52.0 (api_reference of images and audio/speech).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

IMAGE_MODELS = ("gpt-image-1.5", "gpt-image-1-mini", "gpt-image-2")
ANY_SIZE_MODELS = ("gpt-image-2",)
SPEECH_MODELS = ("gpt-4o-mini-tts", "tts-1", "tts-1-hd")
VOICES = (
    *("alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse"),
    *("marin", "cedar"),
)
SPEECH_FORMATS = ("mp3", "opus", "aac", "flac", "wav", "pcm")
SIZES = ("auto", "1024x1024", "1536x1024", "1024x1536")
QUALITIES = ("auto", "low", "medium", "high")
IMAGE_FORMATS = ("png", "jpeg", "webp")
IMAGE_TYPES = ("image/png", "image/webp", "image/jpeg")
MOST_IMAGES, IMAGE_BYTES, MASK_BYTES = 16, 50 * 10**6, 4 * 10**6
PROMPT_CHARACTERS, SPEECH_CHARACTERS = 32_000, 4_096
LONGEST_SIDE, SHORTER_SIDE, GRID, LONGEST_RATIO = 3840, 2160, 16, 3

Check = tuple[str, bool]


def wrong_image(values: Mapping[str, Any]) -> str | None:
    """The field of an image's request that is missing or wrong."""
    prompt = values.get("prompt")
    count, compression = values.get("n", 1), values.get("output_compression", 100)
    return _first_wrong(
        (
            ("prompt", isinstance(prompt, str) and 1 <= len(prompt) <= PROMPT_CHARACTERS),
            ("n", _is_whole(count, 1, 10)),
            ("size", _is_size(str(values.get("model")), str(values.get("size", "auto")))),
            ("quality", values.get("quality", "auto") in QUALITIES),
            ("background", values.get("background", "auto") in ("auto", "transparent", "opaque")),
            ("moderation", values.get("moderation", "auto") in ("auto", "low")),
            ("output_format", values.get("output_format", "png") in IMAGE_FORMATS),
            ("output_compression", _is_whole(compression, 0, 100)),
        )
    )


def wrong_edit(parts: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> str | None:
    """The part of an edit's form that is missing or wrong, beside what any image's request has."""
    images = [part for part in parts if part["name"] in ("image", "image[]") and part["filename"]]
    masks = [part for part in parts if part["name"] == "mask"]
    return _first_wrong(
        (
            ("image", 1 <= len(images) <= MOST_IMAGES),
            ("image", all(part["contentType"] in IMAGE_TYPES for part in images)),
            ("image", all(part["size"] < IMAGE_BYTES for part in images)),
            ("mask", all(part["contentType"] == "image/png" for part in masks)),
            ("mask", all(part["size"] < MASK_BYTES for part in masks)),
            ("input_fidelity", values.get("input_fidelity", "low") in ("high", "low")),
        )
    )


def wrong_speech(values: Mapping[str, Any]) -> str | None:
    """The field of a speech's request that is missing or wrong."""
    text, speed = values.get("input"), values.get("speed", 1.0)
    return _first_wrong(
        (
            ("input", isinstance(text, str) and 1 <= len(text) <= SPEECH_CHARACTERS),
            ("voice", values.get("voice") in VOICES),
            ("instructions", isinstance(values.get("instructions", ""), str)),
            ("response_format", values.get("response_format", "mp3") in SPEECH_FORMATS),
            ("speed", not isinstance(speed, bool) and isinstance(speed, int | float) and 0.25 <= speed <= 4),
            ("stream_format", values.get("stream_format", "audio") in ("audio", "sse")),
        )
    )


def _first_wrong(checks: Iterable[Check]) -> str | None:
    return next((name for name, right in checks if not right), None)


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_size(model: str, size: str) -> bool:
    """The three shapes; from gpt-image-2 on any in steps of 16, up to 3:1 and up to 3840x2160."""
    sides = re.fullmatch(r"([1-9]\d{1,3})x([1-9]\d{1,3})", size)
    if size in SIZES or model not in ANY_SIZE_MODELS or sides is None:
        return size in SIZES
    short, long = sorted(map(int, sides.groups()))
    on_grid = short % GRID == 0 and long % GRID == 0
    return on_grid and long <= LONGEST_RATIO * short and long <= LONGEST_SIDE and short <= SHORTER_SIDE
