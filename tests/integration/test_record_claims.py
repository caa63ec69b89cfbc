"""Which prediction is whose: submits, unknown submits, and words that come early, late or for another job."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg

from lib.domain.ids import uuid7
from lib.domain.job import JobStatus, JobStep
from lib.domain.provider import RemoteStatus
from lib.stores.postgres.record import PostgresRecord
from tests.integration.record_calls import PREDICTION, SUCCEEDED, apply, at, create, stored, submit, update


def waits_for_a_lock(postgres_url: str) -> bool:
    with psycopg.connect(postgres_url) as connection:
        waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like 'select apply_update%'"
        return connection.execute(waiting).fetchone() is not None


def test_a_webhook_may_be_faster_than_the_answer_to_the_submit(record: PostgresRecord) -> None:
    job_id = create(record)
    assert apply(record, job_id, SUCCEEDED).job.step is JobStep.STORING
    late = submit(record, job_id)
    assert (late.outcome, late.job.step) == ("known", JobStep.STORING)
    assert late.job.data["providerJobId"] == PREDICTION


def test_a_late_running_webhook_does_not_reopen_a_final_job(record: PostgresRecord) -> None:
    job_id = create(record)
    submit(record, job_id)
    apply(record, job_id, SUCCEEDED)
    record.complete_job(job_id, [stored()], at(5))
    late = apply(record, job_id, update(RemoteStatus.RUNNING), 6)
    assert (late.outcome, late.changed, late.job.status) == ("final", False, JobStatus.COMPLETED)
    assert late.outbox == ()  # it has ended: there is nothing to cancel at the provider


def test_an_unknown_submit_is_claimed_by_the_first_word_about_it(record: PostgresRecord) -> None:
    job_id = create(record)
    unknown = record.mark_submit_unknown(job_id, 1, due_at=at(30), now=at(20))
    assert (unknown.outcome, unknown.job.step) == ("unknown", JobStep.SUBMITTING)
    claimed = apply(record, job_id, update(RemoteStatus.UNKNOWN), 25)
    assert claimed.job.data["providerJobId"] == PREDICTION
    assert claimed.job.step is JobStep.SUBMITTED


def test_a_claim_on_a_final_job_is_canceled_at_the_provider(record: PostgresRecord) -> None:
    job_id = create(record)
    record.mark_submit_unknown(job_id, 1, due_at=at(30), now=at(20))
    record.fail_job(job_id, code="submit_unknown", message="nobody answered", retryable=True, now=at(700))
    claim = apply(record, job_id, update(RemoteStatus.RUNNING), 710)
    assert claim.outcome == "final"
    assert [message.payload["kind"] for message in claim.outbox] == ["cancel_remote"]
    assert claim.outbox[0].payload["providerJobId"] == PREDICTION


def test_another_predictions_word_about_a_job_is_not_believed(record: PostgresRecord) -> None:
    job_id = create(record)
    submit(record, job_id)
    other = replace(SUCCEEDED, provider_job_id="anotherpredictionxxxxxxxxx")
    assert apply(record, job_id, other).outcome == "other_prediction"


def test_one_prediction_is_never_claimed_for_two_jobs(record: PostgresRecord) -> None:
    submit(record, create(record))
    twin = create(record)
    record.mark_submit_unknown(twin, 1, due_at=at(30), now=at(20))
    assert apply(record, twin, SUCCEEDED, 25).outcome == "other_prediction"
    assert record.claimed_predictions("replicate", at(-5), at(5)) == {PREDICTION}


def test_an_answer_with_another_jobs_prediction_leaves_both_jobs_as_they_are(record: PostgresRecord) -> None:
    first, twin = create(record), create(record)
    submit(record, first)
    taken = submit(record, twin)
    assert (taken.outcome, taken.changed, taken.job.step) == ("taken", False, JobStep.QUEUED)
    assert record.find_job_by_provider("replicate", PREDICTION) == (first, 1)


def test_of_two_claims_of_one_prediction_at_the_same_time_the_second_sees_the_first(
    record: PostgresRecord, postgres_url: str
) -> None:
    first, twin = create(record), create(record)
    claim = "update attempts set provider_job_id = %s where job_id = %s"
    with psycopg.connect(postgres_url) as earlier, ThreadPoolExecutor(1) as thread:
        earlier.execute(claim, (PREDICTION, first))
        later = thread.submit(apply, record, twin, update(RemoteStatus.RUNNING))
        end = time.monotonic() + 4
        while not waits_for_a_lock(postgres_url) and time.monotonic() < end:
            pass
        earlier.commit()
        assert later.result().outcome == "other_prediction"


def test_a_second_submit_of_one_attempt_is_canceled_at_the_provider(record: PostgresRecord) -> None:
    job_id = create(record)
    submit(record, job_id)
    second = submit(record, job_id, "anotherpredictionxxxxxxxxx")
    assert second.outcome == "conflict"
    assert second.outbox[0].payload["providerJobId"] == "anotherpredictionxxxxxxxxx"


def test_only_one_worker_wins_a_deferred_attempt(record: PostgresRecord) -> None:
    job_id = create(record)
    deferred = record.defer_submit(job_id, 1, retry_at=at(10), reason="throttled", now=at(1))
    assert deferred.outbox[0].payload == {"kind": "check", "jobId": job_id}
    assert deferred.outbox[0].delay_seconds == 9
    wins = [
        record.claim_attempt(job_id, 1, claim=str(uuid7()), lease_until=at(80 + n), now=at(11)).outcome
        for n in range(3)
    ]
    assert wins == ["claimed", "not_claimed", "not_claimed"]
