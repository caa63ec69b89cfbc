"""What is sent to ElevenLabs, call by call, and what is refused before it is sent."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from lib.domain.errors import ConfigurationError, InvalidError
from lib.domain.http_exchange import HttpRequest
from lib.domain.provider import Credential, RemoteJob, Submission, SubmitSafety
from lib.providers.elevenlabs import ElevenLabsAdapter

KEY = Credential("elevenlabs", "sk_secret")
VOICE = "21m00Tcm4TlvDq8ikWAM"
SPEECH = "text-to-speech/eleven_multilingual_v2"

adapter = ElevenLabsAdapter()


def submit(model_ref: str, **values: Any) -> HttpRequest:
    return adapter.submit_request(Submission("j1", 1, model_ref, values, 600), KEY, "https://ignored.example")


def test_speech_has_its_voice_in_the_path_and_its_format_in_the_query() -> None:
    settings = {"stability": 0.5, "use_speaker_boost": True}
    request = submit(
        SPEECH,
        text="Hello, café",
        voice_id=VOICE,
        output_format="mp3_44100_128",
        enable_logging=False,
        voice_settings=settings,
        seed=0,
        language_code=None,
    )
    parts = urlsplit(request.url)
    assert (request.method, parts.path) == ("POST", f"/v1/text-to-speech/{VOICE}")
    assert dict(parse_qsl(parts.query)) == {"output_format": "mp3_44100_128", "enable_logging": "false"}
    assert request.headers == {"xi-api-key": "sk_secret", "Accept": "*/*"}
    assert request.json_body == {
        "text": "Hello, café",
        "voice_settings": settings,
        "seed": 0,
        "model_id": "eleven_multilingual_v2",
    }
    assert request.media_answer


@pytest.mark.parametrize(
    ("model_ref", "path", "values"),
    [
        (
            "sound-generation/eleven_text_to_sound_v2",
            "sound-generation",
            {"text": "rain", "duration_seconds": 2.5},
        ),
        ("music/music_v1", "music", {"prompt": "a waltz", "music_length_ms": 10_000}),
    ],
)
def test_effects_and_music_name_their_model_in_the_body(
    model_ref: str, path: str, values: dict[str, Any]
) -> None:
    request = submit(model_ref, **values)
    assert request.url == f"https://api.elevenlabs.io/v1/{path}"
    assert request.json_body == {**values, "model_id": model_ref.partition("/")[2]}


def test_the_model_is_the_catalogues_and_no_parameters() -> None:
    request = submit("music/music_v1", prompt="a waltz", model_id="another")
    assert request.json_body["model_id"] == "music_v1"


@pytest.mark.parametrize(
    "voice", [None, "", 7, "short", "../../../v1/user", "21m00Tcm4TlvDq8ikWAM?x=1", "a" * 65]
)
def test_an_impossible_voice_is_not_put_into_an_address(voice: Any) -> None:
    with pytest.raises(InvalidError, match="is not the id of a voice"):
        submit(SPEECH, text="Hello", voice_id=voice)


@pytest.mark.parametrize(
    "model_ref", ["", "eleven_v3", "text-to-speech/", "user/me", "music/../user", "music/a/b"]
)
def test_a_model_that_is_none_is_a_wrong_setting(model_ref: str) -> None:
    with pytest.raises(ConfigurationError, match="is no model of ElevenLabs"):
        submit(model_ref, text="Hello", voice_id=VOICE)


def test_the_key_is_proved_by_the_subscription() -> None:
    request = adapter.test_request(KEY)
    assert (request.method, request.url) == ("GET", "https://api.elevenlabs.io/v1/user/subscription")


def test_the_key_is_in_one_header_and_in_no_repr() -> None:
    for request in (submit(SPEECH, text="Hello", voice_id=VOICE), adapter.test_request(KEY)):
        assert "sk_secret" not in request.url
        assert "sk_secret" not in repr(request)
        assert [name for name, value in request.headers.items() if "sk_secret" in value] == ["xi-api-key"]


def test_its_answer_is_the_result_and_nothing_can_be_done_about_it_later() -> None:
    assert adapter.is_synchronous(SPEECH)
    assert adapter.traits.submit_safety is SubmitSafety.NONE
    assert not adapter.traits.claimable
    assert adapter.poll_request(RemoteJob("r1", SPEECH), KEY) is None
    assert adapter.cancel_request(RemoteJob("r1", SPEECH), KEY) is None


def test_a_region_has_an_address_of_its_own() -> None:
    eu = ElevenLabsAdapter(base_url="https://api.eu.residency.elevenlabs.io/")
    assert eu.test_request(KEY).url == "https://api.eu.residency.elevenlabs.io/v1/user/subscription"
