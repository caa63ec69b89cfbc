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
FORMATS = (
    *("mp3_22050_32", "mp3_24000_48", *(f"mp3_44100_{kbps}" for kbps in (32, 64, 96, 128, 192))),
    *(f"pcm_{rate}" for rate in (8000, 16000, 22050, 24000, 32000, 44100, 48000)),
    *(f"opus_48000_{kbps}" for kbps in (32, 64, 96, 128, 192)),
)
SPEECH_FORMATS = (*FORMATS, *(f"wav_{rate}" for rate in (8000, 16000, 22050, 24000, 32000, 44100, 48000)))
MUSIC_FORMATS = (*FORMATS, *(f"mp3_48000_{kbps}" for kbps in (128, 192, 240, 320)))
MAX_SEED = 4_294_967_295
MOST_NEIGHBOURS = 3
NEIGHBOURS = ("previous_request_ids", "next_request_ids", "pronunciation_dictionary_locators")
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
    asked = DEFAULT_FORMAT if music and name == "auto" else name
    if asked in (MUSIC_FORMATS if music else SPEECH_FORMATS):
        codec, rate, *_ = asked.split("_")
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
    if wrong := _wrong_settings(body) or _wrong_options(body) or _wrong_seed(body):
        return wrong
    seconds = min(max(len(text) / CHARACTERS_A_SECOND, 0.5), MAX_SPOKEN_SECONDS)
    return Wish(text, seconds, len(text), body.get("seed"))


def sound(body: Mapping[str, Any]) -> Wish | Response:
    """The body of ``POST /v1/sound-generation``."""
    text, seconds = body.get("text"), body.get("duration_seconds")
    if not isinstance(text, str) or not text:
        return invalid_list(("body.text", "field required"))
    if body.get("model_id", SOUND_MODELS[0]) not in SOUND_MODELS:
        return _unknown_model(body["model_id"])
    if not _is_between(seconds, 0.5, 30):
        return _wrong("duration_seconds", "must be between 0.5 and 30")
    if not _is_between(body.get("prompt_influence"), 0, 1):
        return _wrong("prompt_influence", "must be between 0 and 1")
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
    if not _is_between(length, 3000, 600_000, whole=True):
        return _wrong("music_length_ms", "must be between 3000 and 600000")
    if wrong := _wrong_seed(body):
        return wrong
    if body.get("model_id", MUSIC_MODELS[0]) not in MUSIC_MODELS:
        return _unknown_model(body["model_id"])
    seconds = 30.0 if length is None else length / 1000
    return Wish(prompt or str(plan), seconds, int(seconds * 15))


def _wrong_settings(body: Mapping[str, Any]) -> Response | None:
    settings = body.get("voice_settings") or {}
    for name in ("stability", "similarity_boost", "style"):
        if not _is_between(settings.get(name), 0, 1):
            words = f"{name} must be between 0 and 1."
            return refusal("validation_error", "invalid_voice_settings", words, param="voice_settings")
    return None


def _wrong_options(body: Mapping[str, Any]) -> Response | None:
    for name in NEIGHBOURS:
        if len(body.get(name) or ()) > MOST_NEIGHBOURS:
            return _wrong(name, f"must have at most {MOST_NEIGHBOURS} entries")
    if body.get("apply_text_normalization") not in (None, "auto", "on", "off"):
        return _wrong("apply_text_normalization", "must be auto, on or off")
    return None


def _wrong_seed(body: Mapping[str, Any]) -> Response | None:
    if _is_between(body.get("seed"), 0, MAX_SEED, whole=True):
        return None
    return _wrong("seed", f"must be an integer between 0 and {MAX_SEED}")


def _is_between(value: Any, low: float, high: float, *, whole: bool = False) -> bool:
    """Whether it is a number in the range, or left out."""
    if value is None:
        return True
    kinds = int if whole else int | float
    return isinstance(value, kinds) and not isinstance(value, bool) and low <= value <= high


def _unknown_model(model: Any) -> Response:
    return refusal("not_found", "model_not_found", f"There is no model {model}.", param="model_id")


def _wrong(name: str, what: str) -> Response:
    return refusal("validation_error", "invalid_parameters", f"{name} {what}.", param=name)
