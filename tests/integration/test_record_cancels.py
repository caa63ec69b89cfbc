"""Cancels in the record: at once, as a wish, or too late."""

from lib.domain.ids import uuid7
from lib.domain.job import JobStatus, JobStep
from lib.domain.provider import RemoteStatus
from lib.stores.postgres.record import PostgresRecord
from tests.integration.record_calls import SUCCEEDED, apply, at, create, stored, submit, update


def test_a_job_that_was_not_submitted_is_canceled_at_once(record: PostgresRecord) -> None:
    job_id = create(record)
    record.defer_submit(job_id, 1, retry_at=at(10), reason="throttled", now=at(1))
    assert record.request_cancel(job_id, "alice", at(2)).job.status is JobStatus.CANCELED
    assert (
        record.claim_attempt(job_id, 1, claim=str(uuid7()), lease_until=at(80), now=at(11)).outcome
        == "not_claimed"
    )


def test_cancel_of_a_running_job_is_a_wish_until_the_provider_confirms_it(record: PostgresRecord) -> None:
    job_id = create(record)
    submit(record, job_id)
    wish = record.request_cancel(job_id, "alice", at(2))
    assert (wish.outcome, wish.job.status) == ("requested", JobStatus.PENDING)
    assert wish.outbox[0].payload["kind"] == "check"
    assert apply(record, job_id, update(RemoteStatus.CANCELED), 3).job.status is JobStatus.CANCELED


def test_a_success_wins_over_a_cancel_that_came_too_late(record: PostgresRecord) -> None:
    job_id = create(record)
    submit(record, job_id)
    record.request_cancel(job_id, "alice", at(2))
    assert apply(record, job_id, SUCCEEDED, 3).job.step is JobStep.STORING
    done = record.complete_job(job_id, [stored()], at(4)).job
    assert (done.status, done.data["cancelRequested"]) == (JobStatus.COMPLETED, True)


def test_somebody_elses_job_cannot_be_canceled(record: PostgresRecord) -> None:
    job_id = create(record)
    assert record.request_cancel(job_id, "mallory", at(2)).outcome == "not_found"


def test_a_provider_that_cancels_at_the_deadline_fails_the_job_with_that_reason(
    record: PostgresRecord,
) -> None:
    job_id = create(record)
    submit(record, job_id)
    failed = apply(record, job_id, update(RemoteStatus.CANCELED), 600).job
    assert failed.status is JobStatus.FAILED
    assert failed.data["error"]["code"] == "deadline_exceeded"
