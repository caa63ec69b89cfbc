"""Idempotency keys in the record: one job, one answer, for as long as the key lives."""

from dataclasses import replace

from lib.domain.ids import uuid7
from lib.ports.record import Answer, JobFilter
from lib.stores.postgres.record import PostgresRecord
from tests.integration.record_calls import NOW, PREDICTION, at, new_job, with_key


def test_creating_the_same_job_again_after_a_lost_answer_creates_nothing(record: PostgresRecord) -> None:
    job = with_key(new_job())
    first = record.create_job(job, NOW)
    second = record.create_job(job, NOW)
    assert (first.outcome, second.outcome) == ("created", "created")
    assert first.job.version == second.job.version == 1


def test_an_idempotency_key_is_in_progress_then_replays_the_first_answer(record: PostgresRecord) -> None:
    first = with_key(new_job())
    record.create_job(first, NOW)
    assert record.create_job(with_key(new_job()), at(1)).outcome == "in_progress"

    answer = Answer(202, {"jobId": first.job_id})
    record.record_submitted(first.job_id, 1, PREDICTION, now=at(2), due_at=at(60), answer=answer)

    replay = record.create_job(with_key(new_job()), at(3))
    assert replay.outcome == "replay"
    assert replay.extra["answer"] == {"statusCode": 202, "body": {"jobId": first.job_id}}
    assert record.count_jobs(JobFilter("alice"), 100) == 1


def test_an_idempotency_key_with_another_body_is_a_mismatch(record: PostgresRecord) -> None:
    record.create_job(with_key(new_job()), NOW)
    assert record.create_job(with_key(new_job(), request_hash="h2"), NOW).outcome == "mismatch"


def test_an_idempotency_key_is_free_again_after_its_life_and_for_another_user(record: PostgresRecord) -> None:
    record.create_job(with_key(new_job()), NOW)
    assert record.create_job(with_key(new_job(user_id="bob")), NOW).outcome == "created"
    job = new_job(job_id=str(uuid7(at(90_000))))
    later = replace(with_key(job, request_hash="h2"), idempotency_expires_at=at(200_000))
    assert record.create_job(later, at(90_000)).outcome == "created"


def test_a_creator_that_died_leaves_a_job_that_its_key_finds(record: PostgresRecord) -> None:
    first = with_key(new_job())
    record.create_job(first, NOW)
    found = record.create_job(with_key(new_job()), at(61))
    assert (found.outcome, found.job.job_id) == ("existing", first.job_id)
