"""What a model of fal is asked for: kind by the endpoint's id, size, length and number by the usual names."""

from collections.abc import Mapping
from typing import Any

from local.providers.fal_answers import missing

PRESETS = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
HEIGHTS = {"360p": 360, "480p": 480, "540p": 540, "580p": 580, "720p": 720, "1080p": 1080}
VIDEO_WORDS = ("video", "veo", "seedance", "hailuo", "luma-dream", "pixverse", "sora")
AUDIO_WORDS = ("audio", "music", "tts", "speech", "sound", "lyria", "elevenlabs", "kokoro")
TEXT_WORDS = ("any-llm", "vision", "caption")
LONGEST_SECONDS = 60.0


def wish_of(endpoint: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of ``World.start`` for this endpoint and input."""
    kind = _kind(endpoint)
    width, height = _image_size(values) if kind == "image" else _video_size(values)
    seed = values.get("seed")
    return {
        "kind": kind,
        "prompt": str(values.get("prompt") or values.get("text") or ""),
        "seed": seed if isinstance(seed, int) else None,
        "count": int(values.get("num_images") or 1) if kind == "image" else 1,
        "width": width,
        "height": height,
        "seconds": _seconds(values),
        "format": str(values.get("output_format") or "") if kind in ("image", "audio") else "",
    }


def wrong_input(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The details of an input that no model takes; empty for one in order."""
    return [] if values.get("prompt") or values.get("text") else [missing("prompt")]


def _kind(endpoint: str) -> str:
    for kind, words in (("video", VIDEO_WORDS), ("audio", AUDIO_WORDS), ("text", TEXT_WORDS)):
        if any(word in endpoint for word in words):
            return kind
    return "image"


def _image_size(values: Mapping[str, Any]) -> tuple[int, int]:
    asked = values.get("image_size", "landscape_4_3")
    if isinstance(asked, dict):
        return int(asked.get("width", 512)), int(asked.get("height", 512))
    return PRESETS.get(str(asked), (1024, 768))


def _video_size(values: Mapping[str, Any]) -> tuple[int, int]:
    height = HEIGHTS.get(str(values.get("resolution", "480p")), 480)
    across, _, down = str(values.get("aspect_ratio", "16:9")).partition(":")
    ratio = float(across) / float(down) if across.isdigit() and down.isdigit() else 16 / 9
    short = height - height % 2
    long = round(short * max(ratio, 1 / ratio) / 2) * 2
    return (long, short) if ratio >= 1 else (short, long)


def _seconds(values: Mapping[str, Any]) -> float:
    for name in ("duration", "duration_seconds", "seconds_total", "length"):
        digits = str(values.get(name, "")).removesuffix("s")
        if digits.replace(".", "", 1).isdigit():
            return min(float(digits), LONGEST_SECONDS)
    return 4.0
