"""What a route of Runway is asked for, and what it costs."""

import re
from collections.abc import Mapping
from typing import Any

KINDS = {
    "image_to_video": "video",
    "text_to_video": "video",
    "text_to_image": "image",
    "sound_effect": "audio",
    "text_to_speech": "audio",
}
CREDITS_PER_SECOND = {"gen4.5": 12, "gen4_turbo": 5, "veo3.1": 40, "veo3.1_fast": 15}
SILENT_CREDITS_PER_SECOND = {"veo3.1": 20, "veo3.1_fast": 10}
CREDITS = {"gen4_image": 8, "gen4_image_turbo": 2, "eleven_text_to_sound_v2": 2}
SMALL = ("1280:720", "720:1280", "720:720", "960:720", "720:960", "1680:720")
SMALL_CREDITS = 5
CHARACTERS_PER_CREDIT = 50
RATIO = re.compile(r"(\d{2,4}):(\d{2,4})")
LONGEST_SECONDS = 30.0


def wish_of(route: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of ``World.start`` for this route and input."""
    found = RATIO.fullmatch(str(values.get("ratio", "")))
    seed = values.get("seed")
    return {
        "kind": KINDS[route],
        "prompt": str(values.get("promptText") or ""),
        "seed": seed if isinstance(seed, int) else None,
        "width": int(found[1]) if found else 1280,
        "height": int(found[2]) if found else 720,
        "seconds": _seconds(values),
    }


def estimated_credits(values: Mapping[str, Any]) -> float:
    """What the task is going to cost."""
    model = str(values.get("model"))
    if model in CREDITS_PER_SECOND:
        silent = SILENT_CREDITS_PER_SECOND if values.get("audio") is False else {}
        return silent.get(model, CREDITS_PER_SECOND[model]) * _seconds(values)
    if model == "gen4_image" and values.get("ratio") in SMALL:
        return SMALL_CREDITS
    return CREDITS.get(model, max(1, -(-len(str(values.get("promptText", ""))) // CHARACTERS_PER_CREDIT)))


def _seconds(values: Mapping[str, Any]) -> float:
    duration = values.get("duration")
    return min(float(duration), LONGEST_SECONDS) if isinstance(duration, int | float) else 5.0
