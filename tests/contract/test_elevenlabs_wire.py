"""Our adapter over our transport says on the wire what ElevenLabs's official client says."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from elevenlabs.client import ElevenLabs
from elevenlabs.types import VoiceSettings

from lib.domain.http_exchange import HttpRequest
from lib.domain.provider import Credential, Submission
from lib.ports.provider import Operation
from lib.providers.elevenlabs import ElevenLabsAdapter
from lib.providers.transport import RequestsTransport
from tests.fakes.scripted_http import Received, Say, ScriptedServer, serving
from tests.fakes.stored_answers import stored_answer

KEY = Credential("elevenlabs", "sk_contract")
VOICE = "21m00Tcm4TlvDq8ikWAM"

Theirs = Callable[[ElevenLabs], object]
Ours = Callable[[ElevenLabsAdapter], HttpRequest]


def submit(model_ref: str, **values: Any) -> Ours:
    return lambda ours: ours.submit_request(Submission("j1", 1, model_ref, values, 600), KEY, None)


CALLS: dict[str, tuple[str, Theirs, Ours]] = {
    "speech": (
        "audio",
        lambda client: list(
            client.text_to_speech.convert(VOICE, text="Hello, café", model_id="eleven_multilingual_v2")
        ),
        submit("text-to-speech/eleven_multilingual_v2", text="Hello, café", voice_id=VOICE),
    ),
    "speech with all that there is": (
        "audio",
        lambda client: list(
            client.text_to_speech.convert(
                VOICE,
                text="Hello",
                model_id="eleven_flash_v2_5",
                output_format="opus_48000_64",
                enable_logging=False,
                language_code="de",
                seed=7,
                previous_text="Before.",
                next_text="After.",
                apply_text_normalization="off",
                voice_settings=VoiceSettings(
                    stability=0.5, similarity_boost=0.75, style=0.0, use_speaker_boost=True, speed=1.1
                ),
            )
        ),
        submit(
            "text-to-speech/eleven_flash_v2_5",
            text="Hello",
            voice_id=VOICE,
            output_format="opus_48000_64",
            enable_logging=False,
            language_code="de",
            seed=7,
            previous_text="Before.",
            next_text="After.",
            apply_text_normalization="off",
            voice_settings={
                "stability": 0.5,
                "similarity_boost": 0.75,
                "style": 0.0,
                "use_speaker_boost": True,
                "speed": 1.1,
            },
        ),
    ),
    "an effect": (
        "audio",
        lambda client: list(
            client.text_to_sound_effects.convert(
                text="rain",
                output_format="wav_24000",
                loop=True,
                duration_seconds=2.5,
                prompt_influence=0.3,
                model_id="eleven_text_to_sound_v2",
            )
        ),
        submit(
            "sound-generation/eleven_text_to_sound_v2",
            text="rain",
            output_format="wav_24000",
            loop=True,
            duration_seconds=2.5,
            prompt_influence=0.3,
        ),
    ),
    "music": (
        "audio",
        lambda client: list(
            client.music.compose(
                prompt="a waltz",
                music_length_ms=10_000,
                model_id="music_v1",
                force_instrumental=True,
                store_for_inpainting=False,
                sign_with_c_2_pa=True,
                output_format="mp3_44100_192",
            )
        ),
        submit(
            "music/music_v1",
            prompt="a waltz",
            music_length_ms=10_000,
            force_instrumental=True,
            store_for_inpainting=False,
            sign_with_c2pa=True,
            output_format="mp3_44100_192",
        ),
    ),
    "the key's test": (
        "subscription",
        lambda client: client.user.subscription.get(),
        lambda ours: ours.test_request(KEY),
    ),
}


def said(name: str) -> Say:
    stored = stored_answer("elevenlabs", name)
    return Say(stored.status, stored.body, {"Content-Type": stored.headers["content-type"]})


def send_theirs(server: ScriptedServer, call: Theirs) -> Received:
    with httpx.Client(trust_env=False) as http:
        call(ElevenLabs(api_key=KEY.secret, base_url=server.url, httpx_client=http))
    return server.received[-1]


def send_ours(server: ScriptedServer, build: Ours) -> Received:
    transport = RequestsTransport()
    request = build(ElevenLabsAdapter(base_url=server.url))
    transport.send(request, provider="elevenlabs", operation=Operation.GENERATE)
    transport.close()
    return server.received[-1]


def on_the_wire(received: Received) -> tuple[object, ...]:
    address = urlsplit(received.path)
    return (
        received.method,
        address.path,
        dict(parse_qsl(address.query)),
        received.headers.get("xi-api-key"),
        received.headers.get("accept"),
        received.headers.get("content-type"),
        json.loads(received.body) if received.body else None,
    )


@pytest.mark.parametrize("name", CALLS)
def test_the_same_request_is_on_the_wire(name: str) -> None:
    answer, theirs, ours = CALLS[name]
    with serving(said(answer)) as server:
        assert on_the_wire(send_ours(server, ours)) == on_the_wire(send_theirs(server, theirs))
