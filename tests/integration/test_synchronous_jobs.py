"""Providers whose answer is the result: sent by a worker that waits, kept before it is recorded, never sent twice."""

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from lib.domain.caller import Caller
from lib.domain.errors import RecordUnavailableError
from lib.domain.job import JobStatus, JobStep
from lib.domain.provider import AdapterTraits, SubmitSafety
from lib.services.generate_request import GenerateRequest
from tests.fakes.provider import OnSubmit
from tests.fakes.seam import Killed
from tests.integration.world import PICTURE, World

SYNCHRONOUS = AdapterTraits(submit_safety=SubmitSafety.NONE, synchronous=True, polls=False, cancels=False)
BEFORE_THE_DEADLINE = 570


@pytest.fixture
def world(world: World) -> World:
    world.provider.traits = SYNCHRONOUS
    world.provider.on_submit = OnSubmit.ANSWER
    world.provider.made = PICTURE
    return world


def kill_at(world: World, seam: str) -> None:
    def decide(where: str) -> None:
        if where == seam:
            raise Killed

    world.seam.decide = decide


def live(world: World) -> None:
    world.seam.decide = lambda _where: None


def start_text(world: World) -> str:
    """Alice asks for a text: the job's id."""
    request = GenerateRequest("text", "llama-3-8b", {}, "tell me of lighthouses", raw_hash="x")
    return str(world.generate.start(Caller("alice", None), request).body["jobId"])


def test_the_request_is_answered_before_the_provider_is_asked(world: World) -> None:
    job_id = world.start_job()
    assert world.provider.received == []
    assert world.job(job_id).step is JobStep.QUEUED
    assert [message.body["kind"] for message in world.submit_queue.messages] == ["submit"]


def test_a_job_completes_with_what_came_in_the_answer(world: World, superuser_url: str) -> None:
    job_id = world.start_job()
    world.drain()
    assert world.job(job_id).status is JobStatus.COMPLETED
    assert [world.bucket.bodies[key] for key in world.stored if key.startswith("media/")] == [PICTURE]
    with psycopg.connect(superuser_url) as connection:
        row = connection.execute(
            "select provider_job_id, cost, model_id from attempts where job_id = %s", (job_id,)
        ).fetchone()
    assert row is not None
    assert row[0] == f"{job_id.replace('-', '')}-1"
    assert float(row[1]) == 0.04
    assert row[2] == "flux-schnell"


def test_the_message_twice_and_a_sweep_between_send_once(world: World) -> None:
    job_id = world.start_job()
    world.submit_queue.messages.append(replace(world.submit_queue.messages[0]))
    world.pass_time(100)
    world.run_sweep()
    world.drain()
    assert world.provider.received == [(job_id, 1)]
    assert world.job(job_id).status is JobStatus.COMPLETED


def test_a_lost_message_is_made_up_for_by_the_sweep(world: World) -> None:
    job_id = world.start_job()
    world.submit_queue.messages.clear()
    world.pass_time(120)
    world.run_sweep()
    world.drain()
    assert world.job(job_id).status is JobStatus.COMPLETED


@pytest.mark.parametrize("seam", ["before record.record_submitted", "before record.apply_update"])
def test_a_worker_that_dies_after_it_kept_the_result_loses_nothing_and_sends_nothing_again(
    world: World, seam: str
) -> None:
    job_id = world.start_job()
    kill_at(world, seam)
    world.drain()
    live(world)
    world.settle([job_id], limit_seconds=BEFORE_THE_DEADLINE)
    assert world.provider.received == [(job_id, 1)]
    assert world.job(job_id).status is JobStatus.COMPLETED


def test_a_text_of_any_length_outlives_a_record_that_is_away_when_it_comes(world: World) -> None:
    world.provider.written = "A lighthouse. " * 150_000
    job_id = start_text(world)

    def decide(where: str) -> None:
        if where == "before record.record_submitted":
            raise RecordUnavailableError("away")

    world.seam.decide = decide
    world.work(world.submit_queue)
    live(world)
    world.settle([job_id])
    assert world.provider.received == [(job_id, 1)]
    assert world.job(job_id).status is JobStatus.COMPLETED
    (key,) = [key for key in world.stored if key.startswith("media/")]
    assert world.bucket.bodies[key].decode() == world.provider.written


