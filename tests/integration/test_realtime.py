"""Subscriptions over the real record: complete, in order, exactly once."""

from collections.abc import Iterator

import pytest

from lib.domain.ids import uuid7
from lib.domain.provider import RemoteStatus
from lib.stores.postgres.realtime import Pace, PostgresSubscriptions
from lib.stores.postgres.record import PostgresRecord
from tests.integration.realtime_world import Heard, create, live, now, store, submit, update, wait_until


@pytest.fixture
def subscriptions(worker_url: str) -> Iterator[PostgresSubscriptions]:
    """Those of a worker; the clock alone would come too late for these tests."""
    made = PostgresSubscriptions(lambda: worker_url, pace=Pace(fallback_seconds=60))
    yield made
    made.close()


def test_a_subscriber_to_all_jobs_hears_every_version_in_order(
    record: PostgresRecord, subscriptions: PostgresSubscriptions
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
