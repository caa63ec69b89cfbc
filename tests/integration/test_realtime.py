"""Subscriptions over the real record: what is heard, by whom, and from when on."""

import threading
from collections.abc import Iterator
from functools import partial

import psycopg
import pytest

from lib.domain.actor import Actor
from lib.domain.ids import uuid7
from lib.domain.job_change import JobChange
from lib.domain.provider import RemoteStatus
from lib.ports.subscriptions import Subscriptions
from lib.stores.postgres.realtime import Pace, PostgresSubscriptions
from lib.stores.postgres.record import PostgresRecord
from tests.integration.realtime_world import (
    Heard,
    create,
    live,
    new_job,
    now,
    store,
    submit,
    update,
    wait_until,
)

NEVER_BY_THE_CLOCK = Pace(fallback_seconds=60)


@pytest.fixture
def subscriptions(worker_url: str) -> Iterator[Subscriptions]:
    """Those of a worker; the clock alone would come too late for these tests."""
    made = PostgresSubscriptions(lambda: worker_url, pace=NEVER_BY_THE_CLOCK)
    yield made
    made.close()


def test_a_subscriber_to_all_jobs_hears_every_version_in_order(
    record: PostgresRecord, subscriptions: Subscriptions
) -> None:
    heard = Heard()
    subscriptions.subscribe_to_all_jobs(heard)

    job_id = live(record)

    wait_until(lambda: len(heard) >= 5)
    assert [(change.version, change.status, change.event) for change in heard.changes] == [
        (1, "pending", "created"),
        (2, "pending", "submitted"),
        (3, "processing", "generating"),
        (4, "processing", "generated"),
        (5, "completed", "completed"),
    ]
    assert {change.job_id for change in heard.changes} == {job_id}


def test_a_subscriber_to_all_jobs_hears_nothing_of_what_was_before(
    record: PostgresRecord, subscriptions: Subscriptions
) -> None:
    live(record)
    heard = Heard()
    subscriptions.subscribe_to_all_jobs(heard)
    later = create(record)
    wait_until(lambda: heard)
    assert heard.versions() == {later: [1]}


def test_a_subscriber_to_a_job_hears_how_it_stands_and_then_each_version(
    record: PostgresRecord, subscriptions: Subscriptions
) -> None:
    job_id, other = create(record), create(record)
    submit(record, job_id)
    heard = Heard()
    subscriptions.subscribe_to_job(job_id.upper(), heard)
    wait_until(lambda: heard)

    update(record, job_id, RemoteStatus.RUNNING)
    submit(record, other)
    update(record, job_id, RemoteStatus.SUCCEEDED)
    store(record, job_id)

    wait_until(lambda: len(heard) >= 4)
    assert heard.versions() == {job_id: [2, 3, 4, 5]}


def test_a_subscriber_to_a_job_goes_on_after_the_version_that_it_knows(
    record: PostgresRecord, subscriptions: Subscriptions
) -> None:
    job_id = live(record)
    all_of_it, rest, nothing = Heard(), Heard(), Heard()
    subscriptions.subscribe_to_job(job_id, nothing, after_version=5)
    subscriptions.subscribe_to_job(job_id, all_of_it, after_version=0)
    subscriptions.subscribe_to_job(job_id, rest, after_version=3)
    wait_until(lambda: len(all_of_it) >= 5 and len(rest) >= 2)
    assert all_of_it.versions() == {job_id: [1, 2, 3, 4, 5]}
    assert rest.versions() == {job_id: [4, 5]}
    assert not nothing.changes


def test_a_job_can_be_waited_for_before_it_is_there(
    record: PostgresRecord, subscriptions: Subscriptions
) -> None:
    heard = Heard()
    job_id = str(uuid7(now()))
    subscriptions.subscribe_to_job(job_id, heard)
    record.create_job(new_job(job_id=job_id), now())
    submit(record, job_id)
    wait_until(lambda: len(heard) >= 2)
    assert heard.versions() == {job_id: [1, 2]}


def test_subscriptions_to_jobs_begun_in_the_middle_of_writes_get_every_version_once(
    worker_url: str, record: PostgresRecord, subscriptions: Subscriptions
) -> None:
    jobs = [create(record) for _ in range(30)]
    heard = {job_id: Heard() for job_id in jobs}

    def subscribe() -> None:
        for job_id in jobs:
            subscriptions.subscribe_to_job(job_id, heard[job_id], after_version=0)

    subscriber = threading.Thread(target=subscribe)
    subscriber.start()
    for job_id in jobs:
        submit(record, job_id)
        update(record, job_id, RemoteStatus.RUNNING)
        update(record, job_id, RemoteStatus.SUCCEEDED)
    subscriber.join()
    for job_id in jobs:
        store(record, job_id)

    wait_until(lambda: all(len(one) >= 5 for one in heard.values()))
    assert [one.versions() for one in heard.values()] == [{job_id: [1, 2, 3, 4, 5]} for job_id in jobs]


