"""Hearing of the steps of the work."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import psycopg
import pytest

from lib.domain.job_change import StepEvent
from lib.domain.provider import RemoteStatus
from lib.stores.postgres.realtime import Pace, PostgresSubscriptions
from lib.stores.postgres.realtime import steps as watching
from lib.stores.postgres.record import PostgresRecord
from tests.integration.realtime_world import Heard, create, live, now, submit, update, wait_until

WHOLE = [
    ("submitting", "started"),
    ("submitting", "ended"),
    ("generating", "started"),
    ("generating", "ended"),
    ("downloading", "started"),
    ("uploading", "started"),
    ("downloading", "ended"),
    ("uploading", "ended"),
]


@pytest.fixture
def subscriptions(worker_url: str) -> Iterator[PostgresSubscriptions]:
    """Those of a worker; the clock alone would come too late for these tests."""
    made = PostgresSubscriptions(lambda: worker_url, pace=Pace(fallback_seconds=60))
    yield made
    made.close()


def told(heard: Heard, job_id: str) -> list[tuple[str, str]]:
    return [(change.step, change.event.value) for change in heard.changes if change.job_id == job_id]


def has_told(heard: Heard, job_id: str, what: tuple[str, str]) -> bool:
    return what in told(heard, job_id)


def test_the_steps_of_all_jobs_are_told_once_each_in_order(
    record: PostgresRecord, subscriptions: PostgresSubscriptions
) -> None:
    heard = Heard()
    subscriptions.subscribe_to_processing_updates(heard)
    jobs = [live(record) for _ in range(3)]
    wait_until(lambda: len(heard) >= 24)
    assert [told(heard, job_id) for job_id in jobs] == [WHOLE] * 3
    ended = [change for change in heard.changes if change.event is StepEvent.ENDED]
    assert all(change.success and change.ended_at for change in ended)


def test_the_steps_of_one_job_are_told_from_its_beginning(
    record: PostgresRecord, subscriptions: PostgresSubscriptions
) -> None:
    job_id, other = create(record), create(record)
    submit(record, job_id)
    heard = Heard()
    subscriptions.subscribe_to_processing_updates(heard, job_id)
    wait_until(lambda: len(heard) >= 3)
    assert told(heard, job_id) == WHOLE[:3]

    submit(record, other)
    update(record, job_id, RemoteStatus.FAILED)
    wait_until(lambda: len(heard) >= 4)
    assert told(heard, job_id) == WHOLE[:4]
    assert {change.job_id for change in heard.changes} == {job_id}
    assert heard.changes[-1].success is False


def test_a_step_that_comes_without_a_transition_is_told_and_its_progress(
    record: PostgresRecord, worker_url: str, subscriptions: PostgresSubscriptions
) -> None:
    job_id = create(record)
    of_all, of_one = Heard(), Heard()
    subscriptions.subscribe_to_processing_updates(of_all)
    subscriptions.subscribe_to_processing_updates(of_one, job_id)
    with psycopg.connect(worker_url, autocommit=True) as connection:
        [timeline_id] = connection.execute(
            "select start_processing_step(%s, 'rendering', 7, %s)::text", (job_id, now())
        ).fetchone() or [None]
        wait_until(lambda: ("rendering", "started") in told(of_all, job_id))
        connection.execute(
            "update processing_timeline set progress = 40 where timeline_id = %s returning ring('vsl_steps', job_id)",
            (timeline_id,),
        )
        wait_until(lambda: ("rendering", "progressed") in told(of_all, job_id))
        connection.execute(
            "select complete_processing_step(%s, %s, true, %s, 55, '{\"frames\": 24}', 87.5, 1048576)",
            (job_id, timeline_id, now() + timedelta(seconds=1)),
        )
    for heard in (of_all, of_one):
        wait_until(partial(has_told, heard, job_id, ("rendering", "ended")))
        last = heard.changes[-1]
        assert (last.success, last.progress, last.details) == (True, 55, {"frames": 24})
        assert (last.cpu_usage, last.memory_usage, last.step_order) == (87.5, 1048576, 7)
        assert [kind for step, kind in told(heard, job_id) if step == "rendering"] == [
            "started",
            "progressed",
            "ended",
        ]


def test_of_more_open_jobs_than_are_remembered_no_step_is_lost(
    record: PostgresRecord, subscriptions: PostgresSubscriptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "KNOWN_JOBS", 3)
    heard = Heard()
    subscriptions.subscribe_to_processing_updates(heard)
    jobs = [create(record) for _ in range(10)]
    for job_id in jobs:
        submit(record, job_id)
    wait_until(lambda: all(("generating", "started") in told(heard, job_id) for job_id in jobs))
    assert all({*WHOLE[:3]} == {*told(heard, job_id)} for job_id in jobs)


def test_of_a_job_that_has_ended_nothing_is_read_again(record: PostgresRecord, worker_url: str) -> None:
    subscriptions = PostgresSubscriptions(lambda: worker_url, pace=Pace(fallback_seconds=0.02))
    of_all, of_one, of_job = Heard(), Heard(), Heard()
    subscriptions.subscribe_to_processing_updates(of_all)
    job_id = live(record)
    subscriptions.subscribe_to_processing_updates(of_one, job_id)
    subscriptions.subscribe_to_job(job_id, of_job)
    wait_until(lambda: len(of_all) >= 8 and len(of_one) >= 8 and of_job)
    looks = subscriptions.statistics().looks
    wait_until(lambda: subscriptions.statistics().looks >= looks + 2)
    rows, looks = subscriptions.statistics().rows, subscriptions.statistics().looks
    wait_until(lambda: subscriptions.statistics().looks >= looks + 5)
    assert subscriptions.statistics().rows == rows
    assert told(of_all, job_id) == told(of_one, job_id) == WHOLE
    subscriptions.close()
