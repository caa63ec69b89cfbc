"""What the simulated Stability operations take, and what they say of a form that is wrong."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from local.replicate.catalogue import Kind

PIXELS = 1024 * 1024
GRID = 64
SHORTEST_SIDE, MOST_PIXELS, LONGEST_RATIO = 64, 9_437_184, 2.5
MAX_SEED = 4_294_967_294
RATIOS = ("21:9", "16:9", "3:2", "5:4", "1:1", "4:5", "2:3", "9:16", "9:21")
IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp")
SD3_MODELS = ("sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "sd3.5-flash")
STYLES = (
    *("3d-model", "analog-film", "anime", "cinematic", "comic-book", "digital-art", "enhance", "fantasy-art"),
    *("isometric", "line-art", "low-poly", "modeling-compound", "neon-punk", "origami", "photographic"),
    *("pixel-art", "tile-texture"),
)


@dataclass(frozen=True)
class Operation:
    """One operation: which fields are enumerated or have a range, which files it must have, and how it answers.

    ``steps`` is the range of that field by model.
    """

    kind: Kind
    formats: tuple[str, ...] = ("png", "jpeg", "webp")
    needs_prompt: bool = True
    needs_files: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    ranges: tuple[tuple[str, float, float], ...] = ()
    steps: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    waits: bool = True
    accepted_status: int = 200
    seconds: float = 190.0


_AUDIO_RANGES = (("cfg_scale", 1, 25), ("strength", 0, 1))
_SOUND = ("mp3", "wav")

OPERATIONS: Mapping[str, Operation] = {
    "stable-image/generate/core": Operation(Kind.IMAGE),
    "stable-image/generate/ultra": Operation(Kind.IMAGE, ranges=(("strength", 0, 1),)),
    "stable-image/generate/sd3": Operation(
        Kind.IMAGE,
        formats=("png", "jpeg"),
        models=SD3_MODELS,
        ranges=(("strength", 0, 1), ("cfg_scale", 1, 10)),
    ),
    "stable-image/upscale/fast": Operation(Kind.IMAGE, needs_prompt=False, needs_files=("image",)),
    "stable-image/upscale/creative": Operation(
        Kind.IMAGE, needs_files=("image",), ranges=(("creativity", 0, 0.35),), waits=False
    ),
    "stable-image/edit/remove-background": Operation(
        Kind.IMAGE, formats=("png", "webp"), needs_prompt=False, needs_files=("image",)
    ),
    "stable-image/edit/replace-background-and-relight": Operation(
        Kind.IMAGE, needs_prompt=False, needs_files=("subject_image",), waits=False
    ),
    "audio/stable-audio-2/text-to-audio": Operation(
        Kind.AUDIO,
        formats=_SOUND,
        models=("stable-audio-2", "stable-audio-2.5"),
        ranges=(("duration", 1, 190), *_AUDIO_RANGES),
        steps={"stable-audio-2": (30, 100), "stable-audio-2.5": (4, 8)},
    ),
    "audio/stable-audio/text-to-audio": Operation(
        Kind.AUDIO,
        formats=_SOUND,
        models=("stable-audio-3",),
        ranges=(("duration", 1, 380), ("steps", 4, 8), *_AUDIO_RANGES),
        waits=False,
        accepted_status=202,
    ),
}


@dataclass(frozen=True)
class File:
    """A file of a form."""

    content_type: str
    content: bytes


def problems_of(operation: Operation, fields: Mapping[str, str], files: Mapping[str, File]) -> list[str]:
    """All that is wrong with a form."""
    return [
        *_wrong_texts(operation, fields),
        *_wrong_numbers(operation, fields),
        *_wrong_files(operation, fields, files),
    ]


def size_of(ratio: str | None) -> tuple[int, int]:
    """About a megapixel of this shape, in steps of 64."""
    across, down = map(int, (ratio or "1:1").split(":"))
    width = math.sqrt(PIXELS * across / down)
    return round(width / GRID) * GRID, round(width * down / across / GRID) * GRID


def _wrong_texts(operation: Operation, fields: Mapping[str, str]) -> Iterator[str]:
    if operation.needs_prompt and not fields.get("prompt"):
        yield "prompt: is required"
    for name in ("prompt", "negative_prompt"):
        if len(fields.get(name) or "") > 10_000:
            yield f"{name}: must not be longer than 10000 characters"
    enums = {
        "aspect_ratio": RATIOS,
        "style_preset": STYLES,
        "output_format": operation.formats,
        "model": operation.models or None,
    }
    for name, allowed in enums.items():
        if allowed and name in fields and fields[name] not in allowed:
            yield f"{name}: must be one of {', '.join(allowed)}"


def _wrong_numbers(operation: Operation, fields: Mapping[str, str]) -> Iterator[str]:
    ranges = [("seed", 0, MAX_SEED), *operation.ranges]
    if steps := operation.steps.get(fields.get("model", "")):
        ranges.append(("steps", *steps))
    for name, low, high in ranges:
        if name in fields and not _is_between(fields[name], low, high):
            yield f"{name}: must be between {low} and {high}"


def _wrong_files(operation: Operation, fields: Mapping[str, str], files: Mapping[str, File]) -> Iterator[str]:
    for name in operation.needs_files:
        if name not in files:
            yield f"{name}: is required"
    for name, file in files.items():
        if file.content_type not in IMAGE_TYPES:
            yield f"{name}: must be a jpeg, png or webp"
        elif wrong := _wrong_picture(file.content):
            yield f"{name}: {wrong}"
    if "image" in files and not operation.needs_files:
        if "strength" not in fields:
            yield "strength: is required when image is provided"
        if fields.get("mode") == "image-to-image" and "aspect_ratio" in fields:
            yield "aspect_ratio: is only for text-to-image"
    if fields.get("mode") == "image-to-image" and "image" not in files:
        yield "image: is required when mode is image-to-image"


def _wrong_picture(content: bytes) -> str:
    """What Stability says of a picture by its sides; empty for one in order."""
    try:
        with Image.open(BytesIO(content)) as picture:
            short, long = sorted(picture.size)
    except (UnidentifiedImageError, OSError):
        return "is not an image that can be read"
    if short < SHORTEST_SIDE:
        return f"each side must have at least {SHORTEST_SIDE} pixels"
    if short * long > MOST_PIXELS:
        return f"must have at most {MOST_PIXELS} pixels"
    return "the aspect ratio must be between 1:2.5 and 2.5:1" if long > LONGEST_RATIO * short else ""


def _is_between(text: str, low: float, high: float) -> bool:
    try:
        return low <= float(text) <= high
    except ValueError:
        return False
