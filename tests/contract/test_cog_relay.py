"""Files that are too large for the gateway: a real Cog server uploads them through the relay beside it."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from lib.domain.provider import Credential, OutputKind, ProviderUpdate, RemoteStatus, Submission
from lib.providers.client import HttpProviderClient
from lib.providers.cog import CogAdapter
from lib.providers.transport import RequestsTransport
from local.cog.server import CogServer
from local.cog.upload_relay import Relay
from tests.fakes.cog_answers import JOB_ID, PREDICTION_ID
from tests.fakes.upload_house import UploadHouse


@pytest.fixture
def house() -> Iterator[UploadHouse]:
    with UploadHouse() as house:
        house.limit_bytes = 1_000
        yield house


@pytest.fixture
def relay(house: UploadHouse) -> Iterator[str]:
    server = Relay(house.upload_url)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def drawn(server: CogServer, house: UploadHouse) -> ProviderUpdate:
    values = {"prompt": "a fox", "width": 256, "height": 256, "work_seconds": 0}
    client = HttpProviderClient(CogAdapter(server.url), RequestsTransport())
    client.submit(Submission(JOB_ID, 1, "default", values, 600), Credential("cog", ""), house.callback_url)
    headers, body = house.last_webhook(10)
    return CogAdapter().parse_webhook(headers, body, (), datetime.now(UTC))


def test_a_file_over_the_gateways_limit_fails_without_the_relay(house: UploadHouse, tmp_path: Path) -> None:
    with CogServer(tmp_path / "cog", upload_url=house.upload_url) as server:
        update = drawn(server, house)

    assert update.status is RemoteStatus.FAILED
    assert update.failure is not None
    assert "413" in update.failure.message


def test_with_the_relay_it_reaches_the_bucket_and_the_gateway_sees_no_byte_of_it(
    house: UploadHouse, relay: str, tmp_path: Path
) -> None:
    with CogServer(tmp_path / "cog", upload_url=relay) as server:
        update = drawn(server, house)

    (output,) = update.outputs
    assert output.kind is OutputKind.OBJECT
    ((path, stored),) = house.objects.items()
    assert path.endswith(output.value)
    assert len(stored) > house.limit_bytes
    asked, put = house.uploads
    assert (asked["content-length"], asked["x-prediction-id"]) == ("0", PREDICTION_ID)
    assert "authorization" not in put
    assert put["content-type"] == "image/png"


def test_what_the_gateway_refuses_is_no_success(relay: str, house: UploadHouse) -> None:
    house.limit_bytes = -1

    answer = httpx.put(
        f"{relay}x.png", content=b"x", headers={"X-Prediction-ID": PREDICTION_ID}, trust_env=False
    )

    assert answer.status_code == 502
    assert house.objects == {}
