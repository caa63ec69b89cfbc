"""The life of a job through the services, over a real record: each fault of the issue in a story of its own."""

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from lib.domain.errors import IdempotencyMismatchError, ProviderError, RecordUnavailableError
from lib.domain.job import JobStatus, JobStep
from lib.domain.provider import RemoteStatus
from lib.domain.snapshot import parse_time
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.record import PostgresRecord
from local.backing.ports import free_port
from tests.fakes.provider import OnSubmit
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


def test_a_provider_that_asks_for_a_day_does_not_move_the_deadline(world: World) -> None:
    world.provider.on_submit = OnSubmit.THROTTLE
    world.provider.retry_after = 86_400.0
    job_id, begun = world.start_job(), world.now
    world.advance_queue.messages.clear()
    world.settle([job_id])
    assert world.job(job_id).data["error"]["code"] == "deadline_exceeded"
    assert (world.now - begun).total_seconds() < 600 + 120


def test_a_cancel_while_the_provider_is_away_is_asked_again(world: World) -> None:
    job_id = world.start_job()
    world.provider.away = True
    world.request_cancel(job_id)
    world.drain()
    world.provider.away = False
    world.settle([job_id])
    assert world.job(job_id).status is JobStatus.CANCELED


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