def test_a_worker_that_dies_before_it_kept_the_result_fails_the_job_and_sends_nothing_again(
    world: World,
) -> None:
    job_id = world.start_job()
    kill_at(world, "after provider.submit")
    world.drain()
    live(world)
    world.settle([job_id])
    ended = world.job(job_id)
    assert world.provider.received == [(job_id, 1)]
    assert ended.status is JobStatus.FAILED
    assert ended.data["error"]["code"] == "submit_unknown"


def test_a_result_that_was_kept_counts_even_if_nobody_looked_before_the_deadline(world: World) -> None:
    job_id = world.start_job()
    kill_at(world, "before record.record_submitted")
    world.drain()
    live(world)
    world.pass_time(500)
    world.real_record.mark_submit_unknown(job_id, 1, due_at=world.now, now=world.now)
    world.advance_queue.messages.clear()
    world.pass_time(3600)  # the bucket was away for so long
    world.settle([job_id])
    assert world.job(job_id).status is JobStatus.COMPLETED


def test_a_long_queue_is_not_made_longer_by_each_sweep(world: World, superuser_url: str) -> None:
    job_id = world.start_job()
    with psycopg.connect(superuser_url) as connection:
        connection.execute("update jobs set deadline_at = deadline_at + interval '1 hour'")
    for _ in range(60):
        world.pass_time(60)
        world.run_sweep()
        while world.work(world.advance_queue):
            pass
    assert len(world.submit_queue.messages) <= 7
    world.drain()
    assert world.provider.received == [(job_id, 1)]
    assert world.job(job_id).status is JobStatus.COMPLETED


def test_a_job_whose_turn_never_came_fails_at_its_deadline(world: World) -> None:
    job_id, began = world.start_job(), world.now
    while not world.job(job_id).final:
        assert world.now < began + timedelta(seconds=world.timing.job_deadline + 300)
        world.pass_time(60)
        world.run_sweep()
        while world.work(world.advance_queue):
            pass
    assert world.job(job_id).data["error"]["code"] == "deadline_exceeded"
    world.drain()
    assert world.provider.received == []


def test_canceling_before_it_was_sent_sends_nothing(world: World) -> None:
    job_id = world.start_job()
    world.request_cancel(job_id)
    world.drain()
    assert world.provider.received == []
    assert world.job(job_id).status is JobStatus.CANCELED


def test_a_result_that_comes_after_the_wish_to_cancel_is_kept_and_the_record_says_so(world: World) -> None:
    job_id = world.start_job()
    world.provider.during_answer = lambda: world.request_cancel(job_id)
    world.drain()
    done = world.job(job_id)
    assert done.status is JobStatus.COMPLETED
    assert done.data["cancelRequested"] is True


@pytest.mark.parametrize("written", ["", "A lighthouse."], ids=["in the bucket", "in the answer"])
def test_who_looks_after_the_wish_while_the_result_is_recorded_leaves_the_job_to_it(
    world: World, written: str
) -> None:
    """The record has the submit and not yet the result when another worker is told of the wish."""
    world.provider.written = written
    job_id = start_text(world) if written else world.start_job()
    world.provider.during_answer = lambda: world.request_cancel(job_id)
    looked: list[bool] = []

    def decide(where: str) -> None:
        if where == "before record.apply_update" and not looked:
            looked.append(True)
            looked.append(world.work(world.advance_queue))

    world.seam.decide = decide
    world.work(world.submit_queue)
    assert looked == [True, True]
    world.drain()
    done = world.job(job_id)
    assert (done.status, done.data["cancelRequested"]) == (JobStatus.COMPLETED, True)


def test_the_same_key_gets_the_same_job(world: World) -> None:
    job_id = world.start_job(key="k")
    assert world.start_job(key="k") == job_id
    world.drain()
    assert world.start_job(key="k") == job_id
    assert world.provider.received == [(job_id, 1)]


def test_a_throttled_worker_tries_again_later(world: World) -> None:
    world.provider.on_submit = OnSubmit.THROTTLE
    job_id = world.start_job()
    world.drain()
    assert world.job(job_id).data["waiting"]["code"] == "provider_rate_limited"
    world.provider.on_submit = OnSubmit.ANSWER
    world.pass_time(10)
    world.drain()
    assert world.job(job_id).status is JobStatus.COMPLETED
