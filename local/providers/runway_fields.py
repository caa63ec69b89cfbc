"""What each of Runway's models takes, and what its validator says of a body that is wrong.

Source: Runway's OpenAPI document of August 2026. A model that is not here, such as one that came later, is held to its
route's own fields alone.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SIX = ("1280:720", "720:1280", "1104:832", "960:960", "832:1104", "1584:672")
FOUR = ("1280:720", "720:1280", "1080:1920", "1920:1080")
TWO = ("1280:720", "720:1280")
IMAGE_RATIOS = (
    *("1024:1024", "1080:1080", "1168:880", "1360:768", "1440:1080", "1080:1440", "1808:768", "1920:1080"),
    *("1080:1920", "2112:912", "1280:720", "720:1280", "720:720", "960:720", "720:960", "1680:720"),
)
ANY_RATIO = re.compile(r"\d{1,4}:\d{1,4}|adaptive")
MAX_SEED = 4_294_967_295
MAX_REFERENCES = 3
URL_CHARACTERS, RUNWAY_URI_CHARACTERS, IMAGE_CHARACTERS = 2_048, 5_000, 5_242_880
SHORTEST_URI = 13
_HERE = re.compile(r"http://(127\.0\.0\.1|localhost)[:/]")
"""At Runway https alone; this machine's own files count as such here."""


@dataclass(frozen=True)
class Takes:
    """What a model must have, the ratios it knows, the lengths in seconds, and the most characters of its prompt.

    `seconds` are the only ones, or a lowest and a highest (`whole` or not) where `between`; none: it is not asked.
    """

    needs: tuple[str, ...]
    ratios: tuple[str, ...] = ()
    seconds: tuple[float, ...] = ()
    text: int = 1_000
    between: bool = True
    whole: bool = True


_VEO = Takes(("promptImage", "ratio"), FOUR, (4, 6, 8), between=False)
_VEO_OF_TEXT = Takes(("promptText", "ratio"), FOUR, (4, 6, 8), between=False)
_SOUND = Takes(("promptText",), seconds=(0.5, 30), text=3_000, whole=False)

ROUTES: Mapping[str, Takes] = {
    "image_to_video": Takes(("promptImage",), seconds=(2, 30), text=15_000),
    "text_to_video": Takes(("promptText",), seconds=(2, 30), text=15_000),
    "text_to_image": Takes(("promptText",), text=32_000),
    "sound_effect": Takes(("promptText",), text=3_000),
    "text_to_speech": Takes(("promptText",), text=5_000),
}
"""What any model of a route needs."""

MODELS: Mapping[str, Mapping[str, Takes]] = {
    "image_to_video": {
        "gen4.5": Takes(("promptText", "promptImage", "ratio", "duration"), SIX, (2, 10)),
        "gen4_turbo": Takes(("promptImage", "ratio"), SIX, (2, 10)),
        "veo3.1": _VEO,
        "veo3.1_fast": _VEO,
    },
    "text_to_video": {
        "gen4.5": Takes(("promptText", "ratio", "duration"), TWO, (2, 10)),
        "veo3.1": _VEO_OF_TEXT,
        "veo3.1_fast": _VEO_OF_TEXT,
    },
    "text_to_image": {
        "gen4_image": Takes(("promptText", "ratio"), IMAGE_RATIOS),
        "gen4_image_turbo": Takes(("promptText", "ratio", "referenceImages"), IMAGE_RATIOS),
    },
    "sound_effect": {"eleven_text_to_sound_v2": _SOUND},
    "text_to_speech": {
        "eleven_multilingual_v2": Takes(("promptText", "voice")),
        "eleven_v3": Takes(("promptText", "voice"), text=5_000),
    },
}


