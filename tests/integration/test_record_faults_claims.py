"""A claim is won once by its token, answered as often as it is asked for, and given back once."""

from lib.domain.ids import uuid7
from lib.domain.job import JobStatus
from lib.stores.postgres.record import PostgresRecord
from tests.integration.record_calls import at, new_job, with_key


def deferred(record: PostgresRecord) -> str:
    job = with_key(new_job())
    record.create_job(job, at(0))
    record.defer_submit(job.job_id, 1, retry_at=at(10), reason="throttled", now=at(1))
    return job.job_id


def test_a_claim_that_is_repeated_with_its_token_is_won_once_and_answered_twice(
    record: PostgresRecord,
) -> None:
    job_id, mine, theirs = deferred(record), str(uuid7()), str(uuid7())
    first = record.claim_attempt(job_id, 1, claim=mine, lease_until=at(80), now=at(11))
    again = record.claim_attempt(job_id, 1, claim=mine, lease_until=at(80), now=at(11))
    other = record.claim_attempt(job_id, 1, claim=theirs, lease_until=at(80), now=at(12))
    assert [each.outcome for each in (first, again, other)] == ["claimed", "claimed", "not_claimed"]
    assert [each.changed for each in (first, again, other)] == [True, False, False]
    assert first.job.version == again.job.version == other.job.version


def test_a_claim_whose_lease_is_over_is_not_won_again(record: PostgresRecord) -> None:
    job_id, mine = deferred(record), str(uuid7())
    record.claim_attempt(job_id, 1, claim=mine, lease_until=at(80), now=at(11))
    record.mark_submit_unknown(job_id, 1, due_at=at(140), now=at(81))
    late = record.claim_attempt(job_id, 1, claim=mine, lease_until=at(200), now=at(82))
    assert late.outcome == "not_claimed"


def test_a_claim_is_given_back_once_and_not_when_another_was_won(record: PostgresRecord) -> None:
    job_id, mine, theirs = deferred(record), str(uuid7()), str(uuid7())

    def give_back(seconds: float) -> str:
        now = at(seconds)
        return record.defer_submit(job_id, 1, retry_at=now, reason="lost", now=now, claim=mine).outcome

    record.claim_attempt(job_id, 1, claim=mine, lease_until=at(80), now=at(11))
    assert [give_back(50), give_back(51)] == ["deferred", "unchanged"]
    taken = record.claim_attempt(job_id, 1, claim=theirs, lease_until=at(120), now=at(52))
    assert (taken.outcome, give_back(53)) == ("claimed", "unchanged")
    record.record_submitted(job_id, 1, "prediction-of-theirs", now=at(54), due_at=at(90))
    assert give_back(55) == "unchanged"
    found = record.find_job(job_id)
    assert found is not None
    assert found.data["providerJobId"] == "prediction-of-theirs"


def test_a_claim_whose_job_was_canceled_meanwhile_is_given_back_by_its_end(record: PostgresRecord) -> None:
    job_id, mine = deferred(record), str(uuid7())
    record.claim_attempt(job_id, 1, claim=mine, lease_until=at(80), now=at(11))
    record.request_cancel(job_id, "alice", at(12))
    back = record.defer_submit(job_id, 1, retry_at=at(50), reason="lost", now=at(50), claim=mine)
    assert (back.outcome, back.job.status) == ("canceled", JobStatus.CANCELED)
