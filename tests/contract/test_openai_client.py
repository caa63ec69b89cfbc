"""OpenAI's official Python client against the simulator: another base address, and nothing else changed."""

import base64
from collections.abc import Iterator

import openai
import pytest
from openai import OpenAI

from local.providers.openai import LOCAL_KEY
from local.providers.server import Providers, running
from local.providers.settings import Settings


@pytest.fixture(scope="module")
def simulator() -> Iterator[Providers]:
    with running("openai", settings=Settings(latency=0.2)) as providers:
        yield providers


@pytest.fixture
def client(simulator: Providers) -> Iterator[OpenAI]:
    with OpenAI(api_key=LOCAL_KEY, base_url=f"{simulator.urls['openai']}/v1", max_retries=0) as client:
        yield client


def test_images_are_made_and_told_with_their_tokens(client: OpenAI) -> None:
    made = client.images.generate(
        model="gpt-image-1-mini", prompt="a kite", n=2, size="1024x1024", quality="low", output_format="webp"
    )
    assert made.data is not None
    files = [base64.b64decode(image.b64_json or "") for image in made.data]
    assert [file[:4] for file in files] == [b"RIFF", b"RIFF"]
    assert files[0] != files[1]
    assert made.usage is not None
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens
    assert (made.quality, made.size, made.output_format) == ("low", "1024x1024", "webp")


def test_an_image_is_edited(client: OpenAI) -> None:
    made = client.images.edit(
        model="gpt-image-1.5", prompt="a hat", image=("a.png", b"\x89PNG\r\n\x1a\n", "image/png")
    )
    assert made.data is not None
    assert base64.b64decode(made.data[0].b64_json or "").startswith(b"\x89PNG")


def test_speech_is_read(client: OpenAI) -> None:
    spoken = client.audio.speech.create(
        model="tts-1", input="Good evening.", voice="coral", response_format="wav"
    )
    assert spoken.read()[:4] == b"RIFF"


def test_the_models_are_listed(client: OpenAI) -> None:
    assert {"gpt-image-1.5", "tts-1"} <= {model.id for model in client.models.list()}


def test_errors_are_the_clients_own_classes_with_openais_codes(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as blocked:
        client.images.generate(model="gpt-image-1.5", prompt="[sim:nsfw]")
    assert blocked.value.code == "moderation_blocked"
    with pytest.raises(openai.RateLimitError) as limited:
        client.images.generate(model="gpt-image-1.5", prompt="[sim:429]")
    assert (limited.value.code, limited.value.response.headers["retry-after"]) == ("rate_limit_exceeded", "1")
    with pytest.raises(openai.RateLimitError) as spent:
        client.images.generate(model="gpt-image-1.5", prompt="[sim:402]")
    assert spent.value.code == "insufficient_quota"
    with pytest.raises(openai.NotFoundError) as missing:
        client.images.generate(model="gpt-image-9", prompt="x")
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.InternalServerError):
        client.audio.speech.create(model="tts-1", input="[sim:500]", voice="coral")
    with pytest.raises(openai.BadRequestError) as wrong:
        client.audio.speech.create(model="tts-1", input="hello", voice="nobody")
    assert wrong.value.param == "voice"


def test_a_wrong_key_is_refused_in_openais_words(client: OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError) as raised:
        client.with_options(api_key="sk-invalid").models.list()
    assert raised.value.code == "invalid_api_key"
