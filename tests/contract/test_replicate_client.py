"""Replicate's official Python client against the simulator: another base address, and nothing else changed."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest
from replicate.client import Client
from replicate.exceptions import ModelError, ReplicateError
from replicate.helpers import FileOutput
from replicate.pagination import paginate
from replicate.webhook import InvalidSignatureError, Webhooks, WebhookSigningSecret
from standardwebhooks import Webhook

from lib.providers.standard_webhooks import verify
from local.replicate.server import Simulator, running
from local.replicate.settings import DEFAULT_TOKEN, Settings
from tests.fakes.simulator_receiver import receiver

FLUX = "black-forest-labs/flux-schnell"
SDXL = "7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc"
LLAMA = "meta/meta-llama-3-8b-instruct"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running(Settings(latency=0.3)) as simulator:
        yield simulator


@pytest.fixture
def client(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("REPLICATE_BASE_URL", simulator.api_base)
    monkeypatch.setenv("REPLICATE_API_TOKEN", DEFAULT_TOKEN)
    monkeypatch.setenv("REPLICATE_POLL_INTERVAL", "0.02")
    client = Client()
    yield client
    client._client.close()


@contextmanager
def closing(simulator: Simulator, token: str) -> Iterator[Client]:
    """A client with another token, whose connections do not outlive it."""
    client = Client(api_token=token, base_url=simulator.api_base)
    try:
        yield client
    finally:
        client._client.close()


def test_a_prediction_by_version_is_created_and_read_to_its_end(client: Client) -> None:
    prediction = client.predictions.create(
        version=SDXL, input={"prompt": "a lighthouse", "width": 256, "height": 256}
    )
    assert (prediction.status, prediction.model, prediction.version) == (
        "starting",
        "stability-ai/sdxl",
        SDXL,
    )
    prediction.wait()
    assert prediction.status == "succeeded"
    assert client.predictions.get(prediction.id).output == prediction.output
    assert prediction.progress is not None
    assert prediction.progress.percentage == 1.0
    assert prediction.metrics is not None
    assert prediction.metrics["total_time"] >= prediction.metrics["predict_time"] > 0


def test_an_official_model_is_created_by_its_name_and_hides_its_version(client: Client) -> None:
    prediction = client.predictions.create(model=FLUX, input={"prompt": "a kite"})
    assert (prediction.model, prediction.version) == (FLUX, "hidden")


def test_running_with_wait_gives_file_outputs_that_can_be_read(client: Client) -> None:
    [file] = client.run(FLUX, input={"prompt": "a red kite", "output_format": "png"})
    assert isinstance(file, FileOutput)
    assert file.read().startswith(b"\x89PNG")


def test_running_a_version_reads_its_schema_first(client: Client) -> None:
    [file] = client.run(
        f"stability-ai/sdxl:{SDXL}", input={"prompt": "a red kite", "width": 256, "height": 256}
    )
    assert file.read().startswith(b"\x89PNG")


def test_a_file_output_is_read_from_the_media_host(client: Client) -> None:
    [url] = client.run(FLUX, input={"prompt": "a kite"}, wait=False)
    data = FileOutput(url, client).read()
    assert (data[:4], data[8:12]) == (b"RIFF", b"WEBP")


def test_running_a_text_model_gives_its_tokens(client: Client) -> None:
    tokens = client.run(LLAMA, input={"prompt": "say something"})
    assert "".join(tokens).startswith("[simulated] You asked: say something")


def test_a_text_model_streams_the_same_tokens(client: Client) -> None:
    values = {"prompt": "say something", "seed": 3}
    events = list(client.stream(LLAMA, input=values))
    assert events[-1].event.value == "done"
    assert "".join(str(event) for event in events) == "".join(client.run(LLAMA, input=values))


def test_a_failed_model_raises_with_its_error(client: Client) -> None:
    with pytest.raises(ModelError, match="out of ideas"):
        client.run(FLUX, input={"prompt": "[sim:fail=out of ideas]"})


def test_cancel_ends_a_running_prediction_and_leaves_a_finished_one_alone(client: Client) -> None:
    running_one = client.predictions.create(model=FLUX, input={"prompt": "[sim:never-finishes]"})
    running_one.cancel()
    assert running_one.status == "canceled"
    finished = client.predictions.create(model=FLUX, input={"prompt": "a kite"})
    finished.wait()
    before = client.predictions.get(finished.id)
    assert client.predictions.cancel(finished.id) == before


def test_lists_go_over_pages_newest_first(simulator: Simulator) -> None:
    with closing(simulator, "r8_many_predictions") as client:
        made = [
            client.predictions.create(model=LLAMA, input={"prompt": str(number)}).id for number in range(105)
        ]
        pages = list(paginate(client.predictions.list))
        assert [len(page) for page in pages] == [100, 5]
        assert [prediction.id for page in pages for prediction in page] == made[::-1]
        assert pages[1].previous is not None
        assert [prediction.id for prediction in client.predictions.list(pages[1].previous)] == made[:4:-1]


def test_files_are_uploaded_and_used_as_input(client: Client) -> None:
    [picture] = client.run(FLUX, input={"prompt": "a kite", "output_format": "png"})
    upload = client.files.create(io.BytesIO(picture.read()), filename="kite.png", metadata={"from": "a test"})
    assert (upload.name, upload.content_type, upload.metadata) == (
        "kite.png",
        "image/png",
        {"from": "a test"},
    )
    assert [file.id for file in client.files.list()] == [upload.id]
    version = client.models.get("stability-ai/stable-video-diffusion").latest_version
    assert version is not None
    video = client.run(
        f"stability-ai/stable-video-diffusion:{version.id}", input={"input_image": upload.urls["get"]}
    )
    assert isinstance(video, FileOutput)
    assert video.read()[4:8] == b"ftyp"
    assert client.files.delete(upload.id)
    with pytest.raises(ReplicateError, match="File not found"):
        client.files.get(upload.id)


def test_account_hardware_and_models_are_there(client: Client) -> None:
    assert client.accounts.current().username == "simulator"
    assert "gpu-t4" in [hardware.sku for hardware in client.hardware.list()]
    assert {f"{model.owner}/{model.name}" for model in client.models.list()} >= {FLUX, LLAMA, "meta/musicgen"}
    assert [model.name for model in client.models.search("music")] == ["musicgen"]
    assert client.models.get("stability-ai/sdxl").versions.list()[0].id == SDXL


def test_a_wrong_token_and_a_wrong_input_are_errors_with_replicates_words(
    simulator: Simulator, client: Client
) -> None:
    wrong = pytest.raises(ReplicateError, match="You did not pass a valid authentication token")
    with closing(simulator, "r8_invalid") as stranger, wrong:
        stranger.accounts.current()
    with pytest.raises(ReplicateError, match="Must be less than or equal to 4"):
        client.predictions.create(model=FLUX, input={"prompt": "a kite", "num_outputs": 5})


def test_both_official_verifiers_accept_a_real_webhook(client: Client) -> None:
    secret = client.webhooks.default.secret()
    with receiver() as inbox:
        prediction = client.predictions.create(
            model=FLUX,
            input={"prompt": "a käse kite"},
            webhook=inbox.url,
            webhook_events_filter=["completed"],
        )
        [webhook] = inbox.wait_for(1)
    request = httpx.Request("POST", inbox.url, headers=webhook.headers, content=webhook.body)
    Webhooks.validate(request, secret=secret, tolerance=60)
    body = Webhook(secret.key).verify(webhook.body, webhook.headers)
    assert (body["id"], body["status"]) == (prediction.id, "succeeded")
    tampered = httpx.Request("POST", inbox.url, headers=webhook.headers, content=webhook.body + b" ")
    with pytest.raises(InvalidSignatureError):
        Webhooks.validate(tampered, secret=secret)


def test_the_gateways_own_verifier_accepts_it_too(client: Client) -> None:
    secret = client.webhooks.default.secret().key
    with receiver() as inbox:
        client.predictions.create(model=LLAMA, input={"prompt": "hello"}, webhook=inbox.url)
        webhook = inbox.wait_for(1)[0]
    webhook_id = verify(webhook.headers, webhook.body, [secret], datetime.now(UTC))
    assert webhook_id == webhook.headers["webhook-id"]


def test_during_a_rotation_both_the_old_and_the_new_secret_verify(
    simulator: Simulator, client: Client
) -> None:
    old = client.webhooks.default.secret()
    new = WebhookSigningSecret(**httpx.post(f"{simulator.api_base}/_sim/secret/rotate").json())
    try:
        with receiver() as inbox:
            client.predictions.create(model=LLAMA, input={"prompt": "hello"}, webhook=inbox.url)
            webhook = inbox.wait_for(1)[0]
        assert old.key != new.key == client.webhooks.default.secret().key
        for secret in (old, new):
            Webhooks.validate(headers=webhook.headers, body=webhook.body.decode(), secret=secret)
    finally:
        httpx.post(f"{simulator.api_base}/_sim/reset")


def test_a_data_url_output_is_a_file_output_too(client: Client) -> None:
    prediction = client.predictions.create(
        model=FLUX, input={"prompt": "[sim:data-url] kite", "output_format": "jpg"}
    )
    prediction.wait()
    assert prediction.output is not None
    head, _, data = prediction.output[0].partition(",")
    assert head == "data:image/jpeg;base64"
    assert FileOutput(prediction.output[0], client).read() == base64.b64decode(data)
