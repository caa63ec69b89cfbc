"""Snapshots as the record writes them."""

from typing import Any

from lib.domain.ids import uuid7
from lib.domain.snapshot import JobSnapshot


def new_job_id() -> str:
    """A job id that nobody else uses."""
    return str(uuid7())


def snapshot(job_id: str, version: int = 1, **changes: Any) -> JobSnapshot:
    """A pending job at this version; `changes` replace members of its JSON."""
    data: dict[str, Any] = {
        "jobId": job_id,
        "shortId": "aB3dE5gH7jK",
        "userId": "user-1",
        "version": version,
        "status": "pending",
        "step": "submitted",
        "mediaType": "image",
        "modelId": "flux-schnell",
        "provider": "replicate",
        "providerJobId": f"remote-{job_id}",
        "attempt": 1,
        "createdAt": "2026-05-01T12:00:00.000Z",
        "updatedAt": "2026-05-01T12:00:01.000Z",
        "dueAt": "2026-05-01T12:05:00.000Z",
        "cancelRequested": False,
        "warnings": [],
        "outputs": [],
    }
    return JobSnapshot({**data, **changes})


def completed(job_id: str, version: int = 5) -> JobSnapshot:
    """The same job, completed."""
    outputs = [{"index": 0, "key": f"media/user-1/image/2026/05/01/{job_id}/0.png"}]
    return snapshot(job_id, version, status="completed", step="storing", dueAt=None, outputs=outputs)
