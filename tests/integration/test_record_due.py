"""What the record has done later: polls, due jobs, the outbox, and the deadlines of composed jobs."""

from lib.domain.job import JobStatus
from lib.stores.postgres.record import PostgresRecord
from tests.integration.composed import compose
from tests.integration.record_calls import NOW, SUCCEEDED, apply, at, create, submit


def test_only_the_holder_of_the_poll_sequence_gets_the_turn(record: PostgresRecord) -> None:
    job_id = create(record)
    submit(record, job_id)
    turn = record.begin_check(job_id, poll_seq=0, now=at(70), due_at=at(130))
    assert turn.outcome == "work"
    assert turn.extra["work"]["attempt"]["state"] == "submitted"
    assert record.begin_check(job_id, poll_seq=0, now=at(70), due_at=at(130)).outcome == "stale_poll"


def test_due_jobs_are_leased_and_never_taken_twice(record: PostgresRecord) -> None:
    ids = {create(record) for _ in range(5)}
    assert record.take_due_jobs(now=at(59), limit=10, lease_until=at(200)) == []
    taken = record.take_due_jobs(now=at(61), limit=3, lease_until=at(200))
    rest = record.take_due_jobs(now=at(61), limit=10, lease_until=at(200))
    assert {job_id for job_id, _user in [*taken, *rest]} == ids
    assert len(taken) == 3


def test_the_outbox_gives_back_what_its_sender_left_behind(record: PostgresRecord) -> None:
    job_id = create(record)
    submit(record, job_id)
    message = apply(record, job_id, SUCCEEDED).outbox[0]
    assert record.take_outbox(now=at(30), limit=10, lease_until=at(90)) == []
    left = record.take_outbox(now=at(63), limit=10, lease_until=at(120))
    assert [(m.outbox_id, m.topic, m.payload) for m in left] == [
        (message.outbox_id, "store", {"kind": "store", "jobId": job_id})
    ]
    record.forget_sent([message.outbox_id])
    assert record.take_outbox(now=at(500), limit=10, lease_until=at(600)) == []


def test_a_composed_job_that_is_looked_at_before_its_deadline_is_looked_at_again_then(
    record: PostgresRecord, postgres_url: str
) -> None:
    job_id = compose(postgres_url, NOW, 600)
    early = record.begin_check(job_id, poll_seq=None, now=at(599), due_at=at(700))
    assert (early.outcome, early.changed, early.job.due_at) == ("not_due", False, at(600))
    assert record.begin_storing(job_id, now=at(599), due_at=at(700)).outcome == "not_storing"


def test_a_composed_job_fails_at_its_deadline_with_its_reason(
    record: PostgresRecord, postgres_url: str
) -> None:
    job_id = compose(postgres_url, NOW, 600)
    late = record.begin_check(job_id, poll_seq=None, now=at(600), due_at=at(700))
    assert (late.outcome, late.job.status) == ("failed", JobStatus.FAILED)
    assert late.job.data["error"]["code"] == "deadline_exceeded"
    assert record.begin_check(job_id, poll_seq=None, now=at(601), due_at=at(700)).outcome == "final"
