"""Whatever is put into the repositories is kept as it is or refused in words, and nothing of it is half-written."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest

from lib.domain.element import Element
from lib.domain.errors import GatewayError, InvalidError, NotFoundError, TooLargeError
from lib.domain.ids import uuid7
from lib.domain.observations import AccessType, UrlAccess
from lib.domain.time_range import TimeRange
from lib.ports.repositories import ElementChange, JobSearch, StorageSearch
from lib.ports.work_report import StorageOperation
from lib.stores.postgres.repositories.analytics import PostgresAnalytics
from lib.stores.postgres.repositories.elements import PostgresElements
from lib.stores.postgres.repositories.jobs import PostgresJobs
from lib.stores.postgres.repositories.system_metrics import PostgresSystemMetrics
from lib.stores.postgres.repositories.timeline import PostgresTimeline
from lib.stores.postgres.repositories.url_access import PostgresUrlAccesses
from local.backing import RecordDatabase
from tests.integration.video_world import NOON, VideoWorld, film, video, video_world

INJECTION = "'; drop table jobs; --"
FAITHFUL = [
    INJECTION,
    '"; delete from users; /*',
    "$1 %s %(job_id)s {0}",
    "\\x00 \\u0000",
    "🦆 ünïcödé \u202e",
    "a\nb\tc",
]
UNHOLDABLE = ["\x00", "a\x00b", "\ud800", "\udc00\ud800"]
HUGE = 10**40


@pytest.fixture
def world(worker_url: str) -> Iterator[VideoWorld]:
    with video_world(worker_url) as made:
        yield made


@pytest.fixture
def job_id(world: VideoWorld) -> str:
    return world.service.create_video_job("alice", film()).job.job_id


def counts(database: RecordDatabase) -> list[tuple[Any, ...]]:
    tables = (
        "users",
        "jobs",
        "elements",
        "processing_timeline",
        "storage_operations",
        "url_access_logs",
        "outputs",
    )
    union = " union all ".join(f"select '{table}', count(*) from {table}" for table in tables)  # noqa: S608 - ours
    with psycopg.connect(database.superuser_url) as connection:
        return connection.execute(union.encode()).fetchall()


def refused(calls: Sequence[Callable[[], object]], *kinds: type[GatewayError]) -> None:
    for call in calls:
        with pytest.raises(kinds or InvalidError):
            call()


def operation(**changes: Any) -> StorageOperation:
    made = StorageOperation(
        operation_id=str(uuid7(NOON)),
        operation="upload",
        bucket="media",
        key="a",
        success=True,
        at=NOON,
        duration_ms=1,
    )
    return replace(made, **changes)


@pytest.mark.parametrize("text", FAITHFUL)
def test_text_that_looks_like_code_is_kept_as_it_is(world: VideoWorld, text: str) -> None:
    user = text
    request = film(
        {"type": "text", "content": text}, parameters={"note": text, text: [text]}, outputFormat="mp4"
    )
    made = world.service.create_video_job(user, request, user_agent=text)
    job_id = made.job.job_id
    step = world.service.start_processing_step(job_id, text, 0, details={text: text})
    world.service.complete_processing_step(job_id, step, True, details={"end": text})
    moved = operation(bucket=text, key=text, region=text, metadata={text: text}, error_code=text)
    world.service.log_storage_operation(job_id, moved)
    change = ElementChange(local_path=text, error_message=text)
    world.service.update_element_status(made.elements[0].element_id, change)

    details = world.details.details(job_id, user_id=user).details
    assert (details.summary.user_id, details.summary.user_agent) == (text, text)
    assert details.parameters == {"note": text, text: [text]}
    (element,) = details.elements
    assert (element.content, element.local_path, element.error_message) == (text, text, text)
    assert (details.timeline[0].step, details.timeline[0].details) == (text, {text: text, "end": text})
    (entry,) = details.storage_operations
    assert (entry.bucket, entry.object_key, entry.region, entry.error_code) == (text, text, text, text)
    assert entry.metadata == {text: text}
    assert [job.job_id for job in PostgresJobs(world.connection).find_by_user(user).items] == [job_id]


@pytest.mark.parametrize("text", UNHOLDABLE, ids=ascii)
def test_text_that_is_none_is_refused_by_name_and_nothing_is_kept(
    world: VideoWorld, job_id: str, text: str, empty_record: RecordDatabase
) -> None:
    before = counts(empty_record)
    service = world.service
    refused(
        [
            lambda: service.create_video_job("alice", film({"type": "text", "content": text})),
            lambda: service.create_video_job("alice", film(parameters={"a": [{text: 1}]})),
            lambda: service.create_video_job("alice", film(outputFormat=text)),
            lambda: service.create_video_job("alice", film(), client_ip=text),
            lambda: service.create_video_job(text, film()),
            lambda: service.add_element(job_id, video(9, sourceUrl=f"https://media.example/{text}")),
            lambda: service.start_processing_step(job_id, text, 0),
            lambda: service.start_processing_step(job_id, "a", 0, details={"a": text}),
            lambda: service.log_storage_operation(job_id, operation(bucket=text)),
            lambda: service.log_storage_operation(job_id, operation(metadata={text: 1})),
            lambda: PostgresJobs(world.connection).find_by_user(text),
            lambda: PostgresJobs(world.connection).search(JobSearch(model_id=text)),
            lambda: PostgresSystemMetrics(world.connection).over_time(text, TimeRange(NOON, NOON)),
            lambda: PostgresAnalytics(world.connection).step_metrics(TimeRange(NOON, NOON), model_id=text),
        ]
    )
    refused([lambda: world.details.details(text), lambda: world.details.timeline(text)], NotFoundError)
    assert counts(empty_record) == before


def test_words_of_others_are_kept_with_a_mark_for_what_is_no_text(world: VideoWorld) -> None:
    made = world.service.create_video_job("alice", film(), user_agent="curl\x00\ud800")
    accesses = PostgresUrlAccesses(world.connection)
    access = UrlAccess(
        access_id=str(uuid7(NOON)),
        output_id=str(uuid7(NOON)),
        job_id=made.job.job_id,
        user_id="alice",
        access_type=AccessType.REDIRECT,
        client_ip="2001:db8::1",
        user_agent="curl\x00" + "x" * 1000,
        accessed_at=NOON,
    )
    assert accesses.log(access)
    assert not accesses.log(access)
    (kept,) = accesses.of_job(made.job.job_id).items
    assert kept == replace(access, user_agent="curl\ufffd" + "x" * 495)
    assert world.details.details(made.job.job_id).details.summary.user_agent == "curl\ufffd\ufffd"


def test_ten_megabytes_of_json_are_refused_or_kept_whole(
    world: VideoWorld, job_id: str, empty_record: RecordDatabase
) -> None:
    large = {"text": "é" * 5_000_000}
    before = counts(empty_record)
    refused(
        [
            lambda: world.service.start_processing_step(job_id, "a", 0, details=large),
            lambda: world.service.log_storage_operation(job_id, operation(metadata=large)),
            lambda: world.service.update_job_status(job_id, "processing", details=large),  # type: ignore[arg-type]
        ],
        TooLargeError,
    )
    refused([lambda: world.service.create_video_job("alice", film(parameters=large))])
    assert counts(empty_record) == before
    step = PostgresTimeline(world.connection).start_step(job_id, "a", 0, NOON, details=large)
    (kept,) = world.service.get_timeline(job_id)
    assert (kept.timeline_id, kept.details) == (step, large)


def test_json_that_is_none_is_refused(world: VideoWorld, job_id: str) -> None:
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    wrong: list[Any] = [
        deep,
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": object()},
        {"a": 10**5000},
        "text",
        [1],
    ]
    refused([partial(world.service.start_processing_step, job_id, "a", 0, details=note) for note in wrong])
    assert world.service.get_timeline(job_id) == ()


def test_numbers_beyond_all_measure_are_refused(
    world: VideoWorld, job_id: str, empty_record: RecordDatabase
) -> None:
    service, timeline = world.service, PostgresTimeline(world.connection)
    step = service.start_processing_step(job_id, "a", 0)
    element_id = service.get_job_elements(job_id)[0].element_id
    before = counts(empty_record)
    refused(
        [
            lambda: service.create_video_job("alice", film(width=HUGE)),
            lambda: service.create_video_job("alice", film(video(HUGE))),
            lambda: service.create_video_job("alice", film(video(0, start=1e300))),
            lambda: service.create_video_job("alice", film(video(0, duration=0.0004))),
            lambda: service.create_video_job("alice", film(video(0, xPosition=1e300))),
            lambda: service.create_video_job("alice", film(), estimated_duration=float("nan")),
            lambda: service.start_processing_step(job_id, "a", HUGE),
            lambda: service.start_processing_step(job_id, "a", -1),
            lambda: service.complete_processing_step(job_id, step, True, 1e300),
            lambda: service.complete_processing_step(job_id, step, True, memory_usage=HUGE),
            lambda: service.complete_processing_step(job_id, step, True, cpu_usage=float("nan")),
            lambda: timeline.complete_step(job_id, step, NOON, success=True, cpu_usage=-1),
            lambda: service.log_storage_operation(job_id, operation(file_size=HUGE)),
            lambda: service.log_storage_operation(job_id, operation(file_size=-1)),
            lambda: service.log_storage_operation(job_id, operation(duration_ms=float("nan"))),
            lambda: service.log_storage_operation(job_id, operation(output_index=HUGE)),
            lambda: service.update_element_status(element_id, ElementChange(source_size=HUGE)),
        ]
    )
    assert counts(empty_record) == before
    (untouched,) = service.get_timeline(job_id)
    assert untouched.ended_at is None


def test_ids_that_are_none_are_not_found_or_refused(world: VideoWorld, job_id: str) -> None:
    for wrong in (INJECTION, "", "x" * 100_000, "🦆", "0" * 36):
        refused(
            [
                partial(world.details.details, wrong),
                partial(world.details.elements, wrong),
                partial(world.details.storage, wrong, StorageSearch()),
            ],
            NotFoundError,
        )
        refused(
            [
                partial(PostgresElements(world.connection).of_job, wrong),
                partial(PostgresJobs(world.connection).get, wrong),
                partial(world.service.complete_processing_step, job_id, wrong, True),
                partial(world.service.update_element_status, wrong, ElementChange()),
                lambda wrong=wrong: world.service.log_storage_operation(
                    job_id, operation(operation_id=wrong)
                ),  # type: ignore[misc]
            ]
        )


def test_an_element_that_the_record_refuses_leaves_nothing_of_its_job(
    world: VideoWorld, empty_record: RecordDatabase
) -> None:
    made = world.service.create_video_job("alice", film()).elements[0]
    elements: list[Element] = [
        replace(made, element_id=str(uuid7(NOON)), element_order=5, source_url="x" * 4097),
        replace(made, element_id=str(uuid7(NOON)), element_order=5, content="both"),
        replace(
            made, element_id=str(uuid7(NOON - timedelta(days=1))).replace("-7", "-4", 1), element_order=5
        ),
    ]
    before = counts(empty_record)
    refused([partial(PostgresElements(world.connection).add, element, NOON) for element in elements])
    assert counts(empty_record) == before
