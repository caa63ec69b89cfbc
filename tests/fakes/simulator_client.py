"""Short words for talking to a running simulator in tests."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from local.replicate.server import Simulator, running
from local.replicate.settings import DEFAULT_TOKEN, Settings

FLUX = "black-forest-labs/flux-schnell"
LLAMA = "meta/meta-llama-3-8b-instruct"
SDXL_VERSION = "7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc"
FINAL = ("succeeded", "failed", "canceled", "aborted")
QUICK = Settings(latency=0.1, webhook_retry_seconds=(0.05, 0.1), hold_seconds=0.3)
WAIT_SECONDS = 20


class Talk:
    """A simulator and a client with the default token."""

    def __init__(self, simulator: Simulator, http: httpx.Client) -> None:
        self.simulator = simulator
        self.http = http

    def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """One POST of JSON, whatever the answer."""
        return self.http.post(path, json=body, headers=headers)

    def submit(
        self, prompt: str, *, model: str = FLUX, headers: Mapping[str, str] | None = None, **body: Any
    ) -> httpx.Response:
        """A create by name; ``input`` in the body adds to the prompt."""
        values = {
            "prompt": prompt,
            **({"megapixels": "0.25"} if model == FLUX else {}),
            **body.pop("input", {}),
        }
        return self.post(f"/v1/models/{model}/predictions", {"input": values, **body}, headers)

    def create(self, prompt: str, **given: Any) -> dict[str, Any]:
        """A create that is accepted; the prediction."""
        answer = self.submit(prompt, **given)
        assert answer.status_code in (201, 202), answer.text
        prediction: dict[str, Any] = answer.json()
        return prediction

    def get(self, prediction_id: str) -> dict[str, Any]:
        """The prediction as it is now."""
        prediction: dict[str, Any] = self.http.get(f"/v1/predictions/{prediction_id}").json()
        return prediction

    def finished(self, prediction_id: str) -> dict[str, Any]:
        """The prediction once it is final."""
        ended: dict[str, Any] = self.until(
            lambda: self.get(prediction_id), lambda now: now["status"] in FINAL
        )
        return ended

    def run(self, prompt: str, **given: Any) -> dict[str, Any]:
        """Create and wait for the end."""
        return self.finished(self.create(prompt, **given)["id"])

    def inside(self, prediction_id: str) -> dict[str, Any]:
        """What the control API knows about it."""
        known: dict[str, Any] = self.http.get(f"/_sim/predictions/{prediction_id}").json()
        return known

    def creates(self) -> list[dict[str, Any]]:
        """The log of create requests."""
        log: list[dict[str, Any]] = self.http.get("/_sim/log").json()["creates"]
        return log

    def until(self, read: Callable[[], Any], is_so: Callable[[Any], bool]) -> Any:
        """Reads until it is so; fails after twenty seconds."""
        end = time.monotonic() + WAIT_SECONDS
        while not is_so(value := read()):
            assert time.monotonic() < end, value
            time.sleep(0.01)
        return value


@contextmanager
def talking(settings: Settings = QUICK) -> Iterator[Talk]:
    """A running simulator to talk to."""
    headers = {"authorization": f"Bearer {DEFAULT_TOKEN}"}
    with (
        running(settings) as simulator,
        httpx.Client(base_url=simulator.api_base, headers=headers, timeout=20) as http,
    ):
        yield Talk(simulator, http)
