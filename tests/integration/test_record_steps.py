"""The steps of submitting and storing in the record: begun once, ended once, and superseded by who comes after."""

import psycopg

from lib.domain.ids import uuid7
from lib.ports.work_report import StepEnd, StorageOperation, WorkReport
from lib.stores.postgres.record import PostgresRecord
from tests.integration.record_calls import NOW, SUCCEEDED, apply, at, create, stored, submit


def steps(postgres_url: str) -> list[tuple[str, bool | None]]:
    """The steps of all jobs in the order of their beginning, with their verdicts; None while they run."""
    with psycopg.connect(postgres_url) as connection:
        return connection.execute(
            "select step, success from processing_timeline order by started_at, step_order"
        ).fetchall()


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
