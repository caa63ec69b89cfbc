"""Our client of Runway against the simulator, over HTTP, faults included."""

import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from lib.domain.errors import ProviderError
from lib.domain.provider import (
    Credential,
    FailureKind,
    ProviderUpdate,
    RemoteJob,
    RemoteStatus,
    Submission,
    SubmitOutcome,
    SubmitResult,
)
from lib.providers.client import HttpProviderClient
from lib.providers.runway import RunwayAdapter
from local.providers import runway
from local.providers.server import Providers, running
from local.providers.settings import Settings
from tests.fakes.adapter_clients import SUBMIT_FAULTS, accepted, assert_came_to, client_of, until_final

KEY = Credential("runway", runway.LOCAL_KEY)
MODEL = "text_to_image/gen4_image"

jobs = itertools.count(1)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Providers]:
    with running("runway", settings=Settings(latency=0.05, hold_seconds=5.0)) as providers:
        yield providers


@pytest.fixture
def client(simulator: Providers) -> Iterator[HttpProviderClient]:
    with client_of(RunwayAdapter(**runway.addresses(simulator.urls["runway"]))) as client:
        yield client


def submit(client: HttpProviderClient, prompt: str, **more: Any) -> SubmitResult:
    values = {"promptText": prompt, "ratio": "720:720", **more}
    return client.submit(Submission(f"job-{next(jobs)}", 1, MODEL, values, 600), KEY, None)


def remote_of(result: SubmitResult) -> RemoteJob:
    return RemoteJob(str(accepted(result).provider_job_id), MODEL)


def end_of(client: HttpProviderClient, result: SubmitResult) -> ProviderUpdate:
    remote = remote_of(result)
    return until_final(lambda: client.poll(remote, KEY))


def test_a_task_is_made_and_polled_to_its_output_and_its_price(client: HttpProviderClient) -> None:
    update = end_of(client, submit(client, "a lighthouse"))
    assert update.status is RemoteStatus.SUCCEEDED
    assert update.cost_usd == Decimal("0.05")
    assert httpx.get(update.outputs[0].value).content.startswith(b"\x89PNG")


def test_every_parameter_arrives_and_the_key_is_not_kept(
    client: HttpProviderClient, simulator: Providers
) -> None:
    submit(client, "a lighthouse that arrives", seed=3, contentModeration={"publicFigureThreshold": "low"})
    url = f"{simulator.urls['runway']}/_sim/log"
    [entry] = httpx.get(url, params={"body": "a lighthouse that arrives"}).json()["requests"]
    assert entry["body"] == {
        "promptText": "a lighthouse that arrives",
        "ratio": "720:720",
        "seed": 3,
        "contentModeration": {"publicFigureThreshold": "low"},
        "model": "gen4_image",
    }
    assert (entry["path"], entry["headers"]["x-runway-version"]) == ("/v1/text_to_image", "2024-11-06")
    assert runway.LOCAL_KEY not in httpx.get(url).text


def test_a_cancel_ends_the_task_and_may_be_repeated(client: HttpProviderClient) -> None:
    remote = remote_of(submit(client, "a lighthouse [sim:never-finishes]"))
    assert client.cancel(remote, KEY).status is RemoteStatus.CANCELED
    assert client.cancel(remote, KEY).status is RemoteStatus.CANCELED
    with pytest.raises(ProviderError) as caught:
        client.poll(remote, KEY)
    assert caught.value.code == FailureKind.NOT_FOUND


@pytest.mark.parametrize(
    ("fault", "outcome", "kind"),
    SUBMIT_FAULTS,
)
def test_each_fault_of_a_submit_has_its_outcome(
    client: HttpProviderClient, fault: str, outcome: SubmitOutcome, kind: FailureKind
) -> None:
    result = submit(client, f"a lighthouse [sim:{fault}]")
    assert_came_to(result, fault, outcome, kind)


@pytest.mark.parametrize(
    ("fault", "kind", "unbilled"),
    [("nsfw", FailureKind.MODERATION, False), ("fail", FailureKind.MODEL_ERROR, True)],
)
def test_each_bad_end_is_told_with_what_was_charged(
    client: HttpProviderClient, fault: str, kind: FailureKind, unbilled: bool
) -> None:
    update = end_of(client, submit(client, f"a lighthouse [sim:{fault}]"))
    assert update.failure is not None
    assert (update.failure.kind, update.failure.unbilled) == (kind, unbilled)


def test_an_unknown_status_is_waited_out(client: HttpProviderClient) -> None:
    remote = remote_of(submit(client, "a lighthouse [sim:unknown-status] [sim:slow=200ms]"))
    seen = set()
    while not (update := client.poll(remote, KEY)).status.final:
        seen.add(update.status)
    assert RemoteStatus.UNKNOWN in seen
    assert update.status is RemoteStatus.SUCCEEDED


def test_a_running_task_tells_its_progress(client: HttpProviderClient) -> None:
    remote = remote_of(submit(client, "a lighthouse [sim:slow=300ms]"))
    seen = [0.0]
    while not (update := client.poll(remote, KEY)).status.final:
        seen.append(update.progress or 0.0)
    assert 0 < max(seen) < 1
    assert update.progress == 1.0


def test_a_poll_that_fails_may_be_repeated(client: HttpProviderClient) -> None:
    remote = remote_of(submit(client, "a lighthouse [sim:get-500]"))
    with pytest.raises(ProviderError) as caught:
        client.poll(remote, KEY)
    assert (caught.value.code, caught.value.retryable) == (FailureKind.OUTAGE, True)


def test_the_key_is_proved_and_a_wrong_one_is_not(client: HttpProviderClient) -> None:
    assert client.test(KEY) == "an organization with 9000 credits"
    with pytest.raises(ProviderError) as caught:
        client.test(Credential("runway", "key_invalid"))
    assert caught.value.code == FailureKind.AUTHENTICATION
