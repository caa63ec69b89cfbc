"""What the tests of realtime share: writers over the real record, and subscribers that remember what they heard."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lib.domain.provider import Failure, FailureKind, OutputKind, ProviderOutput, ProviderUpdate, RemoteStatus
from lib.ports.record import NewJob
from lib.stores.postgres.record import PostgresRecord
from tests.fakes import jobs

PATIENCE_SECONDS = 20.0


def wait_until(holds: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Return once it holds; fail after so long."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come true in time"
        threading.Event().wait(0.005)


@dataclass
class Heard:
    """A callback that keeps what it is told, in order."""

    changes: list[Any] = field(default_factory=list)

    def __call__(self, change: Any) -> None:
        self.changes.append(change)

    def __len__(self) -> int:
        return len(self.changes)

    def versions(self) -> dict[str, list[int]]:
        """The versions of each job in the order in which they were heard."""
        found = defaultdict(list)
        for change in self.changes:
            found[change.job_id].append(change.version)
        return dict(found)


def now() -> datetime:
    """The time, as the gateway tells it to the record."""
    return datetime.now(UTC)


def new_job(user_id: str = "alice", **changes: Any) -> NewJob:
    """A job that begins now."""
    return jobs.new_job(now(), user_id, **changes)


def create(record: PostgresRecord, user_id: str = "alice") -> str:
    """Version 1 of a new job."""
    job = new_job(user_id)
    assert record.create_job(job, now()).changed
    return job.job_id


def submit(record: PostgresRecord, job_id: str) -> None:
    """Its next version: the provider accepted it."""
    due = now() + timedelta(minutes=1)
    assert record.record_submitted(job_id, 1, f"p-{job_id}", now=now(), due_at=due).changed


def update(record: PostgresRecord, job_id: str, status: RemoteStatus) -> None:
    """Its next version: the provider said something new."""
    at = now()
    outputs = (ProviderOutput(OutputKind.URL, "https://replicate.delivery/x/out.webp"),)
    failure = Failure(FailureKind.MODEL_ERROR, "it broke", retryable=False)
    what = ProviderUpdate(
        status=status,
        provider_job_id=f"p-{job_id}",
        outputs=outputs if status is RemoteStatus.SUCCEEDED else (),
        failure=failure if status is RemoteStatus.FAILED else None,
    )
    later = {"storing_deadline_at": at + timedelta(minutes=10), "storing_due_at": at + timedelta(minutes=1)}
    due = at + timedelta(minutes=2)
    assert record.apply_update(job_id, 1, what, source="webhook", now=at, due_at=due, **later).changed


def store(record: PostgresRecord, job_id: str) -> None:
    """Its last version: all is stored."""
    assert record.begin_storing(job_id, now=now(), due_at=now() + timedelta(minutes=1)).outcome == "storing"
    output = {"index": 0, "key": f"media/{job_id}/0.webp", "contentType": "image/webp", "fileSize": 1234}
    assert record.complete_job(job_id, [output], now()).changed


def live(record: PostgresRecord, user_id: str = "alice", end: str = "completed") -> str:
    """A whole life: five versions if it completes, four if it fails or is canceled in the end."""
    job_id = create(record, user_id)
    submit(record, job_id)
    if end == "canceled":
        assert record.request_cancel(job_id, user_id, now()).changed
        update(record, job_id, RemoteStatus.CANCELED)
        return job_id
    update(record, job_id, RemoteStatus.RUNNING)
    if end == "failed":
        update(record, job_id, RemoteStatus.FAILED)
        return job_id
    update(record, job_id, RemoteStatus.SUCCEEDED)
    store(record, job_id)
    return job_id
