"""Our client of Replicate against the simulator, over HTTP, faults included."""

import itertools
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lib.domain.provider import (
    Credential,
    FailureKind,
    OutputKind,
    ProviderUpdate,
    RecoveredPrediction,
    RemoteJob,
    RemoteStatus,
    Submission,
    SubmitOutcome,
    SubmitResult,
)
from lib.providers.client import HttpProviderClient
from lib.providers.replicate import ReplicateAdapter
from local.replicate.server import Simulator, running
from local.replicate.settings import DEFAULT_TOKEN, Settings
from tests.fakes.adapter_clients import SUBMIT_FAULTS, accepted, assert_came_to, client_of, until_final
from tests.fakes.simulator_receiver import receiver

KEY = Credential("replicate", DEFAULT_TOKEN)
FLUX = "black-forest-labs/flux-schnell"
SDXL = "stability-ai/sdxl:7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc"
LLAMA = "meta/meta-llama-3-8b-instruct"
NOWHERE = "http://127.0.0.1:9/webhook/replicate"

jobs = itertools.count(1)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running(Settings(latency=0.05, hold_seconds=5.0)) as simulator:
        yield simulator


@pytest.fixture
def client(simulator: Simulator) -> Iterator[HttpProviderClient]:
    with client_of(ReplicateAdapter(base_url=simulator.api_base)) as client:
        yield client


def submission(prompt: str, model_ref: str = FLUX, **more: Any) -> Submission:
    return Submission(f"job-{next(jobs)}", 1, model_ref, {"prompt": prompt, **more}, 600)


def submit(client: HttpProviderClient, prompt: str, **more: Any) -> SubmitResult:
    return client.submit(submission(prompt, **more), KEY, None)


def accepted_id(result: SubmitResult) -> str:
    prediction = accepted(result).provider_job_id
    assert prediction is not None
    return prediction


def end_of(client: HttpProviderClient, result: SubmitResult) -> ProviderUpdate:
    prediction = accepted_id(result)
    return until_final(lambda: client.poll(RemoteJob(prediction), KEY))


@pytest.mark.parametrize(
    ("model_ref", "parameters", "kind"),
    [
        (FLUX, {}, OutputKind.URL),
        (SDXL, {"width": 256, "height": 256}, OutputKind.URL),
        (LLAMA, {}, OutputKind.TEXT),
    ],
)
def test_a_prediction_is_made_and_polled_to_its_outputs(
    client: HttpProviderClient, model_ref: str, parameters: Mapping[str, Any], kind: OutputKind
) -> None:
    update = end_of(client, submit(client, "a lighthouse", model_ref=model_ref, **parameters))
    assert update.status is RemoteStatus.SUCCEEDED
    assert [output.kind for output in update.outputs] == [kind]
    assert update.billed_seconds is not None


def test_a_cancel_ends_the_prediction(client: HttpProviderClient) -> None:
    prediction = accepted_id(submit(client, "a lighthouse [sim:never-finishes]"))
    client.cancel(RemoteJob(prediction), KEY)
    assert until_final(lambda: client.poll(RemoteJob(prediction), KEY)).status is RemoteStatus.CANCELED


@pytest.mark.parametrize(
    ("fault", "outcome", "kind"),
    [*SUBMIT_FAULTS, ("422=version", SubmitOutcome.REFUSED, FailureKind.NOT_FOUND)],
)
def test_each_fault_of_a_submit_has_its_outcome(
    client: HttpProviderClient, fault: str, outcome: SubmitOutcome, kind: FailureKind
) -> None:
    result = submit(client, f"a lighthouse [sim:{fault}]")
    assert_came_to(result, fault, outcome, kind)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("fail", FailureKind.OUTAGE), ("nsfw", FailureKind.MODERATION), ("aborted", FailureKind.ABORTED)],
)
def test_each_bad_end_is_told(client: HttpProviderClient, fault: str, kind: FailureKind) -> None:
    update = end_of(client, submit(client, f"a lighthouse [sim:{fault}]"))
    assert update.failure is not None
    assert update.failure.kind is kind


def lost_then_found(
    client: HttpProviderClient, prompt: str, callback: str | None
) -> RecoveredPrediction | None:
    lost = submission(prompt)
    url = f"{callback}?job={lost.job_id}&attempt=1&token=t" if callback else None
    before = datetime.now(UTC)
    assert client.submit(lost, KEY, url).outcome is SubmitOutcome.UNKNOWN
    after = before - timedelta(seconds=1)
    return client.recover(lost, KEY, url, created_after=after, created_before=datetime.now(UTC))


@pytest.mark.parametrize("callback", [NOWHERE, None], ids=["by its address", "by its input"])
def test_a_submit_that_was_accepted_and_never_answered_is_found(
    client: HttpProviderClient, callback: str | None
) -> None:
    found = lost_then_found(client, f"a lost lighthouse, {callback} [sim:accept-no-answer]", callback)
    assert found is not None
    assert client.poll(RemoteJob(found.provider_job_id), KEY).provider_job_id == found.provider_job_id


def test_a_submit_that_never_arrived_is_not_found(client: HttpProviderClient) -> None:
    assert lost_then_found(client, "a sunken lighthouse [sim:reset]", NOWHERE) is None


def test_its_webhooks_are_proved_by_the_secret_that_it_hands_out(client: HttpProviderClient) -> None:
    secret = client.webhook_secret(KEY)
    assert secret is not None
    with receiver() as inbox:
        prediction = accepted_id(client.submit(submission("a lighthouse"), KEY, f"{inbox.url}/hook"))
        received = inbox.wait_for(2)
        updates = [
            client.adapter.parse_webhook(webhook.headers, webhook.body, [secret], datetime.now(UTC))
            for webhook in received
        ]
    assert {update.provider_job_id for update in updates} == {prediction}
    assert RemoteStatus.SUCCEEDED in {update.status for update in updates}
    assert all(client.adapter.webhook_id(webhook.headers) for webhook in received)


def test_the_key_is_proved(client: HttpProviderClient) -> None:
    assert client.test(KEY)
