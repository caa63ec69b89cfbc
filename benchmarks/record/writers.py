"""Somebody who makes jobs and sees them to their end, at a steady pace, while something else is measured."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from lib.domain.ids import uuid7
from lib.domain.provider import OutputKind, ProviderOutput, ProviderUpdate, RemoteStatus
from lib.ports.record import JobRecord, NewJob
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.record import PostgresRecord
from tests.fakes.jobs import new_job

OUTPUT = ProviderOutput(OutputKind.URL, "https://replicate.delivery/x/0.webp")


def job_of(user_id: str, now: datetime) -> NewJob:
    """A job as `generate` records it."""
    return new_job(now, user_id, client_ip="10.1.2.3", user_agent="curl/8.5.0")


def clock() -> datetime:
    """Now, in whole milliseconds."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def submit(record: JobRecord, job: NewJob) -> None:
    """The provider took it."""
    now = clock()
    record.record_submitted(job.job_id, 1, f"p-{job.job_id}", now=now, due_at=now + timedelta(minutes=5))


def apply(record: JobRecord, job: NewJob, status: RemoteStatus) -> None:
    """The provider says something."""
    now = clock()
    outputs = (OUTPUT,) if status is RemoteStatus.SUCCEEDED else ()
    record.apply_update(
        job.job_id,
        1,
        ProviderUpdate(status=status, provider_job_id=f"p-{job.job_id}", outputs=outputs),
        source="webhook",
        now=now,
        due_at=now + timedelta(minutes=5),
        storing_deadline_at=now + timedelta(hours=1),
        storing_due_at=now + timedelta(minutes=5),
    )


def complete(record: JobRecord, job: NewJob) -> None:
    """Its output is stored."""
    stored: dict[str, Any] = {
        "index": 0,
        "outputId": str(uuid7(clock())),
        "key": f"media/{job.job_id}/0.webp",
    }
    stored |= {"contentType": "image/webp", "fileSize": 20_000, "width": 1024, "height": 1024}
    record.complete_job(job.job_id, [stored], clock())


@contextmanager
def writing(url: str, *, jobs_per_second: float) -> Iterator[None]:
    """While the block lasts, jobs are made and completed; what goes wrong there is raised at its end."""
    stop, failures = threading.Event(), []

    def work() -> None:
        connection = RecordConnection(lambda: url)
        record = PostgresRecord(connection)
        try:
            while not stop.wait(1 / jobs_per_second):
                job = job_of("writer", clock())
                record.create_job(job, clock())
                submit(record, job)
                apply(record, job, RemoteStatus.RUNNING)
                apply(record, job, RemoteStatus.SUCCEEDED)
                complete(record, job)
        except Exception as error:  # noqa: BLE001 - it is raised where the block ends
            failures.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=work, name="writer")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if failures:
        raise failures[0]
