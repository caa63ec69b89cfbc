"""All that the repositories are asked, each with the index that answers it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from lib.domain.time_range import TimeRange
from lib.ports.repositories import JobSearch, StorageSearch
from lib.stores.postgres.repositories.analytics import PostgresAnalytics
from lib.stores.postgres.repositories.elements import PostgresElements
from lib.stores.postgres.repositories.jobs import PostgresJobs
from lib.stores.postgres.repositories.security_events import PostgresSecurityEvents
from lib.stores.postgres.repositories.storage_operations import PostgresStorageLog
from lib.stores.postgres.repositories.system_metrics import PostgresSystemMetrics
from lib.stores.postgres.repositories.timeline import PostgresTimeline
from lib.stores.postgres.repositories.url_access import PostgresUrlAccesses
from lib.stores.postgres.statements import Statements

USER = "user-7"
DAY = timedelta(days=1)
Question = Callable[[Statements, str], object]
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


def day() -> TimeRange:
    """The last 24 hours."""
    now = datetime.now(UTC)
    return TimeRange(now - DAY, now)
