"""A job is sent once, whatever its provider answers, and its caller learns how it went."""

import pytest

from lib.domain.errors import IdempotencyMismatchError, ProviderError
from lib.domain.job import JobStatus, JobStep
from lib.domain.snapshot import parse_time
from tests.fakes.provider import OnSubmit
from tests.integration.world import World


def test_a_silent_submit_is_sent_once_and_claimed_by_the_start_webhook(world: World) -> None:
    world.provider.on_submit = OnSubmit.ACCEPT_SILENTLY
    job_id = world.start_job()
    assert world.job(job_id).data["providerJobId"] is None
    prediction = world.prediction
    world.webhook(prediction)
    world.drain()
    assert world.job(job_id).data["providerJobId"] == prediction
    assert world.provider.received == [(job_id, 1)]


def test_a_silent_submit_without_webhooks_is_found_by_recover(world: World) -> None:
    world.provider.on_submit = OnSubmit.ACCEPT_SILENTLY
    job_id = world.start_job()
    world.pass_time(61)
    world.drain()
    assert world.job(job_id).data["providerJobId"] == world.prediction
    assert world.provider.received == [(job_id, 1)]


def test_a_recovered_submit_is_asked_after_without_waiting_for_the_sweep(world: World) -> None:
    world.provider.on_submit = OnSubmit.ACCEPT_SILENTLY
    job_id = world.start_job()
    world.pass_time(61)
    world.drain()
    prediction = world.prediction
    world.provider.work(prediction)
    world.provider.work(prediction)
    world.pass_time(61)
    world.drain()
    assert world.job(job_id).status is JobStatus.COMPLETED


def test_a_submit_that_was_lost_ends_at_the_deadline_with_its_reason(world: World) -> None:
    world.provider.on_submit = OnSubmit.LOSE
    job_id = world.start_job()
    world.settle([job_id])
    failed = world.job(job_id)
    assert failed.data["error"]["code"] == "submit_unknown"
    assert world.provider.received == []


def test_an_unknown_submit_is_given_up_at_its_deadline_and_not_a_minute_later(world: World) -> None:
    world.provider.on_submit = OnSubmit.LOSE
    job_id = world.start_job()
    while not world.job(job_id).final:
        world.pass_time(1)
        world.drain()
    late = (world.clock() - parse_time(world.job(job_id).data["deadlineAt"])).total_seconds()
    assert 0 <= late <= 2


def test_a_throttled_submit_waits_its_turn_and_completes(world: World) -> None:
    world.provider.on_submit = OnSubmit.THROTTLE
    job_id = world.start_job()
    assert world.job(job_id).step is JobStep.QUEUED
    world.drain()
    assert world.provider.received == []
    world.provider.on_submit = OnSubmit.ACCEPT
    world.pass_time(4)
    world.drain()
    assert world.provider.received == [(job_id, 1)]
    assert world.job(job_id).step is JobStep.SUBMITTED


def test_a_refused_submit_fails_the_job_and_tells_its_caller_why(world: World) -> None:
    world.provider.on_submit = OnSubmit.REFUSE
    with pytest.raises(ProviderError, match="too rude") as refusal:
        world.create_or_raise()
    assert refusal.value.code == "provider_invalid_input"
    assert refusal.value.job_id is not None
    assert world.job(refusal.value.job_id).data["error"]["message"] == "prompt is too rude"


def test_a_repeated_key_after_a_refusal_is_refused_again_without_another_submit(world: World) -> None:
    world.provider.on_submit = OnSubmit.REFUSE
    world.create(key="k")
    world.provider.on_submit = OnSubmit.ACCEPT
    with pytest.raises(ProviderError, match="too rude"):
        world.create_or_raise(key="k")
    assert world.provider.received == []


def test_a_repeated_key_gets_the_first_answer_and_starts_nothing(world: World) -> None:
    first = world.create(key="k")
    second = world.create(key="k")
    assert first == second
    assert len(world.provider.received) == 1
    with pytest.raises(IdempotencyMismatchError):
        world.create_or_raise(prompt="another", key="k")


def test_a_provider_that_asks_for_a_day_does_not_move_the_deadline(world: World) -> None:
    world.provider.on_submit = OnSubmit.THROTTLE
    world.provider.retry_after = 86_400.0
    job_id, begun = world.start_job(), world.now
    world.advance_queue.messages.clear()
    world.settle([job_id])
    assert world.job(job_id).data["error"]["code"] == "deadline_exceeded"
    assert (world.now - begun).total_seconds() < 600 + 120
