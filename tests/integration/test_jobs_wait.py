"""Waiting is not failing: a job outlives a record that goes away and a key that cannot be opened."""

import pytest

from lib.domain.errors import RecordUnavailableError
from lib.domain.job import JobStatus, JobStep
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.record import PostgresRecord
from local.backing.ports import free_port
from tests.fakes.provider import OnSubmit
from tests.fakes.tier import FakeTier
from tests.integration.world import World


def test_with_the_record_away_nothing_is_sent_and_the_error_says_so() -> None:
    connection = RecordConnection(lambda: f"postgresql://postgres@127.0.0.1:{free_port()}/postgres")
    world = World(PostgresRecord(connection), [FakeTier()])
    with pytest.raises(RecordUnavailableError) as away:
        world.create_or_raise()
    assert away.value.retry_after_seconds
    assert world.provider.received == []


def test_a_record_that_goes_away_between_send_and_answer_learns_of_it_later(world: World) -> None:
    def away(where: str) -> None:
        if where == "before record.record_submitted":
            raise RecordUnavailableError("away")

    world.seam.decide = away
    job_id = world.start_job()
    world.seam.decide = lambda _where: None
    assert world.job(job_id).data["providerJobId"] is None
    world.pass_time(2)
    world.drain()
    assert world.job(job_id).data["providerJobId"] == world.prediction


def test_what_a_provider_says_while_the_record_is_away_is_applied_later(world: World) -> None:
    job_id = world.start_job()
    prediction = world.prediction
    world.provider.work(prediction)

    def away(where: str) -> None:
        if where.startswith("before record"):
            raise RecordUnavailableError("away")

    world.webhook(prediction)
    world.seam.decide = away
    world.drain()
    world.seam.decide = lambda _where: None
    assert world.job(job_id).step is JobStep.SUBMITTED
    world.pass_time(60)
    world.drain()
    assert world.job(job_id).step is JobStep.GENERATING
    assert all(message.receives <= 1 for message in world.advance_queue.messages)


def test_a_queued_job_whose_key_cannot_be_opened_fails_and_says_so(world: World) -> None:
    world.provider.on_submit = OnSubmit.THROTTLE
    job_id = world.start_job()
    world.provider.on_submit = OnSubmit.ACCEPT
    world.key_is_lost = True
    world.pass_time(60)
    world.drain()
    ended = world.job(job_id)
    assert ended.status is JobStatus.FAILED
    assert ended.data["error"]["code"] == "key_unreadable"
    assert world.provider.received == []


def test_a_running_job_whose_key_cannot_be_opened_is_waited_for_until_its_deadline(world: World) -> None:
    job_id = world.start_job()
    world.key_is_lost = True
    world.settle([job_id])
    assert world.job(job_id).data["error"]["code"] == "deadline_exceeded"


def test_a_running_job_whose_key_comes_back_completes(world: World) -> None:
    job_id = world.start_job()
    world.key_is_lost = True
    for _ in range(2):
        world.provider.work(world.prediction)
        world.pass_time(100)
        world.drain()
    world.key_is_lost = False
    world.settle([job_id])
    assert world.job(job_id).status is JobStatus.COMPLETED
