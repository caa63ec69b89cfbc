"""How Postgres finds what the repositories ask for: along an index, whoever asks."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from lib.domain.actor import Actor
from lib.domain.time_range import TimeRange
from lib.ports.actor import acting_as
from lib.ports.repositories import JobSearch, StorageSearch
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.repositories.analytics import PostgresAnalytics
from lib.stores.postgres.repositories.elements import PostgresElements
from lib.stores.postgres.repositories.jobs import PostgresJobs
from lib.stores.postgres.repositories.security_events import PostgresSecurityEvents
from lib.stores.postgres.repositories.storage_operations import PostgresStorageLog
from lib.stores.postgres.repositories.system_metrics import PostgresSystemMetrics
from lib.stores.postgres.repositories.timeline import PostgresTimeline
from lib.stores.postgres.repositories.url_access import PostgresUrlAccesses
from local.backing import RecordDatabase
from tests.integration.conftest import Raw
from tests.integration.filled_record import ADMIN

USER = "user-7"
DAY = timedelta(days=1)
Question = Callable[["Asking", str], object]
QUESTIONS: dict[str, tuple[Question, str]] = {
    "a job": (lambda ask, job: PostgresJobs(ask).get(job), "jobs_pkey"),
    "a job with details": (lambda ask, job: PostgresJobs(ask).with_details(job, user_id=USER), "jobs_pkey"),
    "a user's jobs": (lambda ask, _: PostgresJobs(ask).find_by_user(USER), "jobs_by_user"),
    "a user's failed pictures": (
        lambda ask, _: PostgresJobs(ask).search(
            JobSearch(user_id=USER, statuses=["failed"], media_type="image")
        ),
        "jobs_by_user",
    ),
    "jobs of a range": (lambda ask, _: PostgresJobs(ask).find_by_date_range(day()), "jobs_by_creation"),
    "the newest jobs": (lambda ask, _: PostgresJobs(ask).search(JobSearch()), "jobs_by_creation"),
    "jobs of an address": (
        lambda ask, _: PostgresJobs(ask).find_by_client_ip("198.51.100.7"),
        "jobs_by_client_ip",
    ),
    "active jobs": (lambda ask, _: PostgresJobs(ask).find_active(), "jobs_due"),
    "elements": (
        lambda ask, job: PostgresElements(ask).of_job(job),
        "elements_job_id_track_element_order_key",
    ),
    "steps": (lambda ask, job: PostgresTimeline(ask).of_job(job), "processing_timeline_pkey"),
    "storage operations": (
        lambda ask, job: PostgresStorageLog(ask).of_job(job, StorageSearch()),
        "storage_operations_pkey",
    ),
    "failed storage operations of a day": (
        lambda ask, _: PostgresStorageLog(ask).recent(day().start, StorageSearch(success=False)),
        "storage_operations_pkey",
    ),
    "accesses": (lambda ask, job: PostgresUrlAccesses(ask).of_job(job), "url_access_logs_by_job"),
    "security events": (lambda ask, _: PostgresSecurityEvents(ask).recent(), "security_events_pkey"),
    "the latest metrics": (lambda ask, _: PostgresSystemMetrics(ask).latest(), "system_metrics_by_name"),
    "a metric over time": (
        lambda ask, _: PostgresSystemMetrics(ask).over_time("jobs_overdue", day()),
        "system_metrics_",
    ),
    "system statistics": (
        lambda ask, _: PostgresAnalytics(ask).system_statistics(day().end),
        "jobs_by_creation",
    ),
    "figures by model": (lambda ask, _: PostgresAnalytics(ask).model_metrics(day()), "jobs_by_creation"),
    "figures by step": (
        lambda ask, _: PostgresAnalytics(ask).step_metrics(day()),
        "processing_timeline_pkey",
    ),
    "figures of storage": (
        lambda ask, _: PostgresAnalytics(ask).storage_metrics(day()),
        "storage_operations_pkey",
    ),
}
ACTORS = {"worker": None, "user": Actor.user(USER), "admin": Actor.user(ADMIN)}


class Asking:
    """Sends what a repository asks, and keeps it."""

    def __init__(self, connection: RecordConnection) -> None:
        self._connection = connection
        self.sent: list[tuple[str, Any]] = []

    def fetch(self, sql: str, params: Any = (), *, repeat: bool = True) -> list[tuple[Any, ...]]:
        self.sent.append((sql, params))
        return self._connection.fetch(sql, params, repeat=repeat)


def day() -> TimeRange:
    now = datetime.now(UTC)
    return TimeRange(now - DAY, now)


FOR_ADMINS = ("figures by step", "figures of storage")  # which no user is shown
ASKED = [(who, name) for who in ACTORS for name in QUESTIONS if who != "user" or name not in FOR_ADMINS]


@pytest.fixture
def ask(filled: RecordDatabase, who: str) -> Iterator[Asking]:
    url = filled.worker_url if who == "worker" else filled.api_url
    connection = RecordConnection(lambda: url)
    with acting_as(ACTORS[who]):
        yield Asking(connection)
    connection.close()


@pytest.mark.parametrize(("who", "name"), ASKED)
def test_each_question_is_one_statement_along_its_index(
    name: str, who: str, ask: Asking, filled: RecordDatabase, raw: Raw
) -> None:
    question, index = QUESTIONS[name]
    job_id = next(
        str(job["job_id"]) for job in raw["jobs"] if job["user_id"] == USER and job["kind"] == "composition"
    )
    question(ask, job_id)
    ((sql, params),) = ask.sent
    url = filled.worker_url if who == "worker" else filled.api_url
    nodes = list(_nodes(_plan(url, ACTORS[who], sql, params)))
    read_whole = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"} - {"users"}
    assert not read_whole
    assert any(str(node.get("Index Name", "")).startswith(index) for node in nodes), nodes


def _plan(url: str, actor: Actor | None, sql: str, params: Any) -> dict[str, Any]:
    with psycopg.connect(url) as connection:
        if actor:
            connection.execute(
                "select act_as(%s, %s, %s)", (actor.user_id, actor.guest_token, actor.key_hash)
            )
        row = connection.execute(
            f"explain (analyze, timing off, format json) {sql}".encode(), params
        ).fetchone()
    assert row is not None
    plan: dict[str, Any] = row[0][0]["Plan"]
    return plan


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What was done, without what the plan had in reserve."""
    if plan["Actual Loops"]:
        yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)
