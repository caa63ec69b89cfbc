"""A provider shaped like Luma, added by a JSON entry alone: our client against the simulator, faults included."""

import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from lib.domain.errors import ProviderError
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
from lib.providers.client import HttpProviderClient
from local.providers.luma import LOCAL_KEY, PATH
from local.providers.server import Providers, running
from local.providers.settings import Settings
from tests.fakes.adapter_clients import accepted, client_of
from tests.fakes.http_entries import adapter_of, luma_entry
from tests.fakes.until import until
from tests.fakes.upload_house import UploadHouse

KEY = Credential("luma", LOCAL_KEY)
VIDEO, IMAGE = "video/ray-2", "image/photon-1"
PATIENCE_SECONDS = 10.0


@pytest.fixture(scope="module")
def simulator() -> Iterator[Providers]:
    with running("luma", settings=Settings(latency=0.05, hold_seconds=3.0)) as simulator:
        yield simulator


@pytest.fixture
def house() -> Iterator[UploadHouse]:
    with UploadHouse() as house:
        yield house


@pytest.fixture
def client(simulator: Providers) -> Iterator[HttpProviderClient]:
    adapter = adapter_of(luma_entry(), "luma", f"{simulator.urls['luma']}{PATH}")
    with client_of(adapter) as client:
        yield client


def submit(
    client: HttpProviderClient, prompt: str, model: str = VIDEO, callback: str | None = None, **values: Any
) -> SubmitResult:
    return client.submit(Submission(str(uuid4()), 1, model, {"prompt": prompt, **values}, 600), KEY, callback)


def remote_of(result: SubmitResult) -> RemoteJob:
    return RemoteJob(str(accepted(result).provider_job_id), VIDEO)


def ended(client: HttpProviderClient, remote: RemoteJob) -> ProviderUpdate:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (update := client.poll(remote, KEY)).status.final:
        assert time.monotonic() < deadline, update
        time.sleep(0.02)
    return update


@pytest.mark.parametrize(("model", "content_type"), [(VIDEO, "video/mp4"), (IMAGE, "image/jpeg")])
def test_a_job_completes_with_its_file(client: HttpProviderClient, model: str, content_type: str) -> None:
    update = ended(client, remote_of(submit(client, "a fox", model)))

    assert update.status is RemoteStatus.SUCCEEDED
    (output,) = update.outputs
    assert output.kind is OutputKind.URL
    assert httpx.get(output.value, trust_env=False).headers["content-type"] == content_type


def test_a_running_job_is_canceled_and_gone(client: HttpProviderClient) -> None:
    remote = remote_of(submit(client, "a fox [sim:slow=60s]"))

    assert client.cancel(remote, KEY).status is RemoteStatus.CANCELED

    for ask in (client.poll, client.cancel):
        with pytest.raises(ProviderError, match="Generation not found") as caught:
            ask(remote, KEY)
        assert caught.value.code == FailureKind.NOT_FOUND.value


def test_each_change_is_told_to_the_callback(client: HttpProviderClient, house: UploadHouse) -> None:
    remote = remote_of(submit(client, "a fox", callback=house.callback_url))
    ended(client, remote)

    seen: list[ProviderUpdate] = []
    while not seen or not seen[-1].status.final:
        headers, body = house.webhooks.get(timeout=PATIENCE_SECONDS)
        assert "authorization" not in headers
        seen.append(client.adapter.parse_webhook(headers, body, (), None))  # type: ignore[arg-type]  # unused
    assert [update.status for update in seen] == [RemoteStatus.RUNNING, RemoteStatus.SUCCEEDED]
    assert {update.provider_job_id for update in seen} == {remote.provider_job_id}
    assert seen[-1].outputs


def test_what_the_provider_receives_is_the_input_with_what_is_ours(
    client: HttpProviderClient, simulator: Providers
) -> None:
    remote_of(submit(client, "a fox", aspect_ratio="1:1", duration="9s", loop=True))

    log = httpx.get(f"{simulator.urls['luma']}/_sim/log", trust_env=False).json()
    entry = next(found for found in reversed(log["requests"]) if found["method"] == "POST")
    assert entry["path"] == f"{PATH}/generations/video"
    assert json.loads(json.dumps(entry["body"])) == {
        "prompt": "a fox",
        "aspect_ratio": "1:1",
        "duration": "9s",
        "loop": True,
        "model": "ray-2",
    }
    assert LOCAL_KEY not in json.dumps(log)


@pytest.mark.parametrize(
    ("prompt", "outcome", "kind"),
    [
        ("[sim:401]", SubmitOutcome.REFUSED, FailureKind.AUTHENTICATION),
        ("[sim:402]", SubmitOutcome.REFUSED, FailureKind.BILLING),
        ("[sim:422]", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT),
        ("[sim:429]", SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED),
        ("[sim:500]", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        ("[sim:502-html]", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        ("[sim:no-answer]", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        ("[sim:accept-no-answer]", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        ("", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT),
    ],
)
def test_what_goes_wrong_with_a_submit_is_judged(
    client: HttpProviderClient, prompt: str, outcome: SubmitOutcome, kind: FailureKind
) -> None:
    result = submit(client, prompt)

    assert result.outcome is outcome
    assert result.failure is not None
    assert result.failure.kind is kind


@pytest.mark.parametrize(
    ("model", "values", "words"),
    [
        (VIDEO, {"duration": "7s"}, "duration: Input should be 5s or 9s"),
        (VIDEO, {"resolution": "480p"}, "resolution: Input should be 540p or 720p or 1080p or 4k"),
        (VIDEO, {"aspect_ratio": "2:1"}, "aspect_ratio: Input should be"),
        (IMAGE, {"format": "webp"}, "format: Input should be jpg or png"),
        ("video/ray-1", {}, "model: Input should be ray-2 or ray-flash-2"),
    ],
)
def test_what_luma_does_not_make_is_refused_in_its_words(
    client: HttpProviderClient, model: str, values: dict[str, Any], words: str
) -> None:
    result = submit(client, "a fox", model, **values)
    assert result.failure is not None
    assert (result.outcome, result.failure.kind) == (SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT)
    assert words in result.failure.message


@pytest.mark.parametrize(
    ("prompt", "kind"), [("[sim:nsfw]", FailureKind.MODERATION), ("[sim:fail]", FailureKind.MODEL_ERROR)]
)
def test_a_job_that_fails_says_why(client: HttpProviderClient, prompt: str, kind: FailureKind) -> None:
    update = ended(client, remote_of(submit(client, f"a fox {prompt}")))

    assert update.status is RemoteStatus.FAILED
    assert update.failure is not None
    assert update.failure.kind is kind


def test_an_unknown_word_is_waited_out(client: HttpProviderClient) -> None:
    remote = remote_of(submit(client, "a fox [sim:unknown-status] [sim:slow=1s]"))
    now = until(
        lambda: client.poll(remote, KEY),
        lambda update: update.status is RemoteStatus.UNKNOWN or update.status.final,
    )

    assert (now.status, now.raw_status) == (RemoteStatus.UNKNOWN, "napping")
    assert ended(client, remote).status is RemoteStatus.SUCCEEDED


def test_the_test_proves_a_key(client: HttpProviderClient) -> None:
    assert client.test(KEY) == "1250.0"
    with pytest.raises(ProviderError, match="Not authenticated") as caught:
        client.test(Credential("luma", "luma-invalid-key"))
    assert caught.value.code == FailureKind.AUTHENTICATION.value
