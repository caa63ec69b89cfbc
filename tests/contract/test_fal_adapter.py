"""Our client of fal against the simulator, over HTTP, faults included."""

import itertools
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from lib.domain.errors import ProviderError, UnauthenticatedError
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
from lib.providers.fal import FalAdapter
from local.providers import fal
from local.providers.server import Providers, running
from local.providers.settings import Settings
from tests.fakes.adapter_clients import SUBMIT_FAULTS, accepted, assert_came_to, client_of, until_final
from tests.fakes.simulator_receiver import receiver

KEY = Credential("fal", fal.LOCAL_KEY)
FLUX = "fal-ai/flux/schnell"
SMALL = {"image_size": {"width": 128, "height": 96}}

jobs = itertools.count(1)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Providers]:
    settings = Settings(latency=0.05, hold_seconds=5.0, webhook_retry_seconds=(0.05, 0.1))
    with running("fal", settings=settings) as providers:
        yield providers


@pytest.fixture
def client(simulator: Providers) -> Iterator[HttpProviderClient]:
    with client_of(FalAdapter(**fal.addresses(simulator.urls["fal"]))) as client:
        yield client


def submit(client: HttpProviderClient, prompt: str, callback: str | None = None, **more: Any) -> SubmitResult:
    submission = Submission(f"job-{next(jobs)}", 1, FLUX, {"prompt": prompt, **SMALL, **more}, 600)
    return client.submit(submission, KEY, callback)


def remote_of(result: SubmitResult) -> RemoteJob:
    return RemoteJob(str(accepted(result).provider_job_id), FLUX)


def end_of(client: HttpProviderClient, result: SubmitResult) -> ProviderUpdate:
    remote = remote_of(result)
    return until_final(lambda: client.poll(remote, KEY))


def log_of(simulator: Providers, **wanted: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{simulator.urls['fal']}/_sim/log", params=wanted).json()[
        "requests"
    ]
    return found


def test_a_request_is_made_and_polled_to_its_outputs(client: HttpProviderClient) -> None:
    update = end_of(client, submit(client, "a lighthouse", num_images=2))
    assert update.status is RemoteStatus.SUCCEEDED
    assert len(update.outputs) == 2


def test_every_parameter_arrives_and_the_key_is_not_kept(
    client: HttpProviderClient, simulator: Providers
) -> None:
    submit(client, "a lighthouse that arrives", seed=3, callback="http://127.0.0.1:9/hook?token=t")
    [entry] = log_of(simulator, body="a lighthouse that arrives")
    assert entry["body"] == {"prompt": "a lighthouse that arrives", **SMALL, "seed": 3}
    assert (entry["method"], entry["path"], entry["status"]) == ("POST", f"/{FLUX}", 200)
    assert entry["query"] == {"fal_webhook": "http://127.0.0.1:9/hook?token=t"}
    assert fal.LOCAL_KEY not in str(log_of(simulator))


def test_a_cancel_ends_the_request(client: HttpProviderClient) -> None:
    remote = remote_of(submit(client, "a lighthouse [sim:never-finishes]"))
    assert not client.cancel(remote, KEY).status.final
    assert until_final(lambda: client.poll(remote, KEY)).status is RemoteStatus.CANCELED
    assert client.cancel(remote, KEY).status is RemoteStatus.UNKNOWN


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
    ("prompt", "kind"),
    [
        ("a lighthouse [sim:nsfw]", FailureKind.MODERATION),
        ("a lighthouse [sim:fail=no light]", FailureKind.OUTAGE),
        ("", FailureKind.INVALID_INPUT),
    ],
)
def test_each_bad_end_is_told_by_poll_and_by_webhook(
    client: HttpProviderClient, prompt: str, kind: FailureKind
) -> None:
    secret = client.webhook_secret(KEY)
    with receiver() as inbox:
        result = submit(client, prompt, f"{inbox.url}/hook")
        told = end_of(client, result)
        [webhook] = inbox.wait_for(1)
    heard = client.adapter.parse_webhook(webhook.headers, webhook.body, [str(secret)], datetime.now(UTC))
    for update in (told, heard):
        assert update.status is RemoteStatus.FAILED
        assert update.failure is not None
    assert told.failure is not None
    assert told.failure.kind is kind


def test_an_unknown_status_is_waited_out(client: HttpProviderClient) -> None:
    remote = remote_of(submit(client, "a lighthouse [sim:unknown-status] [sim:slow=200ms]"))
    seen = set()
    while not (update := client.poll(remote, KEY)).status.final:
        seen.add(update.status)
    assert RemoteStatus.UNKNOWN in seen
    assert update.status is RemoteStatus.SUCCEEDED


