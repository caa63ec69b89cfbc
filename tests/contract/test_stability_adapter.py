"""Our client of Stability against the simulator, over HTTP, faults included."""

import base64
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from lib.domain.errors import ProviderError
from lib.domain.media_type import MediaType
from lib.domain.provider import (
    Credential,
    FailureKind,
    OutputKind,
    ProviderUpdate,
    RemoteJob,
    RemoteStatus,
    Submission,
    SubmitOutcome,
    SubmitResult,
)
from lib.domain.sniff import sniff
from lib.providers.client import HttpProviderClient
from lib.providers.stability import StabilityAdapter
from local.providers.server import Providers, running
from local.providers.settings import Settings
from local.providers.stability import LOCAL_KEY, REQUESTS
from tests.fakes.adapter_clients import accepted, client_of
from tests.fakes.media_files import image_bytes

KEY = Credential("stability", LOCAL_KEY)
CORE = "stable-image/generate/core"
AUDIO_2 = "audio/stable-audio-2/text-to-audio:stable-audio-2.5"
AUDIO_3 = "audio/stable-audio/text-to-audio:stable-audio-3"
UPSCALE = "stable-image/upscale/creative"
RELIGHT = "stable-image/edit/replace-background-and-relight"
PICTURE = f"data:image/png;base64,{base64.b64encode(image_bytes()).decode()}"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Providers]:
    with running("stability", settings=Settings(latency=0.05, hold_seconds=5.0)) as simulator:
        yield simulator


@pytest.fixture
def client(simulator: Providers) -> Iterator[HttpProviderClient]:
    with client_of(StabilityAdapter(base_url=simulator.urls["stability"])) as client:
        yield client


@pytest.fixture
def key() -> Credential:
    """An account of its own, so that one test does not lock another out."""
    return Credential("stability", f"sk-{uuid4()}")


def submit(client: HttpProviderClient, key: Credential, model_ref: str, **values: Any) -> SubmitResult:
    return client.submit(Submission(str(uuid4()), 1, model_ref, values, 600), key, None)


def end_of(
    client: HttpProviderClient, key: Credential, model_ref: str, identity: str | None
) -> ProviderUpdate:
    """Poll until the end of the job, or of the test's time limit; each poll waits for the simulator's thread."""
    assert identity is not None
    while not (update := client.poll(RemoteJob(identity, model_ref), key)).status.final:
        assert update.provider_job_id == identity
    return update


def content_of(update: ProviderUpdate) -> bytes:
    [output], [blob] = update.outputs, update.blobs
    assert (output.kind, output.value) == (OutputKind.BLOB, blob.name)
    with blob.open() as file:
        return file.read()


@pytest.mark.parametrize(
    ("model_ref", "values", "media", "mime"),
    [
        (CORE, {"prompt": "a fox", "output_format": "webp"}, MediaType.IMAGE, "image/webp"),
        (
            "stable-image/generate/ultra",
            {"prompt": "a fox", "image": PICTURE, "strength": 0.5},
            MediaType.IMAGE,
            "image/png",
        ),
        (
            "stable-image/generate/sd3:sd3.5-large-turbo",
            {"prompt": "a fox", "output_format": "jpeg"},
            MediaType.IMAGE,
            "image/jpeg",
        ),
        (AUDIO_2, {"prompt": "rain", "duration": 1, "output_format": "wav"}, MediaType.AUDIO, "audio/wav"),
    ],
)
def test_a_synchronous_model_answers_with_its_file(
    client: HttpProviderClient,
    key: Credential,
    model_ref: str,
    values: dict[str, Any],
    media: MediaType,
    mime: str,
) -> None:
    update = accepted(submit(client, key, model_ref, seed=7, **values))
    assert (update.status, update.raw_status) == (RemoteStatus.SUCCEEDED, "SUCCESS, seed 7")
    found = sniff(content_of(update)[:4096], media)
    assert found is not None
    assert found.mime == mime


@pytest.mark.parametrize(
    ("model_ref", "values", "media"),
    [
        (AUDIO_3, {"prompt": "rain", "duration": 1}, MediaType.AUDIO),
        (UPSCALE, {"prompt": "a fox", "image": PICTURE}, MediaType.IMAGE),
        (RELIGHT, {"background_prompt": "a wood", "subject_image": PICTURE}, MediaType.IMAGE),
    ],
)
def test_an_asynchronous_model_is_polled_to_its_file(
    client: HttpProviderClient, key: Credential, model_ref: str, values: dict[str, Any], media: MediaType
) -> None:
    started = accepted(submit(client, key, model_ref, **values))
    assert started.status is RemoteStatus.QUEUED
    update = end_of(client, key, model_ref, started.provider_job_id)
    assert update.status is RemoteStatus.SUCCEEDED
    assert sniff(content_of(update)[:4096], media) is not None


