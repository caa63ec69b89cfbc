"""Answers of configured providers: Luma's object of a generation, and a task in an envelope with a code."""

import json
from datetime import UTC, datetime
from typing import Any

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Credential, Submission
from tests.fakes.http_entries import KLING_LIKE, adapter_of, luma_entry

JOB_ID = "019aa3b2-c4d5-7e8f-9a0b-1c2d3e4f5a6b"
REMOTE = "b7e0bd2a-5c2f-4f7e-9a51-0d3a3f3c2b11"
KEY = Credential("luma", "luma-secret-key")
CALLBACK = "https://gateway.example/webhook/luma?job=j&attempt=1&token=t"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
VIDEO = "https://storage.cdn-luma.example/1.mp4"

luma = adapter_of(luma_entry(), "luma")
kling = adapter_of(KLING_LIKE)


def submission(model_ref: str = "video/ray-2", **values: Any) -> Submission:
    """Of a fox, with these further values of the input."""
    return Submission(JOB_ID, 1, model_ref, {"prompt": "a fox", **values}, 600)


def answer(status: int, body: Any = None, **headers: str) -> HttpResponse:
    """An answer of HTTP; `body` is bytes, or what becomes JSON."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return HttpResponse(status, headers, raw)


def job(state: Any = "dreaming", **changes: Any) -> dict[str, Any]:
    """Luma's object of a generation."""
    return {"id": REMOTE, "state": state, "failure_reason": None, "assets": None, "model": "ray-2", **changes}


def task(status: str = "processing", code: int = 0, **changes: Any) -> dict[str, Any]:
    """An envelope with a task."""
    data = {"task_id": "8313", "task_status": status, **changes}
    return {"code": code, "message": "", "request_id": "r", "data": data}