def test_a_poll_that_fails_may_be_repeated(client: HttpProviderClient) -> None:
    remote = remote_of(submit(client, "a lighthouse [sim:get-500]"))
    with pytest.raises(ProviderError) as caught:
        client.poll(remote, KEY)
    assert (caught.value.code, caught.value.retryable) == (FailureKind.OUTAGE, True)
    once = submit(client, "a lighthouse [sim:get-503=x1]")  # a read is asked again by itself
    assert end_of(client, once).status is RemoteStatus.SUCCEEDED


def heard(client: HttpProviderClient, webhook: Any) -> ProviderUpdate:
    secret = str(client.webhook_secret(KEY))
    headers: Mapping[str, str] = webhook.headers
    return client.adapter.parse_webhook(headers, webhook.body, [secret], datetime.now(UTC))


def test_its_webhooks_are_proved_by_the_keys_that_it_publishes(client: HttpProviderClient) -> None:
    with receiver() as inbox:
        remote = remote_of(submit(client, "a lighthouse", f"{inbox.url}/hook"))
        [webhook] = inbox.wait_for(1)
    update = heard(client, webhook)
    assert (update.status, update.provider_job_id) == (RemoteStatus.SUCCEEDED, remote.provider_job_id)
    assert client.adapter.webhook_id(webhook.headers) == remote.provider_job_id
    assert client.adapter.hinted_job_id(webhook.body) == remote.provider_job_id
    assert len(update.outputs) == 1


def test_a_webhook_that_comes_twice_has_one_id(client: HttpProviderClient) -> None:
    with receiver() as inbox:
        submit(client, "a lighthouse [sim:duplicate-webhook]", f"{inbox.url}/hook")
        both = inbox.wait_for(2)
    assert len({client.adapter.webhook_id(webhook.headers) for webhook in both}) == 1


@pytest.mark.parametrize("fault", ["forged-webhook", "stale-webhook"])
def test_a_false_webhook_proves_nothing(client: HttpProviderClient, fault: str) -> None:
    with receiver() as inbox:
        submit(client, f"a lighthouse [sim:{fault}]", f"{inbox.url}/hook")
        outcomes = [_outcome(client, webhook) for webhook in inbox.wait_for(2)]
    assert sorted(outcomes) == ["genuine", "refused"]


def _outcome(client: HttpProviderClient, webhook: Any) -> str:
    try:
        heard(client, webhook)
    except UnauthenticatedError:
        return "refused"
    return "genuine"


def test_a_refused_webhook_is_sent_again(client: HttpProviderClient) -> None:
    with receiver(500) as inbox:
        submit(client, "a lighthouse", f"{inbox.url}/hook")
        assert len(inbox.wait_for(2)) == 2


def test_a_lost_webhook_is_never_sent_and_the_request_ends_all_the_same(
    client: HttpProviderClient, simulator: Providers
) -> None:
    with receiver() as inbox:
        result = submit(client, "a lighthouse [sim:lost-webhook]", f"{inbox.url}/hook")
        assert end_of(client, result).status is RemoteStatus.SUCCEEDED
        inside = httpx.get(f"{simulator.urls['fal']}/_sim/tasks/{accepted(result).provider_job_id}").json()
        assert [delivery["result"] for delivery in inside["deliveries"]] == ["lost"]
        assert inbox.received == []


def test_files_are_fetched_without_the_key(client: HttpProviderClient, simulator: Providers) -> None:
    [output] = end_of(client, submit(client, "a lighthouse")).outputs
    assert httpx.get(output.value).content.startswith(b"\x89PNG")
    assert httpx.get(f"{simulator.urls['fal']}/_sim/media").json()["leaks"] == []
    [gone] = end_of(client, submit(client, "a lighthouse [sim:expired-output]")).outputs
    assert httpx.get(gone.value).status_code == 404
    [html] = end_of(client, submit(client, "a lighthouse [sim:wrong-type]")).outputs
    assert b"<!doctype html>" in httpx.get(html.value).content


def test_the_key_is_proved_and_a_wrong_one_is_not(client: HttpProviderClient) -> None:
    assert client.test(KEY)
    with pytest.raises(ProviderError) as caught:
        client.test(Credential("fal", "invalid:key"))
    assert caught.value.code == FailureKind.AUTHENTICATION
