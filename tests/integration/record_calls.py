"""Calls of the record with arguments that are well, at times counted from one noon."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lib.domain.ids import uuid7
from lib.domain.provider import OutputKind, ProviderOutput, ProviderUpdate, RemoteStatus
from lib.ports.record import NewJob, Transition
from lib.stores.postgres.record import PostgresRecord
from tests.fakes import jobs

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PREDICTION = "gm3qorzdhgbfurvjtvhg6dckhu"


def at(seconds: float) -> datetime:
    """So long after the noon."""
    return NOW + timedelta(seconds=seconds)


def new_job(**changes: Any) -> NewJob:
    """A job of alice, made at the noon."""
    return jobs.new_job(NOW, **changes)


def with_key(job: NewJob, key: str = "k1", request_hash: str = "h1") -> NewJob:
    """The same job, asked for under an idempotency key that lives a day."""
    return replace(job, idempotency_key=key, request_hash=request_hash, idempotency_expires_at=at(86400))


def create(record: PostgresRecord, **changes: Any) -> str:
    """Its id, once the record has it."""
    job = new_job(**changes)
    assert record.create_job(job, NOW).outcome == "created"
    return job.job_id


def submit(record: PostgresRecord, job_id: str, provider_job_id: str = PREDICTION) -> Transition:
    """The provider has taken it, a second after the noon."""
    return record.record_submitted(job_id, 1, provider_job_id, now=at(1), due_at=at(61))


def update(status: RemoteStatus, **changes: Any) -> ProviderUpdate:
    """What the provider says of the prediction."""
    return replace(ProviderUpdate(status=status, provider_job_id=PREDICTION), **changes)


SUCCEEDED = update(
    RemoteStatus.SUCCEEDED, outputs=(ProviderOutput(OutputKind.URL, "https://replicate.delivery/x/out.webp"),)
)


def apply(record: PostgresRecord, job_id: str, what: ProviderUpdate, seconds: float = 2) -> Transition:
    """A webhook brings it."""
    return record.apply_update(
        job_id,
        1,
        what,
        source="webhook",
        now=at(seconds),
        due_at=at(seconds + 60),
        storing_deadline_at=at(seconds + 1800),
        storing_due_at=at(seconds + 400),
    )


def stored(index: int = 0) -> Mapping[str, Any]:
    """An output as the copy describes it."""
    return {
        "index": index,
        "outputId": str(uuid7(NOW)),
        "key": f"media/alice/image/2026/11/20/j/{index}.webp",
        "contentType": "image/webp",
        "fileSize": 1234,
        "sha256": None,
        "width": 1024,
        "height": 768,
        "duration": None,
        "thumbnailKey": None,
    }
