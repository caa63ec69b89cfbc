"""Exactly once and in order, whatever commits in what order."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from random import Random

import psycopg
import pytest

from lib.domain.job_change import JobChange
from lib.stores.postgres.realtime import Pace, PostgresSubscriptions
from lib.stores.postgres.realtime.delivery import Delivery
from lib.stores.postgres.realtime.doorbells import Doorbells
from lib.stores.postgres.realtime.feed import Moment, Place, read_page
from lib.stores.postgres.realtime.line import Line, Params, Row
from lib.stores.postgres.realtime.look import Look
from lib.stores.postgres.realtime.mailbox import Mailbox
from lib.stores.postgres.realtime.snapshot import Snapshot
from lib.stores.postgres.realtime.tally import Tally
from lib.stores.postgres.realtime.watch import FeedWatch
from lib.stores.postgres.record import PostgresRecord
from tests.integration.realtime_world import Heard, create, live, now, submit, wait_until

ALL = "select job_id::text, version from job_transitions order by job_id, version"


@pytest.fixture
def line(worker_url: str) -> Iterator[Line]:
    """A reader of the feed."""
    made = Line(worker_url, Doorbells(), None, Pace())
    yield made
    made.close()


def moment(line: Line) -> Moment:
    with line.reading() as fetch:
        return Moment.take(fetch)


def read_all(line: Line, place: Place, size: int) -> tuple[list[JobChange], Place]:
    """All that is new after the place, page by page, and the place after it."""
    found, more = [], True
    while more:
        with line.reading() as fetch:
            page, place, more = read_page(fetch, place, Moment.take(fetch), size)
            found += page
    return found, place


def versions(changes: list[JobChange]) -> dict[str, list[int]]:
    return Heard(changes).versions()


def touch(connection: psycopg.Connection, job_id: str) -> None:
    """One more version of the job, as part of the connection's transaction."""
    connection.execute("select from jobs where job_id = %s for update", (job_id,))
    connection.execute(
        "select save_transition(j, 'touched', %s) from jobs j where job_id = %s", (now(), job_id)
    )


def test_what_was_written_early_and_commits_late_is_told_late(
    record: PostgresRecord, worker_url: str
) -> None:
    heard = Heard()
    subscriptions = PostgresSubscriptions(lambda: worker_url, pace=Pace(fallback_seconds=60))
    slow, quick = create(record), create(record)
    subscriptions.subscribe_to_all_jobs(heard)
    with psycopg.connect(worker_url) as connection:
        touch(connection, slow)
        submit(record, quick)
        wait_until(lambda: len(heard) == 1)
        touched = create(record)
        wait_until(lambda: len(heard) == 2)
        connection.commit()
        wait_until(lambda: len(heard) == 3)
    last = create(record)
    wait_until(lambda: len(heard) >= 4)
    assert [(change.job_id, change.version) for change in heard.changes] == [
        (quick, 2),
        (touched, 1),
        (slow, 2),
        (last, 1),
    ]
    subscriptions.close()


def test_a_late_commit_is_found_also_when_pages_are_read_meanwhile(
    record: PostgresRecord, worker_url: str, line: Line
) -> None:
    start = Place.at(moment(line))
    first = create(record)
    with psycopg.connect(worker_url) as connection:
        touch(connection, first)
        jobs = [create(record) for _ in range(5)]
        found, place = read_all(line, start, 2)
        assert versions(found) == {first: [1]} | {job_id: [1] for job_id in jobs}
        with line.reading() as fetch:
            page, place, more = read_page(fetch, place, Moment.take(fetch), 2)
        assert (page, more) == ([], False)
        connection.commit()
    found, place = read_all(line, place, 1)
    assert versions(found) == {first: [2]}
    assert read_all(line, place, 1)[0] == []


@pytest.mark.parametrize("size", [1, 2, 3, 4, 100])
def test_versions_are_in_order_although_the_later_has_the_lower_number(
    record: PostgresRecord, worker_url: str, line: Line, size: int
) -> None:
    one, other = create(record), create(record)
    start = Place.at(moment(line))
    with psycopg.connect(worker_url) as connection:
        touch(connection, one)  # takes its number here
        submit(record, other)
        others = [create(record) for _ in range(3)]
        touch(connection, other)
        connection.commit()
    found, place = read_all(line, start, size)
    assert versions(found) == {one: [2], other: [2, 3]} | {job_id: [1] for job_id in others}
    assert read_all(line, place, size)[0] == []


