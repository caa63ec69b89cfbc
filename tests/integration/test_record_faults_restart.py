"""A record that restarts, is killed or cut off while many write, and while old rows are removed."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
import pytest

from lib.domain.errors import RecordUnavailableError
from lib.domain.retention import RetentionPeriods
from lib.services.retention import Retention
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.logins import ensure_login
from lib.stores.postgres.migrations import migrate_up
from lib.stores.postgres.migrator import connect
from lib.stores.postgres.record import PostgresRecord
from lib.stores.postgres.roles import Group
from local.backing import Postgres, RecordDatabase
from tests.fakes.journal import FakeJournal
from tests.fakes.tier import FakeTier
from tests.integration.record_calls import at, new_job, with_key
from tests.integration.record_trouble import Trouble
from tests.integration.world import START, World

WRITERS = 4
JOBS_EACH = 40
OLD, NEW = 3000, 500
METRICS = """
insert into system_metrics (metric_id, name, value, unit, measured_at)
select uuid_at(%(at)s), 'x', n, 'count', %(at)s from generate_series(1, %(rows)s) n
"""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[RecordDatabase]:
    """A record on a server that may be maltreated."""
    with Postgres(tmp_path / "data") as server:
        database = RecordDatabase(server, name="record", stage="test")
        database.make()
        migrate_up(database.owner_url)
        with connect(database.owner_url) as connection:
            ensure_login(connection, database.worker_url, Group.WORKER)
        yield database


def look(database: RecordDatabase, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.superuser_url) as connection:
        return connection.execute(sql.encode()).fetchall()


def restarted(database: RecordDatabase) -> None:
    database.server.stop()
    database.server.start()


def killed(database: RecordDatabase) -> None:
    database.server.kill()
    database.server.start()


def cut(database: RecordDatabase) -> None:
    Trouble(database, database.worker_url).cut()


@pytest.mark.parametrize("strike", [restarted, killed, cut])
def test_writers_who_ask_again_write_everything_once_and_nothing_by_halves(
    own: RecordDatabase, strike: Callable[[RecordDatabase], None]
) -> None:
    url, done = own.worker_url, Event()

    def write(number: int) -> list[str]:
        connection = RecordConnection(lambda: url)
        record, written = PostgresRecord(connection), []
        for count in range(JOBS_EACH):
            job = with_key(new_job(user_id=f"user-{number}"), key=f"{number}-{count}")
            persist(partial(record.create_job, job, at(0)))
            defer = partial(record.defer_submit, job.job_id, 1)
            persist(partial(defer, retry_at=at(9), reason="x", now=at(1)))
            written.append(job.job_id)
            if count == 10:
                done.set()
        connection.close()
        return written

    with ThreadPoolExecutor(WRITERS) as threads:
        writers = [threads.submit(write, number) for number in range(WRITERS)]
        assert done.wait(30)
        for _ in range(3):
            strike(own)
        written = [job_id for writer in writers for job_id in writer.result()]
    assert sorted(job for (job,) in look(own, "select job_id::text from jobs")) == sorted(written)
    of_each = """
        select distinct j.version, j.step, (select count(*) from attempts a where a.job_id = j.job_id),
               (select count(*) from job_transitions t where t.job_id = j.job_id),
               (select count(*) from processing_timeline p where p.job_id = j.job_id and p.ended_at is not null),
               (select count(*) from processing_timeline p where p.job_id = j.job_id),
               (select count(*) from outbox o where o.job_id = j.job_id),
               (select count(*) from idempotency_keys k where k.job_id = j.job_id)
        from jobs j
    """
    assert look(own, of_each) == [(2, "queued", 1, 2, 1, 1, 1, 1)]


def persist(call: Callable[[], object]) -> None:
    """As a caller does who is told to try again."""
    for _ in range(2000):
        try:
            call()
        except RecordUnavailableError:
            continue
        return
    raise AssertionError("the record did not come back")


@pytest.mark.parametrize("strike", [restarted, killed, cut])
def test_what_is_old_goes_and_nothing_else_though_the_record_goes_away_meanwhile(
    own: RecordDatabase, strike: Callable[[RecordDatabase], None]
) -> None:
    with psycopg.connect(own.superuser_url, autocommit=True) as connection:
        connection.execute(METRICS.encode(), {"at": START - timedelta(days=4000), "rows": OLD})
        connection.execute(METRICS.encode(), {"at": START, "rows": NEW})
    connection_of_sweep = RecordConnection(lambda: own.worker_url)
    record, batches = PostgresRecord(connection_of_sweep), 0

    def now_and_then() -> bool:
        nonlocal batches
        batches += 1
        if batches % 12 == 0:
            strike(own)
        return False

    retention = Retention(record, FakeJournal(), RetentionPeriods(), rows=300, batches=100)
    told = 0
    for _ in range(3):
        try:
            told += sum(retention.remove_expired(START, now_and_then).values())
        except RecordUnavailableError:
            continue
    assert batches >= 24
    assert told <= OLD
    assert look(own, "select count(*), min(measured_at) >= '2026-11-20' from system_metrics") == [(NEW, True)]
    connection_of_sweep.close()


def test_a_sweep_over_a_record_that_takes_no_writes_takes_nothing_and_the_next_does_it_all(
    record: PostgresRecord, empty_record: RecordDatabase, worker_url: str
) -> None:
    world = World(record, [FakeTier()])
    world.now = START.replace(minute=0)
    answer = world.create()
    assert answer is not None
    world.advance_queue.messages.clear()
    world.pass_time(120)
    trouble = Trouble(empty_record, worker_url)
    before = trouble.rows()
    with trouble.read_only(), pytest.raises(RecordUnavailableError):
        world.sweep.run()
    assert trouble.rows() == before
    assert world.advance_queue.messages == []
    report = world.sweep.run()
    assert report.jobs == 1
    assert [message.body["kind"] for message in world.advance_queue.messages] == ["check"]


def test_figures_that_cannot_be_kept_cost_no_due_job_its_turn(
    record: PostgresRecord, empty_record: RecordDatabase, worker_url: str
) -> None:
    world = World(record, [FakeTier()])
    world.now = START.replace(minute=0)
    assert world.create() is not None
    world.advance_queue.messages.clear()
    world.pass_time(120)
    trouble = Trouble(empty_record, worker_url)
    with psycopg.connect(empty_record.superuser_url) as holder:
        holder.execute("alter role vsl_test_worker set lock_timeout = '50ms'")
        holder.commit()
        trouble.cut()
        try:
            holder.execute("lock table system_metrics in access exclusive mode")
            with pytest.raises(RecordUnavailableError):
                world.sweep.run()
            assert [message.body["kind"] for message in world.advance_queue.messages] == ["check"]
            assert world.run_sweep() is None, "the schedule tries again"
            assert len(world.advance_queue.messages) == 1, "and what was done is not done again"
        finally:
            holder.rollback()
            holder.execute("alter role vsl_test_worker set lock_timeout = '4s'")
            holder.commit()
