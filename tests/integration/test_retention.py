"""Retention over a large record while others write: what is due goes, all else stays, and nobody waits."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from lib.domain.ids import uuid7
from lib.domain.job import JobStatus
from lib.domain.provider import OutputKind, ProviderOutput, ProviderUpdate, RemoteStatus
from lib.domain.retention import RetentionPeriods
from lib.ports.work_report import StepEnd, StorageOperation, WorkReport
from lib.services.retention import Retention
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.record import PostgresRecord
from local.backing import RecordDatabase
from tests.fakes.jobs import new_job
from tests.fakes.journal import FakeJournal
from tests.integration.aged_record import DUE, JOBS, AgedRecord

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
LONGEST_LOCK_WAIT = "250ms"
BATCHES = 60
LOGS_ONLY = RetentionPeriods(
    timeline_days=90, storage_days=80, access_days=70, metrics_days=30, security_days=100
)
JOBS_TOO = RetentionPeriods(
    timeline_days=0, storage_days=118, access_days=0, metrics_days=0, security_days=0, jobs_days=110
)


@pytest.fixture
def aged(empty_record: RecordDatabase) -> Iterator[AgedRecord]:
    with psycopg.connect(empty_record.superuser_url, autocommit=True) as connection:
        yield AgedRecord(connection, NOW)


@pytest.fixture
def worker(worker_url: str) -> Iterator[PostgresRecord]:
    connection = RecordConnection(lambda: worker_url)
    yield PostgresRecord(connection)
    connection.close()


class Writer:
    """Creates and completes jobs as workers do; whoever waits longer than `LONGEST_LOCK_WAIT` for a lock fails."""

    def __init__(self, worker_url: str) -> None:
        url = make_conninfo(worker_url, options=f"-c lock_timeout={LONGEST_LOCK_WAIT}")
        self._connection = RecordConnection(lambda: url)
        self._record = PostgresRecord(self._connection)
        self.completed: list[str] = []
        self.error: Exception | None = None

    def write(self, stop: threading.Event) -> None:
        """Until it is told to stop, or something goes wrong."""
        try:
            while not stop.is_set():
                self.completed.append(self._write_one())
        except Exception as error:  # noqa: BLE001 - the test shows it
            self.error = error
        finally:
            self._connection.close()

    def _write_one(self) -> str:
        record, job = self._record, new_job(NOW, "user-1")
        record.create_job(job, NOW)
        update = ProviderUpdate(
            status=RemoteStatus.SUCCEEDED,
            provider_job_id=uuid4().hex,
            outputs=(ProviderOutput(OutputKind.URL, "https://cdn.example/0.png"),),
        )
        record.record_submitted(job.job_id, 1, str(update.provider_job_id), now=NOW, due_at=NOW)
        due: dict[str, Any] = {"due_at": NOW, "storing_deadline_at": NOW, "storing_due_at": NOW}
        record.apply_update(job.job_id, 1, update, source="webhook", now=NOW, **due)
        steps = record.begin_storing(job.job_id, now=NOW, due_at=NOW).extra["work"]["steps"]
        moved = StorageOperation(str(uuid7(NOW)), "upload", "media", "key", True, NOW, 1.0, 1)
        work = WorkReport([StepEnd(timeline_id, True, NOW) for timeline_id in steps.values()], [moved])
        assert record.complete_job(job.job_id, [_output()], NOW, work=work).job.status is JobStatus.COMPLETED
        return job.job_id


def _output() -> dict[str, Any]:
    return {
        "index": 0,
        "outputId": str(uuid7(NOW)),
        "key": "k",
        "contentType": "image/webp",
        "fileSize": 1,
    }


@contextmanager
def writing(worker_url: str, writers: int = 2) -> Iterator[list[Writer]]:
    """So many write while the block lasts."""
    stop, working = threading.Event(), [Writer(worker_url) for _ in range(writers)]
    threads = [threading.Thread(target=writer.write, args=(stop,)) for writer in working]
    for thread in threads:
        thread.start()
    try:
        yield working
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def sweep_all(retention: Retention) -> list[dict[str, int]]:
    """What each sweep removed, until one finds nothing."""
    removed = []
    while now := dict(retention.remove_expired(NOW)):
        removed.append(now)
    return removed


def in_all(removed: list[dict[str, int]]) -> dict[str, int]:
    return {table: sum(now.get(table, 0) for now in removed) for table in set().union(*removed)}


def exactly_what_was_due_is_gone(aged: AgedRecord) -> bool:
    assert {table: aged.still_there(table) for table in DUE} == dict.fromkeys(DUE, 0)
    assert {table: aged.missing(table) for table in DUE} == dict.fromkeys(DUE, 0)
    return True


def test_what_is_due_is_removed_while_others_write_and_nothing_else(
    aged: AgedRecord, worker: PostgresRecord, worker_url: str
) -> None:
    aged.fill(LOGS_ONLY)
    journal = FakeJournal()
    retention = Retention(worker, journal, LOGS_ONLY, batches=BATCHES)
    with writing(worker_url) as writers:
        removed = sweep_all(retention)
    assert [writer.error for writer in writers] == [None, None]
    assert all(writer.completed for writer in writers)
    assert exactly_what_was_due_is_gone(aged)
    assert in_all(removed) == {table: rows for table, rows in aged.due.items() if rows}
    assert len(aged.due) - len(in_all(removed)) == 2  # jobs and outputs are kept for ever
    assert max(sum(now.values()) for now in removed) <= BATCHES * retention.rows
    assert [event for event, _ in journal.events] == ["expired_removed"] * len(removed)


def test_a_job_goes_with_all_that_belongs_to_it_unless_it_has_not_ended(
    aged: AgedRecord, worker: PostgresRecord, worker_url: str
) -> None:
    aged.fill(JOBS_TOO)
    with writing(worker_url) as writers:
        removed = in_all(sweep_all(Retention(worker, FakeJournal(), JOBS_TOO)))
    assert [writer.error for writer in writers] == [None, None]
    assert exactly_what_was_due_is_gone(aged)
    assert removed["jobs"] == aged.due["jobs"] > JOBS // 15
    assert set(removed) == {"jobs", "storage_operations", "idempotency_keys"}
    (under_way,) = aged.connection.execute(
        "select count(*) from jobs where completed_at is null and created_at < %s",
        [NOW - timedelta(days=110)],
    ).fetchone() or (0,)
    assert under_way > 0


def test_two_sweeps_at_once_remove_each_row_once(aged: AgedRecord, worker_url: str) -> None:
    aged.fill(LOGS_ONLY)
    removed: list[dict[str, int]] = []

    def sweep() -> None:
        connection = RecordConnection(lambda: worker_url)
        removed.extend(sweep_all(Retention(PostgresRecord(connection), FakeJournal(), LOGS_ONLY)))
        connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert in_all(removed) == {table: rows for table, rows in aged.due.items() if rows}
    assert exactly_what_was_due_is_gone(aged)
