"""fal's official Python client against the simulator: only where its hosts lead is changed."""

from collections.abc import Iterator

import httpx
import pytest
from fal_client import Completed, FalClientHTTPError, SyncClient
from fal_client.client import SyncRequestHandle

from local.providers import fal
from local.providers.server import running
from local.providers.settings import Settings
from tests.fakes.fal_hosts import fal_client_of

FLUX = "fal-ai/flux/schnell"
SMALL = {"image_size": {"width": 128, "height": 96}}
INTERVAL = 0.02


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running("fal", settings=Settings(latency=0.2)) as providers:
        yield providers.urls["fal"]


@pytest.fixture
def client(url: str) -> Iterator[SyncClient]:
    with fal_client_of(url, fal.LOCAL_KEY) as client:
        yield client


def result_of(handle: SyncRequestHandle) -> dict[str, object]:
    result: dict[str, object] = handle.get(interval=INTERVAL)
    return result


def test_a_request_is_submitted_followed_and_its_result_read(client: SyncClient) -> None:
    handle = client.submit(FLUX, {"prompt": "a red kite", "num_images": 2, "seed": 7, **SMALL})
    events = list(handle.iter_events(with_logs=True, interval=INTERVAL))
    assert isinstance(events[-1], Completed)
    assert events[-1].metrics["inference_time"] > 0
    images = result_of(handle)["images"]
    assert isinstance(images, list)
    assert [(image["width"], image["height"]) for image in images] == [(128, 96), (128, 96)]
    assert httpx.get(images[0]["url"]).content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("model", "values", "name", "begins"),
    [
        ("fal-ai/kling-video/v4/text-to-video", {"duration": "2", "resolution": "360p"}, "video", b"\0\0\0"),
        ("fal-ai/stable-audio-25/text-to-audio", {"seconds_total": 1}, "audio", b"ID3"),
    ],
)
def test_video_and_audio_models_make_real_files(
    client: SyncClient, model: str, values: dict[str, object], name: str, begins: bytes
) -> None:
    result = result_of(client.submit(model, {"prompt": "a kite", **values}))
    file = result[name]
    assert isinstance(file, dict)
    assert httpx.get(file["url"]).content.startswith(begins)


def test_the_addresses_in_the_answer_are_of_the_application_alone(client: SyncClient) -> None:
    handle = client.submit(FLUX, {"prompt": "a kite", **SMALL})
    base = f"/fal-ai/flux/requests/{handle.request_id}"
    addresses = (handle.response_url, handle.status_url, handle.cancel_url)
    assert [httpx.URL(address).path for address in addresses] == [base, f"{base}/status", f"{base}/cancel"]


def test_a_refused_prompt_is_an_error_with_its_type(client: SyncClient) -> None:
    handle = client.submit(FLUX, {"prompt": "a kite [sim:nsfw]", **SMALL})
    with pytest.raises(FalClientHTTPError) as caught:
        handle.get(interval=INTERVAL)
    assert caught.value.status_code == 422
    assert caught.value.response.json()["detail"][0]["type"] == "content_policy_violation"


def test_a_failed_request_is_completed_with_an_error(client: SyncClient) -> None:
    handle = client.submit(FLUX, {"prompt": "a kite [sim:fail=out of ideas]", **SMALL})
    *_, last = handle.iter_events(interval=INTERVAL)
    assert isinstance(last, Completed)
    assert (last.error, last.error_type) == ("out of ideas", "runner_server_error")


def test_a_request_is_canceled_once(client: SyncClient) -> None:
    handle = client.submit(FLUX, {"prompt": "a kite [sim:never-finishes]", **SMALL})
    handle.cancel()
    last = handle.status()
    assert isinstance(last, Completed)
    assert last.error_type == "client_cancelled"
    with pytest.raises(FalClientHTTPError) as caught:
        handle.cancel()
    assert (caught.value.status_code, caught.value.response.json()) == (400, {"status": "ALREADY_COMPLETED"})


def test_a_wrong_key_and_an_unknown_request_are_errors_in_fals_words(url: str, client: SyncClient) -> None:
    with (
        fal_client_of(url, "invalid:key") as stranger,
        pytest.raises(FalClientHTTPError, match="Authentication is required"),
    ):
        stranger.submit(FLUX, {"prompt": "a kite"})
    with pytest.raises(FalClientHTTPError) as caught:
        client.cancel(FLUX, "00000000-0000-0000-0000-000000000000")
    assert (caught.value.status_code, caught.value.response.json()) == (404, {"status": "NOT_FOUND"})


def test_another_key_sees_none_of_it(url: str, client: SyncClient) -> None:
    handle = client.submit(FLUX, {"prompt": "a kite", **SMALL})
    with fal_client_of(url, "somebody:else") as other, pytest.raises(FalClientHTTPError) as caught:
        other.status(FLUX, handle.request_id)
    assert caught.value.status_code == 404
