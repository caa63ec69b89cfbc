"""Every call of the record, the repositories and the video job service over a database in trouble, and after it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from lib.domain.errors import RecordUnavailableError
from lib.domain.ids import uuid7
from lib.domain.job import JobStatus
from lib.domain.observations import AccessType, UrlAccess
from lib.domain.time_range import DayRange, TimeRange
from lib.ports.record import JobFilter
from lib.ports.repositories import ElementChange, JobSearch, StorageSearch
from lib.ports.work_report import Metric, StorageOperation, WorkReport
from lib.stores.postgres.api_keys import PostgresApiKeys
from lib.stores.postgres.record import PostgresRecord
from lib.stores.postgres.repositories.analytics import PostgresAnalytics
from lib.stores.postgres.repositories.jobs import PostgresJobs
from lib.stores.postgres.repositories.security_events import PostgresSecurityEvents
from lib.stores.postgres.repositories.storage_operations import PostgresStorageLog
from lib.stores.postgres.repositories.system_metrics import PostgresSystemMetrics
from lib.stores.postgres.repositories.url_access import PostgresUrlAccesses
from local.backing import RecordDatabase
from tests.integration.record_calls import (
    SUCCEEDED,
    apply,
    at,
    create,
    new_job,
    stored,
    submit,
    with_key,
)
from tests.integration.record_trouble import KINDS, Make, Trouble
from tests.integration.video_world import NOON, VideoWorld, film, video, video_world

FRESH = "freshfreshfreshfreshfreshf"
Calls = Mapping[str, Callable[[], object]]
RANGE = TimeRange(NOON - timedelta(days=1), NOON + timedelta(days=1))


@dataclass
class Stage:
    """Jobs at every point of their lives, for calls that each find something to do."""

    world: VideoWorld
    queued: str
    sent: str
    storing: str
    film: str
    step: str
    element: str

    @property
    def record(self) -> PostgresRecord:
        """What is tried."""
        return self.world.record


@pytest.fixture
def stage(worker_url: str) -> Iterator[Stage]:
    with video_world(worker_url) as world:
        record = world.record
        queued, sent, storing = create(record), create(record), create(record)
        record.defer_submit(queued, 1, retry_at=at(2), reason="throttled", now=at(1))
        submit(record, sent, "sentsentsentsentsentsentse")
        submit(record, storing)
        apply(record, storing, SUCCEEDED)
        made = world.service.create_video_job("alice", film())
        step = world.service.start_processing_step(made.job.job_id, "mixing", 0)
        yield Stage(world, queued, sent, storing, made.job.job_id, step, made.elements[0].element_id)


@pytest.fixture
def trouble(empty_record: RecordDatabase, worker_url: str) -> Trouble:
    return Trouble(empty_record, worker_url)


def writes(stage: Stage) -> Calls:
    """All that change rows, in an order in which each has something to change."""
    record, service, film_id = stage.record, stage.world.service, stage.film
    fresh, composed = with_key(new_job(), key="fresh"), str(uuid7(NOON))
    new_id, claim = str(uuid7(NOON)), str(uuid7(NOON))
    access = UrlAccess(
        access_id=new_id,
        output_id=new_id,
        job_id=film_id,
        user_id="alice",
        access_type=AccessType.REDIRECT,
        client_ip=None,
        user_agent=None,
        accessed_at=NOON,
    )
    event = {"eventId": new_id, "kind": "wrong_key", "at": NOON.isoformat(), "details": {}}
    moved = StorageOperation(new_id, "upload", "media", "a", True, NOON, 1.0)
    return {
        "create_job": lambda: record.create_job(fresh, at(0)),
        "claim_attempt": lambda: record.claim_attempt(
            stage.queued, 1, claim=claim, lease_until=at(60), now=at(2)
        ),
        "defer_submit": lambda: record.defer_submit(
            stage.queued, 1, retry_at=at(9), reason="x", now=at(3), claim=claim
        ),
        "record_submitted": lambda: submit(record, fresh.job_id, FRESH),
        "mark_submit_unknown": lambda: record.mark_submit_unknown(fresh.job_id, 1, due_at=at(9), now=at(3)),
        "begin_check": lambda: record.begin_check(stage.sent, poll_seq=None, now=at(3), due_at=at(9)),
        "emit_next_check": lambda: record.emit_next_check(
            stage.sent, topic="advance", poll_seq=1, delay_seconds=1, now=at(3)
        ),
        "set_due": lambda: record.set_due(stage.sent, at(500)),
        "apply_update": lambda: apply(record, fresh.job_id, replace(SUCCEEDED, provider_job_id=FRESH), 4),
        "request_cancel": lambda: record.request_cancel(stage.sent, "alice", at(4)),
        "fail_job": lambda: record.fail_job(stage.sent, code="x", message="y", retryable=False, now=at(5)),
        "begin_storing": lambda: record.begin_storing(stage.storing, now=at(5), due_at=at(400)),
        "record_work": lambda: record.record_work(stage.storing, WorkReport(operations=[moved]), at(6)),
        "complete_job": lambda: record.complete_job(stage.storing, [stored()], at(7)),
        "take_due_jobs": lambda: record.take_due_jobs(now=at(9000), limit=9, lease_until=at(9100)),
        "take_outbox": lambda: record.take_outbox(now=at(9000), limit=9, lease_until=at(9100)),
        "forget_sent": lambda: record.forget_sent([1]),
        "record_metrics": lambda: record.record_metrics([Metric("a", 1.0, "count")], at(8)),
        "remove_expired": lambda: record.remove_expired("jobs", at(9_000_000), 9),
        "log_security_event": lambda: record.log_security_event(event),
        "url access": lambda: PostgresUrlAccesses(stage.world.connection).log(access),
        "create_video_job": lambda: service.create_video_job("bob", film(), job_id=composed),
        "add_element": lambda: service.add_element(film_id, video(7)),
        "update_element": lambda: service.update_element_status(
            stage.element, ElementChange(downloaded=True)
        ),
        "start step": lambda: service.start_processing_step(film_id, "cutting", 1),
        "complete step": lambda: service.complete_processing_step(film_id, stage.step, True),
        "log storage": lambda: service.log_storage_operation(film_id, moved),
        "update_job_status": lambda: service.update_job_status(film_id, JobStatus.PROCESSING),
        "fail": lambda: service.fail(film_id, "x", "y"),
    }


def reads(stage: Stage) -> Calls:
    """All that only look."""
    record, details, connection = stage.record, stage.world.details, stage.world.connection
    jobs, analytics = PostgresJobs(connection), PostgresAnalytics(connection)
    metrics, keys = PostgresSystemMetrics(connection), PostgresApiKeys(lambda: connection)
    return {
        "find_job": lambda: record.find_job(stage.sent),
        "find_job_by_provider": lambda: record.find_job_by_provider("replicate", "x"),
        "claimed_predictions": lambda: record.claimed_predictions("replicate", at(0), at(9)),
        "list_jobs": lambda: record.list_jobs(JobFilter(user_id="alice", limit=5)),
        "count_jobs": lambda: record.count_jobs(JobFilter(user_id="alice", limit=5), 100),
        "find_output": lambda: record.find_output(stage.sent),
        "details": lambda: details.details(stage.film),
        "timeline": lambda: details.timeline(stage.film),
        "elements": lambda: details.elements(stage.film),
        "storage": lambda: details.storage(stage.film, StorageSearch()),
        "storage, recent": lambda: PostgresStorageLog(connection).recent(NOON, StorageSearch()),
        "get": lambda: jobs.get(stage.film),
        "search": lambda: jobs.search(JobSearch(model_id="flux-schnell")),
        "active": jobs.find_active,
        "statistics": lambda: analytics.system_statistics(NOON),
        "models": lambda: analytics.model_metrics(RANGE),
        "steps": lambda: analytics.step_metrics(RANGE),
        "moved": lambda: analytics.storage_metrics(RANGE),
        "days": lambda: analytics.daily_stats(DayRange(NOON.date(), NOON.date())),
        "latest": metrics.latest,
        "accesses": lambda: PostgresUrlAccesses(connection).of_job(stage.film),
        "events": lambda: PostgresSecurityEvents(connection).recent(),
        "keys": lambda: keys.find_user("alice"),
    }


def all_fail(calls: Calls) -> list[str]:
    """Each says that the record is away, and when to try again; the names of those that do not."""
    wrong = []
    for name, call in calls.items():
        try:
            call()
        except RecordUnavailableError as error:
            if error.retry_after_seconds and not {"alice", "select", "postgres"} & set(
                error.message.lower().split()
            ):
                continue
        wrong.append(name)
    return wrong


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_in_trouble_every_write_says_so_and_changes_nothing_and_afterwards_each_is_done(
    stage: Stage, trouble: Trouble, make: Make
) -> None:
    before = trouble.rows()
    with make(trouble):
        assert all_fail(writes(stage)) == []
    assert trouble.rows() == before
    for name, call in writes(stage).items():
        rows: dict[str, Any] = trouble.rows()
        call()
        assert name in DOES_NOTHING_HERE or trouble.rows() != rows, name


DOES_NOTHING_HERE = ("mark_submit_unknown", "log storage")
"""It was submitted, which is known; and the same operation was logged before, for another job."""


@pytest.mark.parametrize("make", [KINDS["full"], KINDS["locked"]], ids=["full", "locked"])
def test_in_trouble_every_question_says_so_and_afterwards_each_is_answered(
    stage: Stage, trouble: Trouble, make: Make
) -> None:
    with make(trouble):
        assert all_fail(reads(stage)) == []
    for call in reads(stage).values():
        call()


def test_a_database_that_takes_no_writes_still_answers_questions(stage: Stage, trouble: Trouble) -> None:
    with trouble.read_only():
        for call in reads(stage).values():
            call()


def test_connections_that_are_killed_between_any_two_calls_go_unnoticed(
    stage: Stage, trouble: Trouble
) -> None:
    for call in {**writes(stage), **reads(stage)}.values():
        trouble.cut()
        call()
