"""What is sent to fal: method, address, headers and body of each call, and what is refused unsent."""

import json

import pytest

from lib.domain.errors import ConfigurationError, InvalidError
from lib.domain.http_exchange import HttpRequest
from lib.domain.provider import Credential, RemoteJob, Submission, UploadPolicy
from lib.providers.fal import FalAdapter

KEY = Credential("fal", "id:secret")
AUTHORIZED = {"Authorization": "Key id:secret", "Accept": "application/json"}
ID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
CALLBACK = "https://gateway.example/webhook/fal?job=j1&attempt=1&token=t"
INPUT = {"prompt": "a red fox", "image_size": {"width": 512, "height": 512}}
POLICY = UploadPolicy("https://media.s3.eu-west-1.amazonaws.com/", {"key": "temp/${filename}", "policy": "p"})

adapter = FalAdapter()


def submitted(
    model: str = "fal-ai/flux/schnell",
    callback: str | None = None,
    upload: UploadPolicy | None = None,
    seconds: int = 600,
) -> HttpRequest:
    submission = Submission("j1", 1, model, INPUT, seconds, upload)
    return adapter.submit_request(submission, KEY, callback)


def test_a_submit_goes_to_the_queue_with_the_input_as_its_body() -> None:
    request = submitted()
    assert (request.method, request.url) == ("POST", "https://queue.fal.run/fal-ai/flux/schnell")
    assert request.json_body == INPUT
    assert request.headers == {
        **AUTHORIZED,
        "X-Fal-Request-Timeout": "600.0",
        "X-Fal-Object-Lifecycle-Preference": '{"expiration_duration_seconds":86400}',
    }


def test_a_callback_is_asked_for_in_the_query() -> None:
    assert submitted(callback=CALLBACK).url == (
        "https://queue.fal.run/fal-ai/flux/schnell?fal_webhook="
        "https%3A%2F%2Fgateway.example%2Fwebhook%2Ffal%3Fjob%3Dj1%26attempt%3D1%26token%3Dt"
    )


def test_a_request_must_have_started_by_the_jobs_deadline() -> None:
    assert submitted(seconds=0).headers["X-Fal-Request-Timeout"] == "2.0"


def test_a_policy_goes_along_as_compact_json() -> None:
    sent = submitted(upload=POLICY).headers["X-App-Fal-Upload-Policy"]
    assert json.loads(sent) == {"url": POLICY.url, "fields": dict(POLICY.fields)}
    assert "\n" not in sent


def test_a_policy_that_fal_would_refuse_the_request_for_is_left_out() -> None:
    local = UploadPolicy("http://127.0.0.1:5000/media/", POLICY.fields)
    assert "X-App-Fal-Upload-Policy" not in submitted(upload=local).headers
    simulated = FalAdapter(queue_url="http://127.0.0.1:1")
    request = simulated.submit_request(Submission("j1", 1, "fal-ai/x", {}, 60, local), KEY, None)
    assert "X-App-Fal-Upload-Policy" in request.headers


@pytest.mark.parametrize(
    ("model", "app"),
    [
        ("fal-ai/flux/schnell", "fal-ai/flux"),
        ("fal-ai/kling-video/v2.6/pro/text-to-video", "fal-ai/kling-video"),
        ("someone/app", "someone/app"),
        ("workflows/someone/flow", "workflows/someone/flow"),
        ("comfy/someone/flow/more", "comfy/someone/flow"),
    ],
)
def test_status_result_and_cancel_are_asked_of_the_application_alone(model: str, app: str) -> None:
    remote, base = RemoteJob(ID, model), f"https://queue.fal.run/{app}/requests/{ID}"
    asked = [
        adapter.poll_request(remote, KEY),
        adapter.result_request(remote, KEY),
        adapter.cancel_request(remote, KEY),
    ]
    assert [(request.method, request.url) for request in asked] == [
        ("GET", f"{base}/status"),
        ("GET", base),
        ("PUT", f"{base}/cancel"),
    ]
    assert all(request.headers == AUTHORIZED and request.json_body is None for request in asked)


def test_the_key_is_proved_by_the_price_of_a_model() -> None:
    request = adapter.test_request(KEY)
    assert request.url == "https://api.fal.ai/v1/models/pricing?endpoint_id=fal-ai%2Fflux%2Fschnell"
    assert request.headers == AUTHORIZED


def test_the_public_keys_are_asked_for_without_ours() -> None:
    request = adapter.webhook_secret_request(KEY)
    assert request.url == "https://rest.fal.ai/.well-known/jwks.json"
    assert "Authorization" not in request.headers


@pytest.mark.parametrize(
    "model",
    ["flux", "", "/flux/schnell", "fal-ai//flux", "fal-ai/../x", "fal-ai/flux?x=1", "a/b/..", "a/b#c"],
)
def test_a_model_that_is_no_endpoint_is_refused_unsent(model: str) -> None:
    with pytest.raises(ConfigurationError, match="no endpoint of fal"):
        submitted(model)
    with pytest.raises(InvalidError, match="no endpoint of fal"):
        adapter.poll_request(RemoteJob(ID, model), KEY)


@pytest.mark.parametrize("request_id", ["", "short", "../../account", "a" * 200, f"{ID}/cancel", f"{ID}?x=1"])
def test_an_impossible_id_is_refused_unsent(request_id: str) -> None:
    with pytest.raises(InvalidError, match="not the id of a request"):
        adapter.cancel_request(RemoteJob(request_id, "fal-ai/flux"), KEY)


def test_an_address_over_plain_http_elsewhere_is_refused() -> None:
    for name in ("queue_url", "platform_url", "rest_url"):
        with pytest.raises(ConfigurationError, match="must be https"):
            FalAdapter(**{name: "http://fal.example"})


def test_requests_do_not_show_the_key() -> None:
    assert "secret" not in repr([submitted(), adapter.test_request(KEY)])
