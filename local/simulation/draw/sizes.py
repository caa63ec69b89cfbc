"""Which width and height an input asks for, as the real models decide it."""

from collections.abc import Mapping
from typing import Any

FLUX_SIZES: Mapping[str, tuple[int, int]] = {
    "1:1": (1024, 1024),
    "16:9": (1344, 768),
    "21:9": (1536, 640),
    "3:2": (1216, 832),
    "2:3": (832, 1216),
    "4:5": (896, 1088),
    "5:4": (1088, 896),
    "3:4": (896, 1152),
    "4:3": (1152, 896),
    "9:16": (768, 1344),
    "9:21": (640, 1536),
}
MAX_PIXELS = 4096 * 2048


class CannotDrawError(Exception):
    """The model fails on this input while it runs; the message is what the real model's error says."""


def image_size(values: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height in pixels; raises CannotDrawError for what the real models fail on."""
    if "aspect_ratio" in values:
        width, height = FLUX_SIZES[values["aspect_ratio"]]
        return (width, height) if values["megapixels"] == "1" else (width // 2, height // 2)
    width, height = int(values["width"]), int(values["height"])
    if width % 8 or height % 8 or min(width, height) < 8:
        raise CannotDrawError(f"`height` and `width` have to be divisible by 8 but are {height} and {width}.")
    if width * height > MAX_PIXELS:
        raise CannotDrawError("CUDA out of memory. (E1001)")
    return width, height


def video_size(strategy: str, image: tuple[int, int] | None) -> tuple[int, int]:
    """Width and height in multiples of 64; 1024 x 576 unless the image is known and is to be respected."""
    if image is None or strategy == "crop_to_16_9":
        return 1024, 576
    width, height = image
    if strategy == "maintain_aspect_ratio":
        scale = min(1024 / max(width, height), 1.0)
        width, height = round(width * scale), round(height * scale)
    elif width * height > MAX_PIXELS:
        raise CannotDrawError("CUDA out of memory. (E1001)")
    return max(64, width - width % 64), max(64, height - height % 64)
