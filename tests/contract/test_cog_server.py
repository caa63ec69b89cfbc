"""Our client against Cog's own server (cog 0.23.1) with the example predictor: no simulation on that side."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

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
from lib.providers.cog import CogAdapter
from lib.providers.transport import RequestsTransport
from local.cog.server import CogServer
from tests.fakes.cog_answers import JOB_ID, PREDICTION_ID
from tests.fakes.upload_house import UploadHouse

NO_KEY = Credential("cog", "")
TOKEN = "server-secret"
PATIENCE_SECONDS = 10.0


@pytest.fixture(scope="module")
def house() -> Iterator[UploadHouse]:
    with UploadHouse() as running:
        yield running


@pytest.fixture(scope="module")
def server(house: UploadHouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CogServer]:
    directory = tmp_path_factory.mktemp("cog") / "server"
    with CogServer(directory, upload_url=house.upload_url, webhook_token=TOKEN) as running:
        yield running


@pytest.fixture
def client(server: CogServer, house: UploadHouse) -> HttpProviderClient:
    house.clear()
    return HttpProviderClient(CogAdapter(server.url), RequestsTransport())


def submission(prompt: str = "a fox", *, attempt: int = 1, work_seconds: float = 0.1) -> Submission:
    values = {"prompt": prompt, "width": 64, "height": 64, "work_seconds": work_seconds}
    return Submission(JOB_ID, attempt, "default", values, 600)


def submitted(client: HttpProviderClient, house: UploadHouse, wanted: Submission) -> SubmitResult:
    """Submit until it is not busy any more: the test before may have left it working."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        result = client.submit(wanted, NO_KEY, house.callback_url)
        busy = result.outcome is SubmitOutcome.DEFERRED
        if not busy or time.monotonic() > deadline:
            return result


def ended(house: UploadHouse) -> ProviderUpdate:
    """What the webhook that ends it says, to our adapter with the server's token."""
    headers, body = house.last_webhook(PATIENCE_SECONDS)
    return CogAdapter().parse_webhook(headers, body, (TOKEN,), datetime.now(UTC))


def test_a_prediction_ends_by_webhook_with_its_file_put_where_it_was_sent_on_to(
    client: HttpProviderClient, house: UploadHouse
) -> None:
    result = submitted(client, house, submission())

    assert result.outcome is SubmitOutcome.ACCEPTED
    update = ended(house)
    assert (update.status, update.provider_job_id) == (RemoteStatus.SUCCEEDED, PREDICTION_ID)
    (output,) = update.outputs
    assert output.kind is OutputKind.OBJECT
    (path, stored), *_ = house.objects.items()
    assert path.endswith(output.value)
    assert stored.startswith(b"\x89PNG")


def test_the_upload_carries_token_and_prediction_and_the_token_goes_no_further(
    client: HttpProviderClient, house: UploadHouse
) -> None:
    submitted(client, house, submission())
    ended(house)

    first, second = house.uploads
    assert first["x-prediction-id"] == second["x-prediction-id"] == PREDICTION_ID
    assert first["authorization"].startswith("Basic ")
    assert "authorization" not in second
    assert second["content-type"] == "image/png"


def test_a_submit_that_is_sent_again_while_it_runs_does_not_run_twice(
    client: HttpProviderClient, house: UploadHouse, server: CogServer
) -> None:
    before, wanted = server.runs, submission(work_seconds=2.0)
    submitted(client, house, wanted)
    time.sleep(0.2)
    again = client.submit(wanted, NO_KEY, house.callback_url)

    assert again.outcome is SubmitOutcome.ACCEPTED
    assert again.update is not None
    assert (again.update.status, again.update.provider_job_id) == (RemoteStatus.RUNNING, PREDICTION_ID)
    assert ended(house).status is RemoteStatus.SUCCEEDED
    assert server.runs == before + 1


def test_a_busy_server_defers_another_prediction(client: HttpProviderClient, house: UploadHouse) -> None:
    submitted(client, house, submission(work_seconds=2.0))
    other = client.submit(submission(attempt=2), NO_KEY, house.callback_url)

    assert other.outcome is SubmitOutcome.DEFERRED
    assert other.failure is not None
    assert other.failure.kind is FailureKind.RATE_LIMITED
    assert ended(house).provider_job_id == PREDICTION_ID


def test_a_cancel_ends_what_runs(client: HttpProviderClient, house: UploadHouse) -> None:
    submitted(client, house, submission(work_seconds=30.0))
    time.sleep(0.2)

    said = client.cancel(RemoteJob(PREDICTION_ID, "default"), NO_KEY)

    assert said.status is RemoteStatus.UNKNOWN
    assert ended(house).status is RemoteStatus.CANCELED
    assert client.cancel(RemoteJob(PREDICTION_ID, "default"), NO_KEY).status is RemoteStatus.CANCELED


def test_the_predictors_words_reach_the_failure(client: HttpProviderClient, house: UploadHouse) -> None:
    submitted(client, house, submission("[fail]"))

    failure = ended(house).failure
    assert failure is not None
    assert "The prompt asked for a failure." in failure.message


def test_an_input_that_the_model_does_not_take_is_refused(
    client: HttpProviderClient, house: UploadHouse
) -> None:
    wrong = Submission(JOB_ID, 1, "default", {"prompt": "a fox", "width": 9}, 600)

    result = client.submit(wrong, NO_KEY, house.callback_url)

    assert result.outcome is SubmitOutcome.REFUSED
    assert result.failure is not None
    assert result.failure.message == "width: 9 is less than the minimum of 64"


def test_the_test_tells_the_servers_version(client: HttpProviderClient) -> None:
    assert client.test(NO_KEY) == "coglet 0.23.1"


def test_a_server_that_is_away_fails_the_test(tmp_path: Path) -> None:
    away = CogServer(tmp_path / "away").start()
    away.stop()
    with pytest.raises(ProviderError, match="cog"):
        HttpProviderClient(CogAdapter(away.url), RequestsTransport()).test(NO_KEY)
