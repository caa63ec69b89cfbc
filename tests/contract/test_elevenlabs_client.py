"""ElevenLabs's official Python client against the simulator: another base address, and nothing else changed."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from elevenlabs.client import ElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.core.request_options import RequestOptions
from elevenlabs.errors import UnprocessableEntityError

from lib.domain.media_type import MediaType
from lib.domain.sniff import sniff
from local.providers.elevenlabs import LOCAL_KEY
from local.providers.server import Providers, running
from local.providers.settings import Settings

VOICE = "21m00Tcm4TlvDq8ikWAM"
ONCE = RequestOptions(max_retries=0)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Providers]:
    with running("elevenlabs", settings=Settings(latency=0.05)) as simulator:
        yield simulator


@pytest.fixture
def connect(simulator: Providers) -> Iterator[Callable[[str], ElevenLabs]]:
    with httpx.Client(trust_env=False) as http:
        yield lambda key: ElevenLabs(api_key=key, base_url=simulator.urls["elevenlabs"], httpx_client=http)


@pytest.fixture
def client(connect: Callable[[str], ElevenLabs]) -> ElevenLabs:
    return connect(LOCAL_KEY)


@pytest.mark.parametrize(
    ("output_format", "mime"),
    [
        ("mp3_22050_32", "audio/mpeg"),
        ("mp3_44100_128", "audio/mpeg"),
        ("wav_8000", "audio/wav"),
        ("opus_48000_64", "audio/ogg"),
    ],
)
def test_speech_is_a_real_file_of_the_format(client: ElevenLabs, output_format: str, mime: str) -> None:
    audio = b"".join(client.text_to_speech.convert(VOICE, text="Hello", output_format=output_format))
    found = sniff(audio[:4096], MediaType.AUDIO)
    assert found is not None
    assert found.mime == mime


def test_raw_samples_come_without_a_container(client: ElevenLabs) -> None:
    audio = b"".join(client.text_to_speech.convert(VOICE, text="Hello", output_format="pcm_8000"))
    assert sniff(audio[:4096], MediaType.AUDIO) is None


def test_the_headers_tell_the_cost_and_the_load(client: ElevenLabs) -> None:
    with client.text_to_speech.with_raw_response.convert(VOICE, text="Hello") as answer:
        headers = answer.headers
        assert b"".join(answer.data)
    assert headers["character-cost"] == "5"
    assert headers["maximum-concurrent-requests"] == "5"
    assert headers["request-id"]


def test_effects_and_music_are_made(client: ElevenLabs) -> None:
    assert b"".join(client.text_to_sound_effects.convert(text="rain", duration_seconds=0.5))
    assert b"".join(client.music.compose(prompt="a waltz", music_length_ms=3000, model_id="music_v1"))


def test_the_account_its_voices_and_models_are_listed(client: ElevenLabs) -> None:
    assert client.user.subscription.get().tier == "creator"
    assert VOICE in {voice.voice_id for voice in client.voices.get_all().voices}
    assert "eleven_v3" in {model.model_id for model in client.models.list()}


@pytest.mark.parametrize("key", ["invalid", "sk_invalid"])
def test_a_wrong_key_is_refused(connect: Callable[[str], ElevenLabs], key: str) -> None:
    with pytest.raises(ApiError) as raised:
        connect(key).user.subscription.get(request_options=ONCE)
    assert raised.value.status_code == 401
    assert raised.value.body["detail"]["code"] == "invalid_api_key"


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("x" * 10_001, 400, "text_too_long"),
        (" ", 400, "empty_text"),
        ("[sim:429]", 429, "rate_limit_exceeded"),
        ("[sim:402]", 402, "insufficient_credits"),
        ("[sim:402=old]", 401, None),
        ("[sim:fail=out of breath]", 500, "internal_error"),
        ("[sim:503]", 503, "service_unavailable"),
    ],
)
def test_each_refusal_is_read(client: ElevenLabs, text: str, status: int, code: str | None) -> None:
    with pytest.raises(ApiError) as raised:
        list(client.text_to_speech.convert(VOICE, text=text, request_options=ONCE))
    assert raised.value.status_code == status
    assert raised.value.body["detail"].get("code") == code


def test_fastapis_list_is_read(client: ElevenLabs) -> None:
    with pytest.raises(UnprocessableEntityError) as raised:
        list(client.text_to_speech.convert(VOICE, text="[sim:422]", request_options=ONCE))
    assert isinstance(raised.value.body["detail"], list)


def test_a_voice_that_is_none_is_not_found(client: ElevenLabs) -> None:
    with pytest.raises(ApiError) as raised:
        list(client.text_to_speech.convert("nobody00", text="Hello", request_options=ONCE))
    assert raised.value.body["detail"]["code"] == "voice_not_found"


def test_it_repeats_nothing_that_costs(client: ElevenLabs) -> None:
    """Its retries are for other calls: those that stream audio are sent once, as ours are."""
    options = RequestOptions(max_retries=2)
    text = "Hello again [sim:429=1sx1]"
    with pytest.raises(ApiError):
        list(client.text_to_speech.convert(VOICE, text=text, request_options=options))
    assert b"".join(client.text_to_speech.convert(VOICE, text=text, request_options=options))
