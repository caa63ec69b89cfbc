"""A job comes to its end: by webhooks, by polls, by the sweep or by its deadline."""

import psycopg

from lib.domain.job import JobStatus, JobStep
from lib.domain.provider import RemoteStatus
from lib.stores.postgres.record import PostgresRecord
from tests.fakes.tier import FakeTier
from tests.integration.composed import compose
from tests.integration.world import World


def test_a_job_completes_by_its_webhooks(world: World) -> None:
    job_id = world.start_job()
    prediction = world.prediction
    for _ in range(2):
        world.provider.work(prediction)
        world.webhook(prediction)
    world.drain()
    done = world.job(job_id)
    assert done.status is JobStatus.COMPLETED
    assert world.journal.versions[job_id] == [1, 2, 3, 4, 5]


def test_the_lateness_of_a_final_webhook_is_told_with_its_job(world: World) -> None:
    job_id = world.start_job()
    prediction = world.prediction
    world.provider.work(prediction)
    world.provider.work(prediction)
    world.webhook(prediction)
    message = world.advance_queue.messages[-1].body
    message["receivedAt"] = "2026-11-20T12:30:02.000Z"
    message["update"]["completedAt"] = "2026-11-20T12:30:00.500Z"
    world.drain()
    assert ("webhook_latency 1.5", job_id) in world.journal.events


def test_a_lost_webhook_ends_by_the_sweep(world: World) -> None:
    job_id = world.start_job()
    prediction = world.prediction
    world.provider.work(prediction)
    world.provider.work(prediction)
    world.pass_time(61)
    world.run_sweep()
    world.drain()
    assert world.job(job_id).status is JobStatus.COMPLETED


def test_doubled_and_shuffled_webhooks_store_once_and_complete_once(world: World) -> None:
    job_id = world.start_job()
    prediction = world.prediction
    world.provider.work(prediction)
    world.webhook(prediction)
    world.provider.work(prediction)
    world.webhook(prediction)
    world.webhook(prediction, webhook_id="resent-under-another-id")
    world.advance_queue.messages.reverse()
    world.drain()
    assert world.job(job_id).status is JobStatus.COMPLETED
    assert len(world.stored) == 1
    assert [event for event, of in world.journal.events if of == job_id].count("completed") == 1


def test_a_provider_that_never_finishes_is_canceled_at_the_deadline(world: World) -> None:
    job_id = world.start_job()
    world.settle([job_id])
    assert world.job(job_id).data["error"]["code"] == "deadline_exceeded"
    assert world.provider.predictions[world.prediction].status is RemoteStatus.CANCELED


def test_an_unknown_remote_status_stays_non_final_and_is_counted(world: World) -> None:
    job_id = world.start_job()
    prediction = world.provider.predictions[world.prediction]
    prediction.status = RemoteStatus.UNKNOWN
    world.webhook(prediction.provider_job_id)
    world.drain()
    assert world.job(job_id).status is JobStatus.PENDING
    assert world.journal.counts["UnknownRemoteStatus"] == 1


def test_a_webhook_that_names_no_job_finds_it_by_the_providers_id(world: World) -> None:
    job_id = world.start_job()
    prediction = world.prediction
    world.provider.work(prediction)
    world.webhook(prediction)
    message = world.advance_queue.messages[-1].body
    del message["jobId"], message["attempt"]
    world.drain()
    assert world.job(job_id).step is JobStep.GENERATING


def test_a_webhook_of_a_prediction_that_nobody_knows_is_given_up(world: World) -> None:
    world.start_job()
    world.webhook(world.prediction)
    message = world.advance_queue.messages[-1].body
    del message["jobId"], message["attempt"]
    message["update"]["providerJobId"] = "someoneelses"
    for _ in range(20):
        world.drain()
        world.pass_time(120)
    assert world.journal.counts["WebhookWithoutJob"] == 1
    assert [m.body for m in world.advance_queue.messages if m.body["kind"] == "event"] == []


def test_only_the_sweep_has_a_result_stored_again(world: World) -> None:
    job_id = world.start_job()
    prediction = world.prediction
    world.provider.work(prediction)
    world.provider.work(prediction)
    world.webhook(prediction)
    while world.work(world.advance_queue):
        pass
    world.request_cancel(job_id)
    world.pass_time(61)
    while world.work(world.advance_queue):
        pass
    assert len(world.store_queue.messages) == 1
    world.store_queue.messages.clear()
    world.pass_time(world.timing.storing_lease)
    world.run_sweep()
    world.drain()
    assert world.job(job_id).status is JobStatus.COMPLETED


def test_without_webhooks_the_job_is_polled_to_its_end(record: PostgresRecord) -> None:
    world = World(record, [FakeTier()], webhooks=False)
    job_id = world.start_job()
    prediction = world.prediction
    for _ in range(2):
        world.provider.work(prediction)
        world.pass_time(5)
        world.drain()
    assert world.job(job_id).status is JobStatus.COMPLETED


def test_a_composed_job_is_given_up_by_the_sweep_at_its_deadline(world: World, postgres_url: str) -> None:
    job_id = compose(postgres_url, world.now, 300)
    for _ in range(2):
        world.pass_time(149)
        world.run_sweep()
        world.drain()
    assert world.job(job_id).status is JobStatus.PENDING
    world.pass_time(3)
    world.run_sweep()
    world.drain()
    assert world.job(job_id).data["error"]["code"] == "deadline_exceeded"
    assert ("failed", job_id) in world.journal.events


def test_a_sweep_leaves_its_figures_in_the_record(world: World, postgres_url: str) -> None:
    world.start_job()
    world.pass_time(700)
    world.run_sweep()
    with psycopg.connect(postgres_url) as connection:
        figures: dict[str, float] = dict(
            connection.execute("select name, value from system_metrics").fetchall()
        )
    assert (figures["sweep_jobs"], figures["sweep_messages"], figures["sweep_out_of_time"]) == (1, 0, 0)
    assert figures["jobs_in_flight"] == 1
    assert figures["database_bytes"] > 0
