"""A cancel: at once, at the provider, too late, or refused."""

from dataclasses import replace
from datetime import timedelta

from lib.domain.job import JobStatus
from lib.domain.provider import RemoteStatus
from tests.fakes.provider import OnSubmit
from tests.integration.world import World


def test_a_cancel_before_the_submit_is_final_at_once_and_nothing_is_sent(world: World) -> None:
    world.provider.on_submit = OnSubmit.THROTTLE
    job_id = world.start_job()
    world.request_cancel(job_id)
    world.provider.on_submit = OnSubmit.ACCEPT
    world.settle([job_id])
    assert world.job(job_id).status is JobStatus.CANCELED
    assert world.provider.received == []


def test_a_cancel_of_a_running_job_asks_the_provider_and_follows_its_evidence(world: World) -> None:
    job_id = world.start_job()
    prediction = world.prediction
    world.provider.work(prediction)
    world.request_cancel(job_id)
    assert world.job(job_id).data["cancelRequested"] is True
    world.drain()
    assert world.provider.predictions[prediction].status is RemoteStatus.CANCELED
    assert world.job(job_id).status is JobStatus.CANCELED


def test_a_cancel_while_a_submit_is_on_its_way_holds_where_the_provider_did_not_take_it(world: World) -> None:
    def cancel_meanwhile(where: str) -> None:
        if where == "before provider.submit":
            (job_id,) = world.journal.versions
            world.request_cancel(job_id)

    world.seam.decide = cancel_meanwhile
    world.provider.on_submit = OnSubmit.THROTTLE
    job_id = world.start_job()
    assert world.job(job_id).status is JobStatus.CANCELED
    world.provider.on_submit = OnSubmit.ACCEPT
    world.settle([job_id])
    assert world.provider.received == []


def test_a_cancel_while_the_provider_is_away_is_asked_again(world: World) -> None:
    job_id = world.start_job()
    world.provider.away = True
    world.request_cancel(job_id)
    world.drain()
    world.provider.away = False
    world.settle([job_id])
    assert world.job(job_id).status is JobStatus.CANCELED


def test_a_cancel_that_the_provider_refuses_asks_how_the_prediction_stands(world: World) -> None:
    job_id = world.start_job()
    prediction = world.prediction
    world.provider.refuses_cancel = True
    world.provider.work(prediction)
    world.provider.work(prediction)
    world.request_cancel(job_id)
    world.drain()
    assert world.job(job_id).status is JobStatus.COMPLETED


def test_a_cancel_for_a_job_that_has_ended_is_not_asked_for_ever(world: World) -> None:
    job_id = world.start_job()
    prediction = world.provider.predictions[world.prediction]
    prediction.deadline_at = world.now + timedelta(days=365)
    world.provider.refuses_cancel = True
    world.settle([job_id], limit_seconds=12 * 3600)
    assert world.job(job_id).data["error"]["code"] == "deadline_exceeded"
    assert world.journal.counts["CancelGivenUp"] == 1


def test_a_cancel_that_would_remove_a_result_takes_it_instead(world: World) -> None:
    world.provider.traits = replace(world.provider.traits, cancel_removes=True)
    job_id = world.start_job()
    for _ in range(2):
        world.provider.work(world.prediction)
    world.request_cancel(job_id)
    world.drain()
    done = world.job(job_id)
    assert done.status is JobStatus.COMPLETED
    assert done.data["cancelRequested"] is True


def test_a_cancel_that_would_remove_a_result_ends_what_still_runs(world: World) -> None:
    world.provider.traits = replace(world.provider.traits, cancel_removes=True)
    job_id = world.start_job()
    world.provider.work(world.prediction)
    world.request_cancel(job_id)
    world.drain()
    assert world.job(job_id).status is JobStatus.CANCELED
