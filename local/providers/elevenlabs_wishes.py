"""What the simulated ElevenLabs operations take: bodies, limits of text, formats; and what they make of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from local.providers.elevenlabs_errors import invalid_list, refusal

VOICES: Mapping[str, str] = {
    "21m00Tcm4TlvDq8ikWAM": "Rachel",
    "JBFqnCBsd6RMkjVDRZzb": "George",
    "EXAVITQu4vr4xnSDxMaL": "Sarah",
}
TEXT_LIMITS: Mapping[str, int] = {
    "eleven_multilingual_v2": 10_000,
    "eleven_flash_v2_5": 40_000,
    "eleven_turbo_v2_5": 40_000,
    "eleven_flash_v2": 30_000,
    "eleven_turbo_v2": 30_000,
    "eleven_v3": 5_000,
}
SOUND_MODELS = ("eleven_text_to_sound_v2", "eleven_text_to_sound_v3")
MUSIC_MODELS = ("music_v1", "music_v2", "music_v2_5")
RATES: Mapping[str, tuple[int, ...]] = {
    "mp3": (22050, 24000, 44100, 48000),
    "pcm": (8000, 16000, 22050, 24000, 32000, 44100, 48000),
    "wav": (8000, 16000, 22050, 24000, 32000, 44100, 48000),
    "opus": (48000,),
}
DEFAULT_FORMAT = "mp3_44100_128"
CHARACTERS_A_SECOND = 15.0
MAX_SPOKEN_SECONDS = 60.0
"""A simulated speech is not drawn longer than this."""


@dataclass(frozen=True)
class Wish:
    """What is to be made, and the credits that it takes."""

    prompt: str
    seconds: float
    credits: int
    seed: int | None = None


Reading = Callable[[Mapping[str, Any]], Wish | Response]


def format_of(name: str, *, music: bool = False) -> tuple[str, int] | Response:
    """The file format and its samples a second; formats without a container but pcm are not simulated."""
    codec, _, rest = ("mp3_44100_128" if music and name == "auto" else name).partition("_")
    rate = rest.partition("_")[0]
    if rate.isdigit() and int(rate) in RATES.get(codec, ()) and not (music and codec == "wav"):
        return codec, int(rate)
    return refusal(
        "validation_error", "invalid_output_format", f"No format is called {name}.", param="output_format"
    )


def speech(body: Mapping[str, Any]) -> Wish | Response:
    """The body of ``POST /v1/text-to-speech/{voice_id}``."""
    text, model = body.get("text"), body.get("model_id", "eleven_multilingual_v2")
    if not isinstance(text, str):
        return invalid_list(("body.text", "field required"))
    limit = TEXT_LIMITS.get(model)
    if limit is None:
        return _unknown_model(model)
    if not text.strip():
        return refusal("validation_error", "empty_text", "The text is empty.", param="text")
    if len(text) > limit:
        words = f"The text has {len(text)} characters; {limit} are allowed."
        return refusal("validation_error", "text_too_long", words, param="text")
    settings = body.get("voice_settings") or {}
    for name in ("stability", "similarity_boost", "style"):
        if not 0 <= float(settings.get(name, 0)) <= 1:
            words = f"{name} must be between 0 and 1."
            return refusal("validation_error", "invalid_voice_settings", words, param="voice_settings")
    seconds = min(max(len(text) / CHARACTERS_A_SECOND, 0.5), MAX_SPOKEN_SECONDS)
    return Wish(text, seconds, len(text), body.get("seed"))


def sound(body: Mapping[str, Any]) -> Wish | Response:
    """The body of ``POST /v1/sound-generation``."""
    text, seconds = body.get("text"), body.get("duration_seconds")
    if not isinstance(text, str) or not text:
        return invalid_list(("body.text", "field required"))
    if body.get("model_id", SOUND_MODELS[0]) not in SOUND_MODELS:
        return _unknown_model(body["model_id"])
    if seconds is not None and not 0.5 <= seconds <= 30:
        return _wrong("duration_seconds", "must be between 0.5 and 30")
    return Wish(
        text, 3.0 if seconds is None else float(seconds), 100 if seconds is None else int(seconds * 20)
    )


def music(body: Mapping[str, Any]) -> Wish | Response:
    """The body of ``POST /v1/music``, with a prompt or a plan."""
    prompt, plan, length = body.get("prompt"), body.get("composition_plan"), body.get("music_length_ms")
    if (prompt is None) == (plan is None):
        return _wrong("prompt", "give a prompt or a composition_plan")
    if prompt is not None and "seed" in body:
        return _wrong("seed", "cannot be used together with prompt")
    if length is not None and not 3000 <= length <= 600_000:
        return _wrong("music_length_ms", "must be between 3000 and 600000")
    if body.get("model_id", MUSIC_MODELS[0]) not in MUSIC_MODELS:
        return _unknown_model(body["model_id"])
    seconds = 30.0 if length is None else length / 1000
    return Wish(prompt or str(plan), seconds, int(seconds * 15))


def _unknown_model(model: Any) -> Response:
    return refusal("not_found", "model_not_found", f"There is no model {model}.", param="model_id")


def _wrong(name: str, what: str) -> Response:
    return refusal("validation_error", "invalid_parameters", f"{name} {what}.", param=name)
