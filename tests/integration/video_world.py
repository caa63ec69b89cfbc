"""The video job service around a real record, with a clock, a mirror and a cache that tests look into."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg

from lib.domain.snapshot import JobSnapshot
from lib.services.after_commit import AfterCommit
from lib.services.create_video_job import CreateVideoJob
from lib.services.job_details import ReadJobDetails
from lib.services.progress import ProgressStore
from lib.services.video_jobs import VideoJobService
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.record import PostgresRecord
from lib.stores.postgres.repositories.elements import PostgresElements
from lib.stores.postgres.repositories.jobs import PostgresJobs
from lib.stores.postgres.repositories.storage_operations import PostgresStorageLog
from lib.stores.postgres.repositories.timeline import PostgresTimeline
from local.backing import RecordDatabase
from tests.fakes.cache import FakeCache
from tests.fakes.journal import FakeJournal

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class CountedConnection(RecordConnection):
    """A connection that counts its statements."""

    statements = 0

    def fetch(self, sql: str, params: Any = (), *, repeat: bool = True) -> list[tuple[Any, ...]]:
        self.statements += 1
        return super().fetch(sql, params, repeat=repeat)


class VideoWorld:
    """`service` and `details` at the time `now`; `published` is what the mirrors were told."""

    def __init__(self, connection: CountedConnection) -> None:
        self.now = NOON
        self.connection = connection
        self.record = PostgresRecord(connection)
        self.published: list[JobSnapshot] = []
        self.journal = FakeJournal()
        self.cache = FakeCache()
        progress = ProgressStore(self.cache, on_outage=lambda _name: None)
        after = AfterCommit(self.record, self._publish, {}, self.journal)
        jobs, elements = PostgresJobs(connection), PostgresElements(connection)
        timeline, storage = PostgresTimeline(connection), PostgresStorageLog(connection)
        create = CreateVideoJob(jobs, elements, self.record, after, self.clock)
        self.service = VideoJobService(
            create, self.record, elements, timeline, storage, progress, after, self.clock
        )
        self.details = ReadJobDetails(jobs, elements, timeline, storage, progress, self.clock)

    def clock(self) -> datetime:
        """The world's time."""
        return self.now

    def _publish(self, snapshot: JobSnapshot, _now: datetime) -> tuple[str, ...]:
        self.published.append(snapshot)
        return ()


@contextmanager
def video_world(url: str) -> Iterator[VideoWorld]:
    """A world over the record at this address."""
    connection = CountedConnection(lambda: url)
    yield VideoWorld(connection)
    connection.close()


def counted(database: RecordDatabase, table: str) -> int:
    """How many rows the table has."""
    with psycopg.connect(database.superuser_url) as connection:
        row = connection.execute(f"select count(*) from {table}".encode()).fetchone()  # noqa: S608 - a table of ours
    assert row is not None
    return int(row[0])


def video(order: int, **fields: Any) -> dict[str, Any]:
    """An element that is well."""
    return {
        "type": "video",
        "sourceUrl": f"https://media.example/{order}.mp4",
        "elementOrder": order,
        **fields,
    }


def film(*elements: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A request that is well, of these elements or of two."""
    return {
        "outputFormat": "mp4",
        "width": 1920,
        "height": 1080,
        "elements": list(elements) or [video(0), video(1)],
        **fields,
    }
