"""The record's transitions over a real Postgres."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import psycopg
import pytest

from lib.domain.ids import uuid7
from lib.domain.job import JobState, JobStatus, JobStep, can_move
from lib.domain.provider import Failure, FailureKind, OutputKind, ProviderOutput, ProviderUpdate, RemoteStatus
from lib.ports.record import Answer, JobFilter, NewJob, Transition
from lib.ports.work_report import StepEnd, StorageOperation, WorkReport
from lib.services.list_jobs import JobQuery, ListJobs
from lib.stores.postgres.record import PostgresRecord
from tests.fakes import jobs
from tests.integration.composed import compose

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PREDICTION = "gm3qorzdhgbfurvjtvhg6dckhu"


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def new_job(**changes: Any) -> NewJob:
    return jobs.new_job(NOW, **changes)


def with_key(job: NewJob, key: str = "k1", request_hash: str = "h1") -> NewJob:
    return replace(job, idempotency_key=key, request_hash=request_hash, idempotency_expires_at=at(86400))


def create(record: PostgresRecord, **changes: Any) -> str:
    job = new_job(**changes)
    assert record.create_job(job, NOW).outcome == "created"
    return job.job_id


def submit(record: PostgresRecord, job_id: str, provider_job_id: str = PREDICTION) -> Transition:
    return record.record_submitted(job_id, 1, provider_job_id, now=at(1), due_at=at(61))


def update(status: RemoteStatus, **changes: Any) -> ProviderUpdate:
    return replace(ProviderUpdate(status=status, provider_job_id=PREDICTION), **changes)


def waits_for_a_lock(postgres_url: str) -> bool:
    with psycopg.connect(postgres_url) as connection:
        waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like 'select apply_update%'"
        return connection.execute(waiting).fetchone() is not None


SUCCEEDED = update(
    RemoteStatus.SUCCEEDED, outputs=(ProviderOutput(OutputKind.URL, "https://replicate.delivery/x/out.webp"),)
)


def apply(record: PostgresRecord, job_id: str, what: ProviderUpdate, seconds: float = 2) -> Transition:
    return record.apply_update(
        job_id,
        1,
        what,
        source="webhook",
        now=at(seconds),
        due_at=at(seconds + 60),
        storing_deadline_at=at(seconds + 1800),
        storing_due_at=at(seconds + 400),
    )


def steps(postgres_url: str) -> list[tuple[str, bool | None]]:
    """The steps of all jobs in the order of their beginning, with their verdicts; None while they run."""
    with psycopg.connect(postgres_url) as connection:
        return connection.execute(
            "select step, success from processing_timeline order by started_at, step_order"
        ).fetchall()


def stored(index: int = 0) -> Mapping[str, Any]:
    return {
        "index": index,
        "outputId": str(uuid7(NOW)),
        "key": f"media/alice/image/2026/11/20/j/{index}.webp",
        "contentType": "image/webp",
        "fileSize": 1234,
        "sha256": None,
        "width": 1024,
        "height": 768,
        "duration": None,
        "thumbnailKey": None,
    }


def test_the_sql_transition_table_is_the_one_of_the_domain(postgres_url: str) -> None:
    states = []
    for status, step in product(JobStatus, JobStep):
        try:
            states.append(JobState(status, step))
        except ValueError:
            continue
    with psycopg.connect(postgres_url) as connection:
        for before, after in product(states, states):
            row = connection.execute(
                "select can_move(%s, %s, %s, %s)", (before.status, before.step, after.status, after.step)
            ).fetchone()
            assert row == (can_move(before, after),), (before, after)


def test_the_table_refuses_every_state_that_the_domain_refuses(
    record: PostgresRecord, superuser_url: str
) -> None:
    job_id = create(record)
    for status, step in product(JobStatus, JobStep):
        try:
            JobState(status, step)
        except ValueError:
            with (
                psycopg.connect(superuser_url, options="-c session_replication_role=replica") as connection,
                pytest.raises(psycopg.errors.CheckViolation),
            ):
                connection.execute(
                    "update jobs set status = %s, step = %s, version = 2 where job_id = %s",
                    (status, step, job_id),
                )


def test_a_job_is_recorded_as_pending_with_one_line_in_its_timeline(
    record: PostgresRecord, postgres_url: str
) -> None:
    job_id = create(record)

    job = record.find_job(job_id)
    assert job is not None
    assert (job.status, job.step, job.version) == (JobStatus.PENDING, JobStep.QUEUED, 1)
    assert job.data["estimatedCost"] == 0.003
    assert job.data["createdAt"] == "2026-11-20T12:00:00.000Z"
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("select event from job_transitions").fetchall() == [("created",)]


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


def test_a_job_goes_through_all_its_steps_and_each_is_one_version(
    record: PostgresRecord, postgres_url: str
) -> None:
    job_id = create(record)
    versions = [
        submit(record, job_id).job.version,
        apply(record, job_id, update(RemoteStatus.RUNNING)).job.version,
        apply(record, job_id, SUCCEEDED).job.version,
        record.complete_job(job_id, [stored()], at(5)).job.version,
    ]
    assert versions == [2, 3, 4, 5]
    job = record.find_job(job_id)
    assert job is not None
    assert job.status is JobStatus.COMPLETED
    assert job.data["outputs"][0]["width"] == 1024
    assert job.due_at is None
    with psycopg.connect(postgres_url) as connection:
        events = connection.execute("select event from job_transitions order by version").fetchall()
    assert [event for (event,) in events] == ["created", "submitted", "generating", "generated", "completed"]


@pytest.mark.parametrize(
    "evidence",
    [
        update(RemoteStatus.QUEUED),
        update(RemoteStatus.RUNNING),
        SUCCEEDED,
        update(RemoteStatus.FAILED, failure=Failure(FailureKind.MODEL_ERROR, "boom")),
    ],
    ids=lambda evidence: str(evidence.status),
)
def test_the_same_evidence_twice_changes_nothing(record: PostgresRecord, evidence: ProviderUpdate) -> None:
    job_id = create(record)
    submit(record, job_id)
    once = apply(record, job_id, evidence)
    twice = apply(record, job_id, evidence)
    assert not twice.changed
    assert twice.job.version == once.job.version
    assert twice.outbox == ()


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


def test_the_list_is_newest_first_and_its_cursor_goes_on_where_it_ended(record: PostgresRecord) -> None:
    made = []
    for second in range(5):
        job = new_job(job_id=str(uuid7(at(second))))
        record.create_job(job, at(second))
        made.append(job.job_id)
    first = record.list_jobs(JobFilter("alice", limit=2))
    assert [job.job_id for job in first] == [made[4], made[3], made[2]]
    rest = record.list_jobs(JobFilter("alice", limit=3, before=(at(3), made[3])))
    assert [job.job_id for job in rest] == [made[2], made[1], made[0]]
    assert record.list_jobs(JobFilter("bob")) == []
    assert record.list_jobs(JobFilter("alice", status="completed")) == []


def test_jobs_of_one_millisecond_are_all_listed_page_by_page(record: PostgresRecord) -> None:
    made = {create(record, job_id=str(uuid7(NOW))) for _ in range(2)}
    for microseconds in (100, 200, 900):
        job = new_job(job_id=str(uuid7(NOW)))
        record.create_job(job, NOW + timedelta(microseconds=microseconds))
        made.add(job.job_id)
    jobs, query, listed = ListJobs(record), JobQuery(limit=1), set[str]()
    while True:
        page = jobs.list("alice", query)
        listed |= {job.job_id for job in page.jobs}
        if page.next_cursor is None:
            break
        query = JobQuery(limit=1, cursor=page.next_cursor)
    assert listed == made


def test_text_that_is_no_unicode_is_kept_as_far_as_it_is(record: PostgresRecord) -> None:
    job_id = create(record)
    failed = record.fail_job(job_id, code="c", message="bad \ud800 news", retryable=False, now=at(1))
    assert failed.job.data["error"]["message"] == "bad \ufffd news"
    outputs = (ProviderOutput(OutputKind.TEXT, "half \udc00"),)
    assert apply(record, create(record), update(RemoteStatus.SUCCEEDED, outputs=outputs)).outcome == "storing"


def test_text_with_nul_characters_is_kept_without_them(record: PostgresRecord) -> None:
    job_id = create(record, parameters={"prompt": "a\x00b"}, input={"prompt": "a\x00b"})
    submit(record, job_id)
    failure = Failure(FailureKind.MODEL_ERROR, "bad\x00news")
    failed = apply(record, job_id, update(RemoteStatus.FAILED, failure=failure)).job
    assert failed.data["error"]["message"] == "bad\ufffdnews"


def test_storing_begins_only_at_its_step_and_completes_once(record: PostgresRecord) -> None:
    job_id = create(record)
    submit(record, job_id)
    assert record.begin_storing(job_id, now=at(2), due_at=at(400)).outcome == "not_storing"
    assert record.complete_job(job_id, [stored()], at(2)).outcome == "not_storing"
    apply(record, job_id, SUCCEEDED)
    work = record.begin_storing(job_id, now=at(3), due_at=at(400)).extra["work"]
    assert work["outputs"] == [{"kind": "url", "value": "https://replicate.delivery/x/out.webp"}]
    record.complete_job(job_id, [stored()], at(4))
    assert record.complete_job(job_id, [stored()], at(5)).outcome == "final"


def test_a_submit_that_is_recorded_ends_its_step_and_begins_the_next_in_the_same_call(
    record: PostgresRecord, postgres_url: str
) -> None:
    job_id = create(record)
    assert steps(postgres_url) == [("submitting", None)]
    submit(record, job_id)
    assert steps(postgres_url) == [("submitting", True), ("generating", None)]
    assert submit(record, job_id).outcome == "known"
    assert steps(postgres_url) == [("submitting", True), ("generating", None)]


def test_a_claim_whose_holder_died_is_marked_unknown_and_ends_its_step(
    record: PostgresRecord, postgres_url: str
) -> None:
    job_id = create(record)
    record.defer_submit(job_id, 1, retry_at=at(10), reason="throttled", now=at(1))
    record.claim_attempt(job_id, 1, claim=str(uuid7()), lease_until=at(80), now=at(11))
    assert steps(postgres_url) == [("submitting", False), ("submitting", None)]
    record.mark_submit_unknown(job_id, 1, due_at=at(90), now=at(81))
    record.mark_submit_unknown(job_id, 1, due_at=at(90), now=at(82))
    assert steps(postgres_url) == [("submitting", False), ("submitting", False)]


def test_a_second_worker_that_begins_to_store_supersedes_the_steps_of_the_first(
    record: PostgresRecord, postgres_url: str
) -> None:
    job_id = create(record)
    submit(record, job_id)
    apply(record, job_id, SUCCEEDED)
    first = record.begin_storing(job_id, now=at(3), due_at=at(400)).extra["work"]["steps"]
    second = record.begin_storing(job_id, now=at(4), due_at=at(400)).extra["work"]["steps"]
    assert steps(postgres_url)[2:] == [
        ("downloading", False),
        ("uploading", False),
        ("downloading", None),
        ("uploading", None),
    ]
    late = WorkReport([StepEnd(first[step], True, at(5)) for step in ("downloading", "uploading")])
    record.record_work(job_id, late, at(5))
    ended = [StepEnd(second[step], True, at(6)) for step in ("downloading", "uploading")]
    record.complete_job(job_id, [stored()], at(6), work=WorkReport(ended))
    assert [success for _, success in steps(postgres_url)[2:]] == [False, False, True, True]


def test_a_job_that_fails_while_it_is_stored_leaves_nothing_open_and_keeps_the_late_report(
    record: PostgresRecord, postgres_url: str
) -> None:
    job_id = create(record)
    submit(record, job_id)
    apply(record, job_id, SUCCEEDED)
    record.begin_storing(job_id, now=at(3), due_at=at(400))
    record.fail_job(job_id, code="storing_deadline_exceeded", message="late", retryable=True, now=at(3600))
    assert [success for _, success in steps(postgres_url)] == [True, True, False, False]
    moved = StorageOperation(str(uuid7(NOW)), "upload", "media", "k", True, at(3601), 12.5, 1234, 0)
    for _ in range(2):
        late = record.complete_job(job_id, [stored()], at(3601), work=WorkReport(operations=[moved]))
        assert late.outcome == "final"
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("select file_size from storage_operations").fetchall() == [(1234,)]


def test_the_outputs_of_a_job_have_the_ids_that_they_were_given(record: PostgresRecord) -> None:
    job_id = create(record)
    submit(record, job_id)
    apply(record, job_id, SUCCEEDED)
    outputs = [stored(0), stored(1)]
    done = record.complete_job(job_id, outputs, at(5)).job
    assert [o["outputId"] for o in done.data["outputs"]] == [o["outputId"] for o in outputs]
    found = record.find_output(outputs[1]["outputId"])
    assert found is not None
    assert (found["jobId"], found["key"]) == (job_id, outputs[1]["key"])


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
