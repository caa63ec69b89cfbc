"""The simulated ElevenLabs refuses what its reference refuses, and takes what the catalogue sends."""

import json
from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import parse_qsl, urlsplit

import elevenlabs.types
import pytest
from starlette.responses import Response

from lib.domain.model_config import ModelConfig
from lib.domain.model_input import build_input
from lib.domain.parameters import validate_parameters
from lib.domain.provider import Credential, Submission
from lib.providers.elevenlabs import ElevenLabsAdapter
from lib.stores.models_source import load_catalogue
from local.model_examples import covering
from local.providers.elevenlabs_wishes import (
    DEFAULT_FORMAT,
    MUSIC_FORMATS,
    SPEECH_FORMATS,
    Reading,
    Wish,
    format_of,
    music,
    sound,
    speech,
)

OF_ELEVENLABS = [model for model in load_catalogue("config/models") if model.provider == "elevenlabs"]
READINGS: Mapping[str, Reading] = {"text-to-speech": speech, "sound-generation": sound, "music": music}
RAW = ("ulaw_8000", "alaw_8000")
"""Formats without a container that are not simulated."""


def said(answer: object) -> Any:
    assert isinstance(answer, Response)
    return json.loads(bytes(answer.body))["detail"]


@pytest.mark.parametrize(
    ("reading", "body", "code", "param"),
    [
        (speech, {"voice_settings": {"stability": 1.1}}, "invalid_voice_settings", "voice_settings"),
        (speech, {"voice_settings": {"style": "much"}}, "invalid_voice_settings", "voice_settings"),
        (speech, {"seed": -1}, "invalid_parameters", "seed"),
        (speech, {"seed": 4_294_967_296}, "invalid_parameters", "seed"),
        (speech, {"seed": 1.5}, "invalid_parameters", "seed"),
        (speech, {"previous_request_ids": ["a"] * 4}, "invalid_parameters", "previous_request_ids"),
        (speech, {"next_request_ids": ["a"] * 4}, "invalid_parameters", "next_request_ids"),
        (speech, {"apply_text_normalization": "maybe"}, "invalid_parameters", "apply_text_normalization"),
        (speech, {"text": "x" * 10_001}, "text_too_long", "text"),
        (speech, {"text": " "}, "empty_text", "text"),
        (speech, {"model_id": "eleven_v9"}, "model_not_found", "model_id"),
        (sound, {"duration_seconds": 0.4}, "invalid_parameters", "duration_seconds"),
        (sound, {"duration_seconds": 30.5}, "invalid_parameters", "duration_seconds"),
        (sound, {"prompt_influence": 1.1}, "invalid_parameters", "prompt_influence"),
        (music, {"prompt": "a waltz", "music_length_ms": 2999}, "invalid_parameters", "music_length_ms"),
        (music, {"prompt": "a waltz", "music_length_ms": 600_001}, "invalid_parameters", "music_length_ms"),
        (music, {"prompt": "a waltz", "music_length_ms": 3000.5}, "invalid_parameters", "music_length_ms"),
        (music, {"prompt": "a waltz", "composition_plan": {}}, "invalid_parameters", "prompt"),
        (music, {"prompt": "a waltz", "seed": 7}, "invalid_parameters", "seed"),
        (music, {"composition_plan": {"sections": []}, "seed": -1}, "invalid_parameters", "seed"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)[:40]),
)
def test_what_elevenlabs_refuses_is_refused_with_its_code(
    reading: Reading, body: dict[str, Any], code: str, param: str
) -> None:
    detail = said(reading({"text": "hello", **body}))
    assert (detail["code"], detail["param"]) == (code, param)


@pytest.mark.parametrize(
    ("reading", "body"),
    [
        (speech, {"seed": 4_294_967_295, "previous_request_ids": ["a"] * 3}),
        (speech, {"seed": None, "voice_settings": {"stability": None, "style": 1}}),
        (sound, {"duration_seconds": None}),
        (sound, {"duration_seconds": 30, "prompt_influence": 1}),
        (music, {"prompt": "a waltz", "music_length_ms": 600_000}),
        (music, {"composition_plan": {"sections": []}, "seed": 7}),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)[:40]),
)
def test_what_lies_at_the_edge_is_taken(reading: Reading, body: dict[str, Any]) -> None:
    assert isinstance(reading({"text": "hello", **body}), Wish)


@pytest.mark.parametrize(
    "name", ["mp3_44100_320", "mp3_48000_128", "wav_11025", "opus_24000_32", "mp3", "auto"]
)
def test_a_format_that_speech_does_not_have_is_refused(name: str) -> None:
    assert said(format_of(name))["code"] == "invalid_output_format"


def test_the_formats_are_those_of_the_official_client() -> None:
    def theirs(name: str) -> set[str]:
        return {text for part in get_args(getattr(elevenlabs.types, name)) for text in get_args(part)}

    assert set(SPEECH_FORMATS) | set(RAW) == theirs("AllowedOutputFormats") | theirs(
        "NonStreamingOutputFormats"
    )
    assert {*MUSIC_FORMATS, *RAW, "auto"} == theirs("MusicOutputFormat")
    assert format_of("auto", music=True) == format_of(DEFAULT_FORMAT)
    assert said(format_of("wav_44100", music=True))["code"] == "invalid_output_format"


@pytest.mark.parametrize("model", OF_ELEVENLABS, ids=lambda model: model.id)
def test_it_takes_what_each_model_of_the_catalogue_sends(model: ModelConfig) -> None:
    operation = model.version.partition("/")[0]
    for parameters in covering(model):
        given = build_input(model, validate_parameters(model, parameters))
        key = Credential("elevenlabs", "sk_example")
        request = ElevenLabsAdapter().submit_request(Submission("j", 1, model.version, given, 60), key, None)
        assert isinstance(READINGS[operation](request.json_body or {}), Wish)
        query = dict(parse_qsl(urlsplit(request.url).query))
        made = format_of(query.get("output_format", DEFAULT_FORMAT), music=operation == "music")
        assert not isinstance(made, Response)