def wrong_input(route: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The issues of a body, as Runway's validator lists them; empty for one in order."""
    takes = MODELS[route].get(str(values.get("model")), ROUTES[route])
    needed = ("model", *takes.needs)
    missing = [_issue(name, "invalid_type", "Required") for name in needed if not values.get(name)]
    return [
        *missing,
        *_wrong_text(takes, values),
        *_wrong_choices(takes, values),
        *_wrong_numbers(takes, values),
        *_wrong_media(values),
    ]


def _wrong_text(takes: Takes, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    text = values.get("promptText", "")
    if not isinstance(text, str):
        yield _issue("promptText", "invalid_type", "Expected string")
    elif len(text.encode("utf-16-le")) // 2 > takes.text:  # it counts UTF-16 units
        yield _issue("promptText", "too_big", f"String must contain at most {takes.text} character(s)")


def _wrong_choices(takes: Takes, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    ratio = values.get("ratio")
    known = ratio in takes.ratios if takes.ratios else bool(ANY_RATIO.fullmatch(str(ratio)))
    if ratio is not None and not known:
        yield _issue("ratio", "invalid_enum_value", "Invalid enum value")
    threshold = values.get("contentModeration", {}).get("publicFigureThreshold", "auto")
    if threshold not in ("auto", "low"):
        yield _issue("contentModeration.publicFigureThreshold", "invalid_enum_value", "Invalid enum value")
    for name in ("audio", "loop"):
        if not isinstance(values.get(name, True), bool):
            yield _issue(name, "invalid_type", "Expected boolean")


def _wrong_numbers(takes: Takes, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    duration, seed = values.get("duration"), values.get("seed", 0)
    if duration is not None and (isinstance(duration, bool) or not isinstance(duration, int | float)):
        yield _issue("duration", "invalid_type", "Expected number")
    elif duration is not None and takes.seconds:
        low, high = min(takes.seconds), max(takes.seconds)
        if not takes.between and duration not in takes.seconds:
            yield _issue("duration", "invalid_union", "Invalid input")
        elif not low <= duration <= high:
            code = "too_small" if duration < low else "too_big"
            yield _issue("duration", code, f"Number must be from {low} to {high}")
        elif takes.whole and duration != int(duration):
            yield _issue("duration", "invalid_type", "Expected integer")
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= MAX_SEED:
        yield _issue("seed", "invalid_type", f"Expected integer from 0 to {MAX_SEED}")


def _wrong_media(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    given = values.get("promptImage") or []
    for number, image in enumerate([given] if isinstance(given, str) else given):
        address = image if isinstance(image, str) else image.get("uri")
        path = "promptImage" if isinstance(given, str) else f"promptImage.{number}.uri"
        if not _is_media(address):
            yield _issue(path, "custom", "Invalid asset URL")
        if not isinstance(image, str) and image.get("position") not in ("first", "last"):
            yield _issue(f"promptImage.{number}.position", "invalid_enum_value", "Invalid enum value")
    references = values.get("referenceImages", [])
    if len(references) > MAX_REFERENCES:
        yield _issue("referenceImages", "too_big", f"Array must contain at most {MAX_REFERENCES} element(s)")
    for number, reference in enumerate(references):
        if not _is_media(reference.get("uri")):
            yield _issue(f"referenceImages.{number}.uri", "custom", "Invalid asset URL")
        if "tag" in reference and not 3 <= len(reference["tag"]) <= 16:
            yield _issue(f"referenceImages.{number}.tag", "custom", "String must have 3 to 16 characters")


def _is_media(address: Any) -> bool:
    if not isinstance(address, str):
        return False
    if address.startswith("data:"):
        return address.startswith("data:image/") and len(address) <= IMAGE_CHARACTERS
    if address.startswith("runway://"):
        return SHORTEST_URI <= len(address) <= RUNWAY_URI_CHARACTERS
    is_web = address.startswith("https://") or bool(_HERE.match(address))
    return is_web and SHORTEST_URI <= len(address) <= URL_CHARACTERS


def _issue(path: str, code: str, words: str) -> dict[str, Any]:
    return {"code": code, "path": path.split("."), "message": words}
