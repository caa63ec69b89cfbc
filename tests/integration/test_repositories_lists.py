"""Lists of the repositories: filtered, in order, and gone through by cursor without a gap or a double."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from lib.domain.actor import Actor
from lib.domain.errors import InvalidError
from lib.domain.ids import uuid7
from lib.domain.page import Page
from lib.domain.time_range import TimeRange
from lib.ports.actor import acting_as
from lib.ports.repositories import JobSearch, StorageSearch
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.repositories.jobs import PostgresJobs
from lib.stores.postgres.repositories.security_events import PostgresSecurityEvents
from lib.stores.postgres.repositories.storage_operations import PostgresStorageLog
from lib.stores.postgres.repositories.system_metrics import PostgresSystemMetrics
from lib.stores.postgres.repositories.url_access import PostgresUrlAccesses
from local.backing import RecordDatabase
from tests.integration.by_hand import Row, grouped
from tests.integration.conftest import Raw
from tests.integration.filled_record import ADMIN

NOW = datetime.now(UTC)
NO_CURSOR = "must be the nextCursor of an earlier answer"


@pytest.fixture
def worker(filled: RecordDatabase) -> Iterator[RecordConnection]:
    connection = RecordConnection(lambda: filled.worker_url)
    yield connection
    connection.close()


@pytest.fixture
def api(filled: RecordDatabase) -> Iterator[RecordConnection]:
    connection = RecordConnection(lambda: filled.api_url)
    yield connection
    connection.close()


def walk(page_after: Callable[[str | None], Page[Any]]) -> list[Any]:
    """All items, page by page."""
    items: list[Any] = []
    page = page_after(None)
    while True:
        items += page.items
        if page.next_cursor is None:
            return items
        page = page_after(page.next_cursor)


def newest_first(jobs: list[Row]) -> list[str]:
    return [
        str(job["job_id"])
        for job in sorted(jobs, key=lambda job: (job["created_at"], job["job_id"]), reverse=True)
    ]


DAY = (NOW - timedelta(days=2), NOW - timedelta(days=1))
SEARCHES: dict[str, tuple[dict[str, Any], Callable[[Row], bool]]] = {
    "by user": ({"user_id": "user-4"}, lambda job: job["user_id"] == "user-4"),
    "by address": (
        {"client_ip": "198.51.100.9"},
        lambda job: str(job["client_ip"]) == "198.51.100.9",
    ),
    "by range": (
        {"created_from": DAY[0], "created_to": DAY[1]},
        lambda job: DAY[0] <= job["created_at"] < DAY[1],
    ),
    "by status": (
        {"statuses": ["pending", "failed"], "user_id": "user-10"},
        lambda job: job["status"] in ("pending", "failed") and job["user_id"] == "user-10",
    ),
    "by media type and model": (
        {"media_type": "audio", "model_id": "model-2", "created_from": DAY[0]},
        lambda job: (
            job["media_type"] == "audio" and job["model_id"] == "model-2" and job["created_at"] >= DAY[0]
        ),
    ),
    "by kind": (
        {"kind": "composition", "created_from": DAY[0]},
        lambda job: job["kind"] == "composition" and job["created_at"] >= DAY[0],
    ),
    "nothing": ({"model_id": "'; drop table jobs; --"}, lambda job: False),
}


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("limit", [7, 100])
def test_jobs_are_found_in_order_without_gap_or_double(
    name: str, limit: int, worker: RecordConnection, raw: Raw
) -> None:
    conditions, holds = SEARCHES[name]
    jobs = PostgresJobs(worker)
    found = walk(lambda cursor: jobs.search(JobSearch(**conditions, limit=limit, cursor=cursor)))
    expected = newest_first([job for job in raw["jobs"] if holds(job)])
    assert [job.job_id for job in found] == expected
    assert expected or name == "nothing"


def test_a_row_is_read_as_it_is(worker: RecordConnection, raw: Raw) -> None:
    newest = PostgresJobs(worker).search(JobSearch(limit=1)).items[0]
    job = next(row for row in raw["jobs"] if str(row["job_id"]) == newest.job_id)
    for name, value in vars(newest).items():
        expected = job[name]
        assert value == (str(expected) if name in ("job_id", "client_ip") else expected), name


def test_the_named_searches_are_those_searches(worker: RecordConnection) -> None:
    jobs = PostgresJobs(worker)
    wanted = TimeRange(*DAY)
    assert jobs.find_by_user("user-4").items == jobs.search(JobSearch(user_id="user-4")).items
    address = "198.51.100.9"
    assert jobs.find_by_client_ip(address).items == jobs.search(JobSearch(client_ip=address)).items
    by_range = jobs.search(JobSearch(created_from=DAY[0], created_to=DAY[1]))
    assert jobs.find_by_date_range(wanted).items == by_range.items


def test_active_jobs_come_with_what_is_due_first(worker: RecordConnection, raw: Raw) -> None:
    active = sorted(
        (job for job in raw["jobs"] if job["due_at"]), key=lambda job: (job["due_at"], job["job_id"])
    )
    found = PostgresJobs(worker).find_active(limit=30)
    assert [job.job_id for job in found] == [str(job["job_id"]) for job in active[:30]]
    assert {job.health for job in found} == {"stuck"}


def test_a_user_finds_no_jobs_of_others_whatever_is_searched(api: RecordConnection, raw: Raw) -> None:
    jobs = PostgresJobs(api)
    mine = newest_first([job for job in raw["jobs"] if job["user_id"] == "user-5"])
    with acting_as(Actor.user("user-5")):
        everything = walk(lambda cursor: jobs.search(JobSearch(limit=100, cursor=cursor)))
        assert [job.job_id for job in everything] == mine
        assert jobs.find_by_user("user-6").items == ()
        assert {job.user_id for job in jobs.find_active(limit=100)} <= {"user-5"}
    assert jobs.search(JobSearch()).items == ()  # nobody
    with acting_as(Actor.user(ADMIN)):
        assert len(jobs.find_by_user("user-6", limit=50).items) == 50


@pytest.mark.parametrize("success", [None, True, False])
def test_storage_operations_of_a_job_come_as_they_were_made(
    success: bool | None, worker: RecordConnection, raw: Raw
) -> None:
    log = PostgresStorageLog(worker)
    of_jobs = grouped(raw["storage_operations"], lambda row: row["job_id"])
    job_id, rows = next((job_id, rows) for job_id, rows in of_jobs.items() if len(rows) == 3)

    def page(cursor: str | None) -> Page[Any]:
        found = log.of_job(str(job_id), StorageSearch(success=success, limit=1, cursor=cursor))
        assert found is not None
        return found

    wanted = [row for row in rows if success is None or row["success"] is success]
    assert [entry.operation_id for entry in walk(page)] == sorted(str(row["operation_id"]) for row in wanted)
    assert log.of_job(str(uuid7(NOW)), StorageSearch()) is None
    assert log.of_job(str(job_id), StorageSearch(), user_id="nobody") is None


def test_failed_storage_operations_of_late_are_found(worker: RecordConnection, raw: Raw) -> None:
    log = PostgresStorageLog(worker)
    since = NOW - timedelta(days=5)
    search = {"success": False, "operation": "upload", "limit": 9}
    found = walk(lambda cursor: log.recent(since, StorageSearch(**search, cursor=cursor)))  # type: ignore[arg-type]
    first = UUID(int=(int(since.timestamp() * 1000) << 80))
    expected = [
        (row["job_id"], row["operation_id"])
        for row in raw["storage_operations"]
        if not row["success"] and row["operation"] == "upload" and row["job_id"] >= first
    ]
    assert [(UUID(entry.job_id), UUID(entry.operation_id)) for entry in found] == sorted(
        expected, reverse=True
    )
    assert len(found) > 9


def test_accesses_of_a_job_come_newest_first(worker: RecordConnection, raw: Raw) -> None:
    accesses = PostgresUrlAccesses(worker)
    of_jobs = grouped(raw["url_access_logs"], lambda row: row["job_id"])
    job_id, rows = next((job_id, rows) for job_id, rows in of_jobs.items() if len(rows) == 2)
    found = walk(lambda cursor: accesses.of_job(str(job_id), limit=1, cursor=cursor))
    assert [entry.access_id for entry in found] == sorted(
        (str(row["access_id"]) for row in rows), reverse=True
    )


def test_security_events_come_newest_first_and_to_admins_alone(
    worker: RecordConnection, api: RecordConnection, raw: Raw
) -> None:
    events = PostgresSecurityEvents(worker)
    found = walk(lambda cursor: events.recent(kind="wrong_key", limit=100, cursor=cursor))
    expected = [str(row["event_id"]) for row in raw["security_events"] if row["kind"] == "wrong_key"]
    assert [event.event_id for event in found] == sorted(expected, reverse=True)
    with acting_as(Actor.user("user-1")):
        assert PostgresSecurityEvents(api).recent().items == ()
    newest = events.recent(limit=10).items
    with acting_as(Actor.user(ADMIN)):
        assert PostgresSecurityEvents(api).recent(limit=10).items == newest


def test_the_latest_metrics_are_all_of_the_last_measurement_of_each_name(
    worker: RecordConnection, raw: Raw
) -> None:
    rows = raw["system_metrics"]
    last = {
        name: max(row["measured_at"] for row in of) for name, of in grouped(rows, lambda r: r["name"]).items()
    }
    expected = {str(row["metric_id"]) for row in rows if row["measured_at"] == last[row["name"]]}
    found = PostgresSystemMetrics(worker).latest()
    assert {metric.metric_id for metric in found} == expected
    assert [metric.name for metric in found] == sorted(metric.name for metric in found)
    assert len(found) == 2 * len(last)


def test_a_metric_over_time_comes_newest_first(worker: RecordConnection, raw: Raw) -> None:
    metrics = PostgresSystemMetrics(worker)
    wanted = TimeRange(NOW - timedelta(days=3), NOW - timedelta(days=2))
    found = walk(lambda cursor: metrics.over_time("jobs_overdue", wanted, limit=40, cursor=cursor))
    expected = [
        str(row["metric_id"])
        for row in raw["system_metrics"]
        if row["name"] == "jobs_overdue" and wanted.start <= row["measured_at"] < wanted.end
    ]
    assert [metric.metric_id for metric in found] == sorted(expected, reverse=True)
    assert len(found) == 2 * 288


def cursor_of(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


CURSORS = [
    "",
    "!",
    "ü",
    "\ud800",
    "'; drop table jobs; --",
    "x" * 100_000,
    cursor_of(),
    cursor_of(1, 2),
    cursor_of("2026-11-20T00:00:00+00:00", "no id"),
    cursor_of("2026-11-20T00:00:00", str(uuid7(NOW))),
    cursor_of("+999999-01-01", str(uuid7(NOW))),
    cursor_of("0001-01-01T00:00:00+14:00", str(uuid7(NOW))),
    cursor_of(str(uuid7(NOW)), str(uuid7(NOW)), str(uuid7(NOW))),
    base64.urlsafe_b64encode(b"[" * 300).decode(),
]


@pytest.mark.parametrize("cursor", CURSORS, ids=range(len(CURSORS)))
def test_a_cursor_that_is_none_of_ours_is_refused(cursor: str, worker: RecordConnection) -> None:
    job_id = str(uuid7(NOW))
    lists: list[Callable[[], object]] = [
        lambda: PostgresJobs(worker).search(JobSearch(cursor=cursor)),
        lambda: PostgresStorageLog(worker).of_job(job_id, StorageSearch(cursor=cursor)),
        lambda: PostgresStorageLog(worker).recent(NOW, StorageSearch(cursor=cursor)),
        lambda: PostgresUrlAccesses(worker).of_job(job_id, cursor=cursor),
        lambda: PostgresSecurityEvents(worker).recent(cursor=cursor),
        lambda: PostgresSystemMetrics(worker).over_time("x", TimeRange(NOW, NOW), cursor=cursor),
    ]
    for ask in lists:
        with pytest.raises(InvalidError) as refused:
            ask()
        assert [(error.path, error.message) for error in refused.value.errors] == [("cursor", NO_CURSOR)]


@pytest.mark.parametrize("limit", [0, -1, 101, 10**30, True, 2.5, "7", None])
def test_an_absurd_page_is_refused(limit: Any, worker: RecordConnection) -> None:
    job_id = str(uuid7(NOW))
    lists: list[Callable[[], object]] = [
        lambda: PostgresJobs(worker).search(JobSearch(limit=limit)),
        lambda: PostgresJobs(worker).find_active(limit=limit),
        lambda: PostgresStorageLog(worker).of_job(job_id, StorageSearch(limit=limit)),
        lambda: PostgresUrlAccesses(worker).of_job(job_id, limit=limit),
        lambda: PostgresSecurityEvents(worker).recent(limit=limit),
        lambda: PostgresSystemMetrics(worker).over_time("x", TimeRange(NOW, NOW), limit=limit),
    ]
    for ask in lists:
        with pytest.raises(InvalidError) as refused:
            ask()
        assert [error.path for error in refused.value.errors] == ["limit"]


def test_all_that_is_wrong_with_a_search_is_said_at_once(worker: RecordConnection) -> None:
    search = JobSearch(
        statuses=["done"],
        media_type="smell",
        kind="'; drop table jobs; --",
        client_ip="10.0.0.0/8",
        created_from=datetime(2026, 1, 1),  # noqa: DTZ001 - that is what is wrong with it
        limit=0,
    )
    with pytest.raises(InvalidError) as refused:
        PostgresJobs(worker).search(search)
    assert {error.path for error in refused.value.errors} == {
        "status", "mediaType", "kind", "clientIp", "from", "limit"
    }  # fmt: skip
