"""Subscriptions through cut, silent and restarted connections, without NOTIFY, and with bad subscribers."""

import threading
import time
from collections.abc import Iterator
from functools import partial
from urllib.parse import urlsplit

import psycopg
import pytest

from lib.database.options import set_notify
from lib.domain.errors import RecordUnavailableError
from lib.domain.job_change import JobChange
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.realtime import Pace, PostgresSubscriptions
from lib.stores.postgres.record import PostgresRecord
from local.backing import Postgres
from tests.e2e.door import Door, Mode
from tests.integration.realtime_world import Heard, create, live, submit, wait_until

CUT = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'vsl-realtime'"
ALL = "select job_id::text, array_agg(version order by version) from job_transitions group by job_id"
NEVER_BY_THE_CLOCK = Pace(fallback_seconds=60)
WRITERS = 4
LIVES = ("completed", "failed", "completed", "canceled", "completed")


@pytest.fixture
def door(worker_url: str) -> Iterator[tuple[Door, str]]:
    """A door in front of Postgres, and the address through it."""
    made = Door()
    made.target = worker_url
    yield made, worker_url.replace(f":{urlsplit(worker_url).port}/", f":{made.port}/")
    made.turn(Mode.OPEN)
    made.close()


def cut(superuser_url: str) -> int:
    """End the listener's connection in the server; how many there were."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        return len(connection.execute(CUT).fetchall())


def recorded(superuser_url: str) -> dict[str, list[int]]:
    """The versions of each job, as the record has them."""
    with psycopg.connect(superuser_url) as connection:
        return dict(connection.execute(ALL).fetchall())


def has_heard(heard: Heard, count: int) -> bool:
    return len(heard) >= count


def has_reconnected(subscriptions: PostgresSubscriptions, times: int) -> bool:
    return subscriptions.statistics().reconnects >= times


def waits_for_the_server(subscriptions: PostgresSubscriptions) -> bool:
    """Whether a look has begun long ago and does not end: others would have come by the clock."""
    looks = subscriptions.statistics().looks
    threading.Event().wait(0.3)
    return subscriptions.statistics().looks == looks


def write_lives(url: str, least: int, enough: threading.Event) -> None:
    """Jobs from beginning to end, over a connection of their own: at least so many, and until it is enough."""
    connection = RecordConnection(lambda: url)
    record = PostgresRecord(connection)
    written = 0
    while written < least or not enough.is_set():
        live(record, end=LIVES[written % len(LIVES)])
        written += 1
    connection.close()


def test_a_thousand_changes_by_several_writers_are_heard_complete_and_in_order_through_two_cuts(
    worker_url: str, superuser_url: str
) -> None:
    heard, steps = Heard(), Heard()
    subscriptions = PostgresSubscriptions(lambda: worker_url, pace=NEVER_BY_THE_CLOCK)
    subscriptions.subscribe_to_all_jobs(heard)
    subscriptions.subscribe_to_processing_updates(steps)

    enough = threading.Event()
    writers = [threading.Thread(target=write_lives, args=(worker_url, 57, enough)) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    for cuts, seen in ((1, 200), (2, 500)):
        wait_until(partial(has_heard, heard, seen))
        assert cut(superuser_url) == 1
        wait_until(partial(has_reconnected, subscriptions, cuts))
    enough.set()
    for writer in writers:
        writer.join()

    expected = recorded(superuser_url)
    changes = sum(len(versions) for versions in expected.values())
    assert changes >= 1000
    wait_until(lambda: len(heard) >= changes)
    assert heard.versions() == expected
    with psycopg.connect(superuser_url) as connection:
        [(timeline,)] = connection.execute("select count(*) from processing_timeline").fetchall()
    wait_until(lambda: len(steps) >= 2 * timeline)
    assert len({(step.timeline_id, step.event) for step in steps.changes}) == len(steps) == 2 * timeline
    counts = subscriptions.statistics()
    assert (counts.reconnects, counts.failures, counts.rewinds) == (2, 0, 0)
    assert counts.deliveries == len(heard) + len(steps)
    subscriptions.close()


def test_what_happens_while_the_record_cannot_be_reached_is_heard_afterwards(
    door: tuple[Door, str], record: PostgresRecord
) -> None:
    gate, url = door
    subscriptions = PostgresSubscriptions(lambda: url, pace=NEVER_BY_THE_CLOCK)
    heard, of_job, steps = Heard(), Heard(), Heard()
    known = create(record)
    subscriptions.subscribe_to_all_jobs(heard)
    subscriptions.subscribe_to_job(known, of_job)
    subscriptions.subscribe_to_processing_updates(steps, known)
    gate.turn(Mode.SHUT)
    wait_until(lambda: not subscriptions.statistics().connected)
    submit(record, known)
    new = live(record)
    gate.turn(Mode.OPEN)
    wait_until(lambda: len(heard) >= 6 and len(of_job) >= 2 and len(steps) >= 3)
    assert heard.versions() == {known: [2], new: [1, 2, 3, 4, 5]}
    assert of_job.versions() == {known: [1, 2]}
    subscriptions.close()


def test_a_server_that_says_nothing_is_noticed_and_left(
    door: tuple[Door, str], record: PostgresRecord
) -> None:
    gate, url = door
    pace = Pace(fallback_seconds=0.2, statement_seconds=0.3, connect_seconds=0.5)
    subscriptions = PostgresSubscriptions(lambda: url, pace=pace)
    heard = Heard()
    subscriptions.subscribe_to_all_jobs(heard)
    gate.turn(Mode.FROZEN)
    job_id = create(record)
    wait_until(lambda: not subscriptions.statistics().connected)
    gate.turn(Mode.OPEN)
    wait_until(lambda: heard)
    assert heard.versions() == {job_id: [1]}
    assert subscriptions.statistics().reconnects >= 1
    subscriptions.close()


def test_a_restart_of_the_server_loses_nothing(postgres: Postgres, worker_url: str) -> None:
    subscriptions = PostgresSubscriptions(lambda: worker_url, pace=NEVER_BY_THE_CLOCK)
    connection = RecordConnection(lambda: worker_url)
    record = PostgresRecord(connection)
    heard = Heard()
    subscriptions.subscribe_to_all_jobs(heard)
    first = create(record)
    postgres.kill()
    postgres.start()
    submit(record, first)
    second = live(record)
    wait_until(lambda: len(heard) >= 7)
    assert heard.versions() == {first: [1, 2], second: [1, 2, 3, 4, 5]}
    subscriptions.close()
    connection.close()


def test_without_notify_the_clock_brings_everything(
    worker_url: str, owner_url: str, record: PostgresRecord
) -> None:
    set_notify(owner_url, on=False)
    try:
        subscriptions = PostgresSubscriptions(lambda: worker_url, pace=Pace(fallback_seconds=0.1))
        heard, steps, of_job = Heard(), Heard(), Heard()
        subscriptions.subscribe_to_all_jobs(heard)
        subscriptions.subscribe_to_processing_updates(steps)
        job_id = live(record)
        subscriptions.subscribe_to_job(job_id, of_job, after_version=2)
        wait_until(lambda: len(heard) >= 5 and len(steps) >= 8 and len(of_job) >= 3)
        assert heard.versions() == {job_id: [1, 2, 3, 4, 5]}
        assert of_job.versions() == {job_id: [3, 4, 5]}
        assert subscriptions.statistics().doorbells == 0
        subscriptions.close()
    finally:
        set_notify(owner_url, on=True)


def test_a_subscription_that_cannot_begin_is_an_error_and_leaves_nothing_behind(
    door: tuple[Door, str], record: PostgresRecord
) -> None:
    gate, url = door
    gate.turn(Mode.SHUT)
    subscriptions = PostgresSubscriptions(lambda: url, pace=Pace(fallback_seconds=60, begin_seconds=0.3))
    heard = Heard()
    with pytest.raises(RecordUnavailableError):
        subscriptions.subscribe_to_all_jobs(heard)
    assert subscriptions.active_count == 0
    gate.turn(Mode.OPEN)
    wait_until(lambda: subscriptions.statistics().connected)
    subscriptions.subscribe_to_all_jobs(heard)
    job_id = create(record)
    wait_until(lambda: heard)
    assert heard.versions() == {job_id: [1]}
    subscriptions.close()


def test_a_callback_that_raises_is_counted_and_hears_the_rest_as_others_do(
    worker_url: str, record: PostgresRecord, caplog: pytest.LogCaptureFixture
) -> None:
    subscriptions = PostgresSubscriptions(lambda: worker_url, pace=NEVER_BY_THE_CLOCK)
    failing, other = Heard(), Heard()

    def fail(change: JobChange) -> None:
        failing(change)
        if change.version == 2:
            raise RuntimeError("the subscriber's own fault")

    subscriptions.subscribe_to_all_jobs(fail)
    subscriptions.subscribe_to_all_jobs(other)
    job_id = live(record)
    wait_until(lambda: len(failing) >= 5 and len(other) >= 5)
    wait_until(lambda: subscriptions.statistics().deliveries == 9)
    assert failing.versions() == other.versions() == {job_id: [1, 2, 3, 4, 5]}
    assert subscriptions.statistics().failures == 1
    assert "a subscriber failed on a change" in caplog.text
    subscriptions.close()


def test_a_slow_callback_delays_itself_alone_and_loses_nothing(
    worker_url: str, record: PostgresRecord
) -> None:
    pace = Pace(fallback_seconds=60, page=5, events_per_second=1000, collect_seconds=0)
    subscriptions = PostgresSubscriptions(lambda: worker_url, pace=pace)
    go_on = threading.Event()
    slow, slow_of_job, other = Heard(), Heard(), Heard()

    def wait(change: JobChange) -> None:
        go_on.wait()
        slow(change)

    def wait_for_job(change: JobChange) -> None:
        go_on.wait()
        slow_of_job(change)

    first = create(record)
    subscriptions.subscribe_to_all_jobs(wait)
    subscriptions.subscribe_to_job(first, wait_for_job)
    subscriptions.subscribe_to_all_jobs(other)
    jobs = [live(record) for _ in range(12)]
    submit(record, first)
    wait_until(lambda: len(other) >= 61)
    assert not slow.changes
    read_for_other = subscriptions.statistics().rows

    go_on.set()
    wait_until(lambda: len(slow) >= 61 and len(slow_of_job) >= 2)
    assert slow.versions() == other.versions() == {job_id: [1, 2, 3, 4, 5] for job_id in jobs} | {first: [2]}
    assert slow_of_job.versions() == {first: [1, 2]}
    assert subscriptions.statistics().rows >= read_for_other + 61 - 4 * pace.page, "it was all kept in memory"
    subscriptions.close()


@pytest.mark.parametrize("mode", [Mode.OPEN, Mode.FROZEN, Mode.SHUT])
def test_closing_ends_the_threads_within_a_second(
    door: tuple[Door, str], record: PostgresRecord, mode: Mode
) -> None:
    gate, url = door
    before = set(threading.enumerate())
    subscriptions = PostgresSubscriptions(lambda: url, pace=Pace(fallback_seconds=0.02))
    subscriptions.subscribe_to_all_jobs(Heard())
    gate.turn(mode)
    wait_until(lambda: mode is not Mode.FROZEN or waits_for_the_server(subscriptions))
    wait_until(lambda: mode is not Mode.SHUT or not subscriptions.statistics().connected)

    begun = time.monotonic()
    subscriptions.close()
    assert time.monotonic() - begun < 1
    mine = [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("realtime")]
    assert not mine
    with pytest.raises(RuntimeError, match="closed"):
        subscriptions.subscribe_to_all_jobs(Heard())
    subscriptions.close()