def test_what_commits_while_pages_are_read_is_read_without_another_doorbell(
    record: PostgresRecord, line: Line
) -> None:
    start = Place.at(moment(line))
    jobs = [create(record) for _ in range(3)]
    with line.reading() as fetch:
        first, place, more = read_page(fetch, start, Moment.take(fetch), 2)
    assert more
    jobs.append(create(record))
    rest, _ = read_all(line, place, 2)
    assert versions(first + rest) == {job_id: [1] for job_id in jobs}


def test_writers_of_long_transactions_over_the_same_jobs_are_heard_exactly_once_and_in_order(
    record: PostgresRecord, worker_url: str, line: Line
) -> None:
    start = Place.at(moment(line))
    jobs = sorted(create(record) for _ in range(6))
    chance = Random(20261120)  # noqa: S311 - repeatable

    def write(seed: int) -> None:
        own = Random(seed)  # noqa: S311 - repeatable
        with psycopg.connect(worker_url) as connection:
            for _ in range(25):
                for job_id in sorted(own.sample(jobs, own.randint(1, 4))):
                    touch(connection, job_id)
                if own.random() < 0.2:
                    connection.rollback()
                connection.commit()

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for writer in writers:
        writer.start()
    heard, place = [], start
    while any(writer.is_alive() for writer in writers):
        with line.reading() as fetch:
            page, place, _ = read_page(fetch, place, Moment.take(fetch), chance.randint(1, 9))
        heard += page
    for writer in writers:
        writer.join()
    rest, _ = read_all(line, place, 2)

    found = versions(heard + rest)
    assert len(heard) > 20, "nothing was read while it was written"
    with psycopg.connect(worker_url) as connection:
        kept = connection.execute(ALL).fetchall()
    assert sorted((job_id, version) for job_id in found for version in found[job_id]) == kept
    assert all(numbers == sorted(numbers) for numbers in found.values())


def test_rows_of_a_restored_backup_are_no_news(
    record: PostgresRecord, superuser_url: str, line: Line
) -> None:
    old = create(record)
    start = Place.at(moment(line))
    soon = start.seen.xmax + 3
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        restore = (
            "insert into job_transitions (job_id, version, attempt, status, step, event, at, xid)"
            " values (%s, %s, 1, 'pending', 'queued', 'restored', %s, %s::xid8)"
        )
        connection.execute(restore, (old, 2, now() - timedelta(days=2), str(soon)))
        connection.execute(restore, (old, 3, now(), str(soon + 10**9)))
    jobs = [create(record) for _ in range(6)]
    assert moment(line).snapshot.xmax > soon
    found, _ = read_all(line, start, 100)
    assert versions(found) == {job_id: [1] for job_id in jobs}


def test_a_record_that_went_back_is_read_again_instead_of_waited_for(
    record: PostgresRecord, line: Line
) -> None:
    before = moment(line)
    job_id = create(record)
    tally, delivery, heard = Tally(), Delivery(1), Heard()
    watch = FeedWatch("one", Mailbox(heard, lambda: None, tally, 100), delivery)
    ahead = before.snapshot.xmax + 10**9  # what the server before this one had come to
    watch.begin(Place(Snapshot(ahead, ahead, frozenset()), before.at))
    watch.doubt()

    Look(tally, 100).once(line, [watch])
    wait_until(lambda: heard)
    assert heard.versions() == {job_id: [1]}
    assert tally.of("rewinds") == 1

    submit(record, job_id)
    watch.doubt()
    Look(tally, 100).once(line, [watch])
    wait_until(lambda: len(heard) == 2)
    assert heard.versions() == {job_id: [1, 2]}
    assert tally.of("rewinds") == 1
    delivery.close(1)


def test_a_look_reads_what_is_new_and_not_the_table(
    record: PostgresRecord, superuser_url: str, api_url: str, worker_url: str, line: Line
) -> None:
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        job_id = create(record)
        connection.execute(
            "insert into job_transitions (job_id, version, attempt, status, step, event, at)"
            " select %s, n, 1, 'pending', 'queued', 'many', now() from generate_series(2, 20000) n",
            (job_id,),
        )
        connection.execute("analyze job_transitions")
    start = Place.at(moment(line))
    live(record)
    asked: list[tuple[str, Params]] = []

    with line.reading() as fetch:

        def note(sql: str, params: Params) -> list[Row]:
            asked.append((sql, params))
            return fetch(sql, params)

        changes, _, _ = read_page(note, start, Moment.take(fetch), 500)
    assert len(changes) == 5
    [(sql, params)] = asked
    for url in (worker_url, api_url):
        with psycopg.connect(url) as connection:
            plan = "\n".join(row[0] for row in connection.execute(f"explain {sql}".encode(), params))
        assert "job_transitions_by_xid" in plan
        assert "Seq Scan on job_transitions" not in plan