def test_only_a_uuid_can_be_subscribed_to(subscriptions: Subscriptions) -> None:
    with pytest.raises(ValueError, match="badly formed"):
        subscriptions.subscribe_to_job("'; drop table jobs; --", Heard())
    with pytest.raises(ValueError, match="badly formed"):
        subscriptions.subscribe_to_processing_updates(Heard(), "")
    assert subscriptions.active_count == 0


def test_nothing_is_heard_after_unsubscribing_also_in_the_middle_of_what_waits(
    record: PostgresRecord, subscriptions: Subscriptions
) -> None:
    one, other = Heard(), Heard()
    ids: list[str] = []
    subscribed = threading.Event()

    def stop_at_once(change: JobChange) -> None:
        subscribed.wait()
        one(change)
        assert subscriptions.unsubscribe(ids[0])

    ids.append(subscriptions.subscribe_to_all_jobs(stop_at_once))
    subscriptions.subscribe_to_all_jobs(other)
    assert subscriptions.active_count == subscriptions.get_active_subscriptions_count() == 2

    live(record)
    wait_until(lambda: len(other) >= 5)
    subscribed.set()
    live(record)
    wait_until(lambda: len(other) >= 10)

    assert len(one) == 1
    assert not subscriptions.unsubscribe(ids[0])
    assert subscriptions.unsubscribe_all() == 1
    assert subscriptions.active_count == 0


def has_heard_bells(subscriptions: Subscriptions, count: int) -> bool:
    return subscriptions.statistics().doorbells >= count


def test_a_caller_hears_only_what_the_caller_may_see(
    api_url: str, record: PostgresRecord, superuser_url: str
) -> None:
    guest = Actor.guest("guest-1", "a" * 64)
    alice, nobody = (PostgresSubscriptions(lambda: api_url, actor=who) for who in (Actor.user("alice"), None))
    guests = PostgresSubscriptions(lambda: api_url, actor=guest)
    heard, heard_steps, heard_by_guest, heard_by_nobody = Heard(), Heard(), Heard(), Heard()
    alice.subscribe_to_all_jobs(heard)
    alice.subscribe_to_processing_updates(heard_steps)
    guests.subscribe_to_all_jobs(heard_by_guest)
    nobody.subscribe_to_all_jobs(heard_by_nobody)

    bobs = live(record, "bob")
    asked_for = Heard()
    alice.subscribe_to_job(bobs, asked_for, after_version=0)
    alice.subscribe_to_processing_updates(asked_for, bobs)
    live(record, "bob")
    hers = live(record, "alice")

    wait_until(lambda: len(heard) >= 5 and len(heard_steps) >= 8)
    assert heard.versions() == {hers: [1, 2, 3, 4, 5]}
    assert {change.job_id for change in heard_steps.changes} == {hers}
    for each in (guests, nobody):
        wait_until(partial(has_heard_bells, each, 15))
        each.subscribe_to_all_jobs(Heard())  # begins with a look after those doorbells
        assert each.statistics().rows == 0
        each.close()
    assert not (asked_for.changes + heard_by_guest.changes + heard_by_nobody.changes)
    alice.close()


def test_a_guest_hears_of_what_was_made_with_the_guests_token(api_url: str, record: PostgresRecord) -> None:
    subscriptions = PostgresSubscriptions(lambda: api_url, actor=Actor.guest("guest-1", "a" * 64))
    heard = Heard()
    subscriptions.subscribe_to_all_jobs(heard)
    record.create_job(new_job("guest-1", guest_token="b" * 64, client_ip="192.0.2.7"), now())
    own = new_job("guest-1", guest_token="a" * 64, client_ip="192.0.2.7")
    record.create_job(own, now())
    wait_until(lambda: heard)
    assert heard.versions() == {own.job_id: [1]}
    subscriptions.close()


def test_a_notification_holds_the_jobs_id_and_nothing_else(record: PostgresRecord, api_url: str) -> None:
    with psycopg.connect(api_url, autocommit=True) as connection:
        connection.execute("listen vsl_jobs")
        connection.execute("listen vsl_steps")
        job_id = live(record)
        found = list(connection.notifies(timeout=1, stop_after=9))
    assert {notify.payload for notify in found} == {job_id}
    assert {notify.channel for notify in found} == {"vsl_jobs", "vsl_steps"}


def test_what_strangers_ring_is_no_news(
    record: PostgresRecord, api_url: str, subscriptions: Subscriptions
) -> None:
    heard, steps = Heard(), Heard()
    subscriptions.subscribe_to_all_jobs(heard)
    subscriptions.subscribe_to_processing_updates(steps)
    with psycopg.connect(api_url, autocommit=True) as connection:
        for payload in ("", "'; drop table jobs; --", "\u2603" * 100, str(uuid7(now()))):
            connection.execute(
                "select pg_notify('vsl_jobs', %s), pg_notify('vsl_steps', %s)", (payload, payload)
            )
    job_id = create(record)
    wait_until(lambda: heard and steps)
    assert heard.versions() == {job_id: [1]}
    assert {change.job_id for change in steps.changes} == {job_id}
