"""A job in the record, from its creation to its end: which states there are, and what each call leaves behind."""

from itertools import product

import psycopg
import pytest

from lib.domain.job import JobState, JobStatus, JobStep, can_move
from lib.domain.provider import Failure, FailureKind, OutputKind, ProviderOutput, ProviderUpdate, RemoteStatus
from lib.stores.postgres.record import PostgresRecord
from tests.integration.record_calls import SUCCEEDED, apply, at, create, stored, submit, update


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
