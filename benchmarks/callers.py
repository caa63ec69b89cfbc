"""A caller of the gateway over HTTP, as the benchmarks need it."""

import time
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx

from benchmarks.bench import BenchmarkError
from local.endpoints import Endpoints

FINAL = frozenset({"completed", "failed", "canceled"})
ROUTE = "POST /generate-media"


def small_image(prompt: str) -> dict[str, Any]:
    """The body of a request for the smallest picture that the catalogue's fastest model makes."""
    parameters = {"prompt": f"{prompt} {uuid4().hex}", "megapixels": "0.25"}
    return {"mediaType": "image", "modelId": "flux-schnell", "parameters": parameters}


class Caller:
    """One connection to the API with its key, and one to the simulator; used by one thread."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.headers = {"Authorization": f"Bearer {endpoints.api_key}"}
        self.api = httpx.Client(base_url=endpoints.api_url, headers=self.headers, timeout=60, trust_env=False)
        self.simulator = httpx.Client(base_url=endpoints.replicate_url, timeout=30, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.api.close()
        self.simulator.close()

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """Start a job: the answer. Raises BenchmarkError unless it is accepted."""
        answer = self.api.post("/generate-media", json=body)
        if answer.status_code != 202:
            raise BenchmarkError(f"creating answered {answer.status_code}: {answer.text}")
        created: dict[str, Any] = answer.json()
        return created

    def status(self, job_id: str) -> dict[str, Any]:
        """The status of a job."""
        found: dict[str, Any] = self.api.get(f"/status/{job_id}").raise_for_status().json()
        return found

    def ended(self, job_id: str, *, seconds: float = 60, pause: float = 0.05) -> dict[str, Any]:
        """The status as soon as it is final. Raises BenchmarkError if that takes longer than `seconds`."""
        give_up = time.monotonic() + seconds
        while (found := self.status(job_id))["status"] not in FINAL:
            if time.monotonic() > give_up:
                raise BenchmarkError(f"job {job_id} did not end within {seconds:g} s: {found}")
            time.sleep(pause)
        return found

    def completed(self, body: dict[str, Any]) -> dict[str, Any]:
        """Start a job and wait: its status. Raises BenchmarkError unless it is completed."""
        found = self.ended(self.create(body)["jobId"])
        if found["status"] != "completed":
            raise BenchmarkError(f"a job was not completed: {found}")
        return found

    def prediction(self, provider_job_id: str) -> dict[str, Any]:
        """A prediction as the simulator shows it."""
        answer = self.simulator.get(f"/_sim/predictions/{provider_job_id}").raise_for_status()
        found: dict[str, Any] = answer.json()["prediction"]
        return found