@pytest.mark.parametrize("model_ref", [CORE, AUDIO_3])
def test_a_filtered_result_is_moderation(client: HttpProviderClient, key: Credential, model_ref: str) -> None:
    update = accepted(submit(client, key, model_ref, prompt="a fox [sim:nsfw]"))
    if not update.status.final:
        update = end_of(client, key, model_ref, update.provider_job_id)
    assert update.failure is not None
    assert (update.status, update.failure.kind) == (RemoteStatus.FAILED, FailureKind.MODERATION)


@pytest.mark.parametrize(
    ("fault", "outcome", "kind"),
    [
        ("429", SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED),
        ("500", SubmitOutcome.DEFERRED, FailureKind.OUTAGE),
        ("503", SubmitOutcome.DEFERRED, FailureKind.OUTAGE),
        ("fail", SubmitOutcome.DEFERRED, FailureKind.OUTAGE),
        ("502-html", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        ("reset", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        ("no-answer", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        ("accept-no-answer", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        ("truncated-output", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        ("401", SubmitOutcome.REFUSED, FailureKind.AUTHENTICATION),
        ("402", SubmitOutcome.REFUSED, FailureKind.BILLING),
        ("422", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT),
        ("nsfw=prompt", SubmitOutcome.REFUSED, FailureKind.MODERATION),
    ],
)
def test_each_fault_of_a_submit_has_its_outcome_and_is_sent_once(
    simulator: Providers,
    client: HttpProviderClient,
    key: Credential,
    fault: str,
    outcome: SubmitOutcome,
    kind: FailureKind,
) -> None:
    prompt = f"{uuid4()} [sim:{fault}]"
    result = submit(client, key, CORE, prompt=prompt)
    assert result.failure is not None
    assert (result.outcome, result.failure.kind) == (outcome, kind)
    assert result.failure.retry_after_seconds == (60.0 if fault == "429" else None)
    assert sum(prompt in str(entry["body"]) for entry in simulator.world.log) == 1


def test_an_accepted_job_whose_answer_was_lost_is_unknown(
    client: HttpProviderClient, key: Credential
) -> None:
    result = submit(client, key, AUDIO_3, prompt="rain [sim:accept-no-answer]", duration=1)
    assert result.outcome is SubmitOutcome.UNKNOWN


def test_a_result_belongs_to_its_key(client: HttpProviderClient, key: Credential) -> None:
    identity = accepted(submit(client, key, UPSCALE, prompt="a fox", image=PICTURE)).provider_job_id
    assert identity is not None
    with pytest.raises(ProviderError) as raised:
        client.poll(RemoteJob(identity, UPSCALE), KEY)
    assert raised.value.code == FailureKind.NOT_FOUND.value
    with pytest.raises(ProviderError) as raised:  # and to its kind of media
        client.poll(RemoteJob(identity, AUDIO_3), key)
    assert raised.value.code == FailureKind.NOT_FOUND.value


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("purged", FailureKind.NOT_FOUND),
        ("get-503", FailureKind.OUTAGE),
        ("get-429", FailureKind.RATE_LIMITED),
        ("get-401", FailureKind.AUTHENTICATION),
    ],
)
def test_each_fault_of_a_poll_is_told(
    client: HttpProviderClient, key: Credential, fault: str, kind: FailureKind
) -> None:
    started = accepted(submit(client, key, AUDIO_3, prompt=f"rain [sim:{fault}=x9]", duration=1))
    assert started.provider_job_id is not None
    with pytest.raises(ProviderError) as raised:
        client.poll(RemoteJob(started.provider_job_id, AUDIO_3), key)
    assert raised.value.code == kind.value


def test_a_word_that_nobody_knows_leaves_the_job_running(client: HttpProviderClient, key: Credential) -> None:
    started = accepted(submit(client, key, AUDIO_3, prompt="rain [sim:unknown-status]", duration=1))
    assert end_of(client, key, AUDIO_3, started.provider_job_id).status is RemoteStatus.SUCCEEDED


def test_a_key_that_asks_too_often_is_locked_out_for_a_minute(
    client: HttpProviderClient, key: Credential
) -> None:
    for _ in range(REQUESTS):
        assert client.test(key)
    result = submit(client, key, CORE, prompt="a fox")
    assert result.failure is not None
    assert (result.outcome, result.failure.kind) == (SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED)
    assert result.failure.retry_after_seconds == 60
    assert client.test(KEY)  # another key is not


def test_the_key_is_proved(client: HttpProviderClient) -> None:
    assert client.test(KEY) == "1000.00 credits"
    for wrong in ("invalid", "sk-invalid"):
        with pytest.raises(ProviderError) as raised:
            client.test(Credential("stability", wrong))
        assert raised.value.code == FailureKind.AUTHENTICATION.value
