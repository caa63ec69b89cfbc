"""`python -m local.every_model`: one job for each model of the catalogue on a local cloud of its own, and their table.

Exits with 1 unless each job completed with a file. MODEL=... (part of an id) runs those alone.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from lib.domain.errors import InvalidParametersError
from lib.domain.model_config import ModelConfig
from lib.stores.models_source import load_catalogue
from local.backing.moto import REPOSITORY
from local.cloud import LocalCloud
from local.model_examples import smallest
from local.settings import CloudSettings

FINAL = ("completed", "failed", "canceled")
PATIENCE_SECONDS = 120.0
AT_ONCE = 4
MODELS = REPOSITORY / "config" / "models"


@dataclass(frozen=True)
class Outcome:
    """What became of one model's job."""

    model: ModelConfig
    status: str
    seconds: float
    file: str
    remark: str = ""

    @property
    def good(self) -> bool:
        """Whether it completed with a file."""
        return self.status == "completed" and bool(self.file)


def run(api: httpx.Client, models: Sequence[ModelConfig]) -> list[Outcome]:
    """One job for each model, some at a time; the outcomes in the catalogue's order."""
    with ThreadPoolExecutor(AT_ONCE) as executor:
        return list(executor.map(lambda model: _try(api, model), models))


def table(outcomes: Sequence[Outcome]) -> str:
    """The outcomes as text, one line each."""
    head = ("MODEL", "PROVIDER", "MEDIA", "STATUS", "SECONDS", "FILE")
    rows = [
        (
            outcome.model.id,
            outcome.model.provider,
            outcome.model.media_type.value,
            outcome.status,
            f"{outcome.seconds:.1f}",
            outcome.file or outcome.remark,
        )
        for outcome in outcomes
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
    good = sum(outcome.good for outcome in outcomes)
    return "\n".join([*lines, f"{good} of {len(outcomes)} models completed with a file"])


def _try(api: httpx.Client, model: ModelConfig) -> Outcome:
    began = time.monotonic()
    try:
        body = {"mediaType": model.media_type.value, "modelId": model.id, "parameters": smallest(model)}
    except InvalidParametersError as error:
        return Outcome(model, "no example", 0.0, "", error.message)
    answer = api.post("/generate-media", json={**body, "fallback": False})
    if answer.status_code != 202:
        return Outcome(model, f"HTTP {answer.status_code}", time.monotonic() - began, "", answer.text[:200])
    status: dict[str, Any] = {}
    while time.monotonic() - began < PATIENCE_SECONDS:
        status = api.get(f"/status/{answer.json()['jobId']}").json()
        if status["status"] in FINAL:
            break
        time.sleep(0.2)
    seconds = time.monotonic() - began
    return Outcome(model, status["status"], seconds, _file(status), status.get("error") or "")


def _file(status: dict[str, Any]) -> str:
    """What the first output is, once its bytes have been read from where the status says."""
    result = status.get("result")
    if not result:
        return ""
    body = httpx.get(result["originalUrl"], trust_env=False, timeout=30)
    if body.status_code != 200 or len(body.content) != result["fileSize"]:
        return ""
    size = f" {result['width']}x{result['height']}" if result["width"] else ""
    length = f" {result['duration']:.1f} s" if result["duration"] else ""
    return f"{result['contentType']}{size}{length}, {len(body.content)} bytes"


@contextmanager
def own_cloud() -> Iterator[httpx.Client]:
    """A local cloud on free ports that goes with the block; prices that are not known are no reason to refuse here."""
    with tempfile.TemporaryDirectory(prefix="every-model-") as directory:
        settings = CloudSettings(
            port=0,
            directory=Path(directory) / ".local",
            parameters={"UnpricedModels": "allowed", "RateLimitPerHour": "100000"},
        )
        with LocalCloud(settings) as cloud:
            if cloud.endpoints is None:
                raise RuntimeError("the local cloud has no API")
            key = {"Authorization": f"Bearer {cloud.endpoints.api_key}"}
            with httpx.Client(
                base_url=cloud.endpoints.api_url, headers=key, timeout=60, trust_env=False
            ) as api:
                yield api


def main() -> int:
    """Print the table; 0 if every model completed with a file."""
    wanted = os.environ.get("MODEL", "")
    models = [model for model in load_catalogue(str(MODELS)) if wanted in model.id]
    with own_cloud() as api:
        outcomes = run(api, models)
    print(table(outcomes))
    return 0 if all(outcome.good for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
