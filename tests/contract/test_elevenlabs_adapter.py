"""Our client of ElevenLabs against the simulator, over HTTP, faults included."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from lib.domain.errors import ProviderError
from lib.domain.media_type import MediaType
from lib.domain.provider import (
    Credential,
    FailureKind,
    OutputKind,
    RemoteStatus,
    Submission,
    SubmitOutcome,
    SubmitResult,
)
from lib.domain.sniff import sniff
from lib.providers.client import HttpProviderClient
from lib.providers.elevenlabs import ElevenLabsAdapter
from local.providers.elevenlabs import AT_ONCE, LOCAL_KEY
from local.providers.server import Providers, running
from local.providers.settings import Settings
from tests.fakes.adapter_clients import assert_came_to, client_of

KEY = Credential("elevenlabs", LOCAL_KEY)
SPEECH = "text-to-speech/eleven_multilingual_v2"
VOICE = "JBFqnCBsd6RMkjVDRZzb"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Providers]:
    with running("elevenlabs", settings=Settings(latency=0.05, hold_seconds=5.0)) as simulator:
        yield simulator


@pytest.fixture
def client(simulator: Providers) -> Iterator[HttpProviderClient]:
    with client_of(ElevenLabsAdapter(base_url=simulator.urls["elevenlabs"])) as client:
        yield client


def make(client: HttpProviderClient, model_ref: str, *, key: Credential = KEY, **values: Any) -> SubmitResult:
    return client.submit(Submission(str(uuid4()), 1, model_ref, values, 600), key, None)


def say(client: HttpProviderClient, text: str, *, key: Credential = KEY) -> SubmitResult:
    return make(client, SPEECH, key=key, text=text, voice_id=VOICE)


@pytest.mark.parametrize(
    ("model_ref", "values"),
    [
        (SPEECH, {"text": "Hello", "voice_id": VOICE, "output_format": "opus_48000_64"}),
        ("sound-generation/eleven_text_to_sound_v2", {"text": "rain", "output_format": "wav_24000"}),
        ("music/music_v1", {"prompt": "a waltz", "music_length_ms": 3000}),
    ],
)
def test_the_audio_comes_as_a_blob_that_can_be_stored(
    client: HttpProviderClient, model_ref: str, values: dict[str, Any]
) -> None:
    result = make(client, model_ref, **values)
    assert result.outcome is SubmitOutcome.ACCEPTED, result.failure
    assert result.update is not None
    assert result.update.status is RemoteStatus.SUCCEEDED
    [output], [blob] = result.update.outputs, result.update.blobs
    assert (output.kind, output.value) == (OutputKind.BLOB, blob.name)
    with blob.open() as file:
        content = file.read()
    assert len(content) == blob.size
    assert sniff(content[:4096], MediaType.AUDIO) is not None


@pytest.mark.parametrize(
    ("fault", "outcome", "kind"),
    [
        ("429=30s", SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED),
        ("503", SubmitOutcome.DEFERRED, FailureKind.OUTAGE),
        ("500", SubmitOutcome.REFUSED, FailureKind.OUTAGE),
        ("502-html", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        ("reset", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        ("no-answer", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        ("accept-no-answer", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        ("truncated-output", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        ("401", SubmitOutcome.REFUSED, FailureKind.AUTHENTICATION),
        ("402", SubmitOutcome.REFUSED, FailureKind.BILLING),
        ("402=old", SubmitOutcome.REFUSED, FailureKind.BILLING),
        ("422", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT),
        ("nsfw", SubmitOutcome.REFUSED, FailureKind.MODERATION),
    ],
)
def test_each_fault_has_its_outcome_and_is_sent_once(
    simulator: Providers, client: HttpProviderClient, fault: str, outcome: SubmitOutcome, kind: FailureKind
) -> None:
    text = f"{uuid4()} [sim:{fault}]"
    result = say(client, text)
    assert_came_to(result, fault, outcome, kind)
    assert sum(text in str(entry["body"]) for entry in simulator.world.log) == 1


def test_more_at_once_than_the_plan_allows_wait(simulator: Providers, client: HttpProviderClient) -> None:
    key = Credential("elevenlabs", "sk_a_small_plan")
    with ThreadPoolExecutor(AT_ONCE) as threads:
        held = [threads.submit(say, client, f"held {i} [sim:slow=1s]", key=key) for i in range(AT_ONCE)]
        while sum("held" in str(entry["body"]) for entry in simulator.world.log) < AT_ONCE:
            pass
        one_more = say(client, "and I", key=key)
        assert {one.result().outcome for one in held} == {SubmitOutcome.ACCEPTED}
    assert one_more.failure is not None
    assert one_more.outcome is SubmitOutcome.DEFERRED
    assert one_more.failure.kind is FailureKind.RATE_LIMITED
    assert one_more.failure.retry_after_seconds == 5
    assert "concurrent_limit_exceeded" in one_more.failure.message


def test_the_key_is_proved(client: HttpProviderClient) -> None:
    assert client.test(KEY) == "creator plan, 1200 of 100000 credits used"
    with pytest.raises(ProviderError) as raised:
        client.test(Credential("elevenlabs", "sk_invalid"))
    assert raised.value.code == FailureKind.AUTHENTICATION.value
