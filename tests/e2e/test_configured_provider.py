"""Providers added by JSON alone: one shaped like Luma works through the whole gateway; a hostile one gets nowhere."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.cloud import LocalCloud
from local.settings import CloudSettings, Part
from tests.e2e.caller import Caller

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PARTS = frozenset({Part.POSTGRES, Part.REDIS, Part.AWS, Part.PROVIDERS})
SECRET = "hostile-provider-key"


class Hostile:
    """A provider of one's own whose outputs are wherever a prompt says; it keeps what it was sent."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.outputs: dict[str, str] = {}
        house = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                values = json.loads(self.rfile.read(int(self.headers["content-length"])))
                job_id = f"job-{len(house.outputs)}"
                house.outputs[job_id] = str(values["prompt"]).partition(" ")[0]
                self._answer({"id": job_id, "state": "queued"})

            def do_GET(self) -> None:
                job_id = self.path.rpartition("/")[2]
                url = house.outputs.get(job_id)
                self._answer({"id": job_id, "state": "completed", "assets": {"video": url}})

            def _answer(self, body: dict[str, Any]) -> None:
                house.seen.append((self.path, self.headers.get("authorization", "")))
                raw = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's own name
                """Nothing is written."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def hostile() -> Iterator[Hostile]:
    server = Hostile()
    yield server
    server.close()


@pytest.fixture(scope="module")
def own_cloud(tmp_path_factory: pytest.TempPathFactory, hostile: Hostile) -> Iterator[LocalCloud]:
    providers = json.loads((EXAMPLES / "provider-luma.json").read_text())["providers"]
    providers["hostile"] = providers["luma"] | {
        "baseUrl": hostile.url,
        "idPattern": "job-[0-9]+",
        "modelPattern": "(?P<kind>video)/(?P<model>any)",
        "webhook": {"proof": "none"},
        "credentials": [{"name": "apiKey"}],
        "variable": "HOSTILE_KEY",
    }
    models = json.loads((EXAMPLES / "models-luma.json").read_text())
    models["video"]["hostile"] = models["video"]["luma-ray-2"] | {
        "provider": "hostile",
        "version": "video/any",
    }
    settings = CloudSettings(
        port=0,
        directory=Path(tmp_path_factory.mktemp("own-cloud")) / ".local",
        parameters={"PollAfterSeconds": "2"},
        environment={
            "PROVIDERS_CONFIG": json.dumps({"providers": providers}),
            "MODELS_CONFIG": json.dumps(models),
            "UNPRICED_MODELS": "allowed",
            "HOSTILE_KEY": SECRET,
        },
        parts=PARTS,
    )
    with LocalCloud(settings) as cloud:
        yield cloud


@pytest.fixture
def own(own_cloud: LocalCloud) -> Iterator[Caller]:
    with Caller(own_cloud) as caller:
        yield caller


def started(own: Caller, prompt: str, model: str = "luma-ray-2", **wishes: Any) -> str:
    return own.start(prompt, model=model, media="video", **wishes)


def test_a_job_completes_with_its_file(own: Caller) -> None:
    status = own.ended(started(own, "a fox", aspect_ratio="1:1", duration="5s"))

    assert status["status"] == "completed", status
    (output,) = status["outputs"]
    assert output["contentType"] == "video/mp4"
    assert httpx.get(output["originalUrl"], trust_env=False).content[4:8] == b"ftyp"


@pytest.mark.parametrize("fault", ["lost-webhook", "duplicate-webhook", "late-webhook=1s"])
def test_webhooks_may_be_lost_late_or_twice(own: Caller, fault: str) -> None:
    assert own.ended(started(own, f"a fox [sim:{fault}]"))["status"] == "completed"


def test_a_running_job_is_canceled(own: Caller) -> None:
    job_id = started(own, "a fox [sim:slow=120s]")
    own.until(lambda: own.status(job_id), lambda now: now["status"] != "queued")

    assert own.api.post(f"/jobs/{job_id}/cancel").status_code in (200, 202)

    assert own.ended(job_id)["status"] == "canceled"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.5/internal.mp4",
        "https://[fd00::1]/internal.mp4",
        "https://localhost/internal.mp4",
    ],
)
def test_an_output_at_a_forbidden_address_is_refused_as_any_other_providers(own: Caller, url: str) -> None:
    status = own.ended(started(own, url, model="hostile"))

    assert status["status"] == "failed"
    assert "output_forbidden_address" in json.dumps(status)


def test_the_key_goes_to_the_base_url_alone(own: Caller, hostile: Hostile) -> None:
    """The output is at the provider itself, by another name: it is not even asked for, and no key is sent."""
    before = len(hostile.seen)
    port = hostile.url.rpartition(":")[2]
    own.ended(started(own, f"http://localhost:{port}/file/job-0", model="hostile"))

    assert {key for path, key in hostile.seen if path.startswith("/generations")} == {f"Bearer {SECRET}"}
    assert not [path for path, _key in hostile.seen[before:] if path.startswith("/file")]
