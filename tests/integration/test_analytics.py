"""The figures for operators equal those worked out from the rows in Python."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from lib.domain.actor import Actor
from lib.domain.time_range import DayRange, TimeRange
from lib.ports.actor import acting_as
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.repositories.analytics import PostgresAnalytics
from local.backing import RecordDatabase
from tests.integration.by_hand import (
    Row,
    day,
    grouped,
    job_counts,
    made_in,
    mean,
    percentile,
    seconds,
    share,
    storage_figures,
    took,
)
from tests.integration.conftest import Raw
from tests.integration.filled_record import ADMIN

NOW = datetime.now(UTC)
RANGES = {
    "a day": TimeRange(NOW - timedelta(days=1), NOW),
    "an hour": TimeRange(NOW - timedelta(days=3, hours=1), NOW - timedelta(days=3)),
    "all": TimeRange(NOW - timedelta(days=60), NOW + timedelta(days=1)),
    "nothing": TimeRange(NOW - timedelta(days=90), NOW - timedelta(days=80)),
}


@pytest.fixture(params=["worker", "admin"])
def figures(filled: RecordDatabase, request: pytest.FixtureRequest) -> Iterator[PostgresAnalytics]:
    url = filled.worker_url if request.param == "worker" else filled.api_url
    connection = RecordConnection(lambda: url)
    with acting_as(None if request.param == "worker" else Actor.user(ADMIN)):
        yield PostgresAnalytics(connection)
    connection.close()


@pytest.fixture(params=RANGES)
def wanted(request: pytest.FixtureRequest) -> TimeRange:
    return RANGES[request.param]


def about(expected: Row) -> Row:
    return {
        name: pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
        for name, value in expected.items()
    }


def test_figures_by_model_equal_an_independent_calculation(
    figures: PostgresAnalytics, raw: Raw, wanted: TimeRange
) -> None:
    groups = grouped(made_in(raw["jobs"], wanted), lambda job: job["model_id"])
    expected = [
        {
            "model_id": model_id,
            **job_counts(jobs),
            "average_seconds": mean(took(jobs)),
            "p50_seconds": percentile(took(jobs), 0.5),
            "p95_seconds": percentile(took(jobs), 0.95),
            "p99_seconds": percentile(took(jobs), 0.99),
            "completed_per_hour": len(took(jobs)) / wanted.hours,
        }
        for model_id, jobs in sorted(groups.items())
    ]
    assert [vars(row) for row in figures.model_metrics(wanted)] == [about(row) for row in expected]


def test_figures_by_step_equal_an_independent_calculation(
    figures: PostgresAnalytics, raw: Raw, wanted: TimeRange
) -> None:
    models = {job["job_id"]: job["model_id"] for job in made_in(raw["jobs"], wanted)}
    steps = [step for step in raw["processing_timeline"] if step["job_id"] in models]
    groups = grouped(steps, lambda step: (models[step["job_id"]], step["step"]))

    def expected(model_id: str, step: str, rows: list[Row]) -> Row:
        ended = [row for row in rows if row["ended_at"] is not None]
        good = sum(row["success"] for row in ended)
        lasted = [seconds(row["started_at"], row["ended_at"]) for row in ended]
        return {
            "model_id": model_id,
            "step": step,
            "count": len(rows),
            "succeeded": good,
            "failed": len(ended) - good,
            "running": len(rows) - len(ended),
            "success_rate": share(good, len(ended)),
            "average_seconds": mean(lasted),
            "p50_seconds": percentile(lasted, 0.5),
            "p95_seconds": percentile(lasted, 0.95),
            "p99_seconds": percentile(lasted, 0.99),
            "succeeded_per_hour": good / wanted.hours,
        }

    seen = {(row.model_id, row.step): vars(row) for row in figures.step_metrics(wanted)}
    assert seen == {key: about(expected(*key, rows)) for key, rows in groups.items()}


def test_steps_come_by_model_in_the_order_of_the_work(figures: PostgresAnalytics) -> None:
    rows = figures.step_metrics(RANGES["all"], model_id="model-1")
    assert [(row.model_id, row.step) for row in rows] == [
        ("model-1", step) for step in ("submitting", "generating", "downloading", "uploading")
    ]


def test_figures_of_storage_equal_an_independent_calculation(
    figures: PostgresAnalytics, raw: Raw, wanted: TimeRange
) -> None:
    jobs = {job["job_id"] for job in made_in(raw["jobs"], wanted)}
    rows = [row for row in raw["storage_operations"] if row["job_id"] in jobs]
    groups = grouped(rows, lambda row: row["operation"])
    seen = {row.operation: vars(row) for row in figures.storage_metrics(wanted)}
    assert seen == {
        operation: {"operation": operation, **about(storage_figures(of))} for operation, of in groups.items()
    }


def test_system_statistics_equal_an_independent_calculation(figures: PostgresAnalytics, raw: Raw) -> None:
    seen = figures.system_statistics(NOW)
    of_day = [job for job in raw["jobs"] if job["created_at"] > NOW - timedelta(hours=24)]
    of_hour = [job for job in of_day if job["created_at"] > NOW - timedelta(hours=1)]
    ids = {job["job_id"] for job in of_day}
    moved = [row for row in raw["storage_operations"] if row["job_id"] in ids]
    uploads = [row for row in moved if row["operation"] == "upload" and row["success"]]
    assert vars(seen.last_day) == about(job_counts(of_day))
    assert vars(seen.last_hour) == about(job_counts(of_hour))
    assert seen.average_seconds == pytest.approx(mean(took(of_day)))
    assert seen.p95_seconds == pytest.approx(percentile(took(of_day), 0.95))
    assert seen.stored_bytes == sum(row["file_size"] for row in uploads)
    assert seen.storage_failures == sum(not row["success"] for row in moved)


def test_active_jobs_are_counted_by_status_and_health(figures: PostgresAnalytics, raw: Raw) -> None:
    active = [job for job in raw["jobs"] if job["completed_at"] is None]
    counted = figures.system_statistics(NOW).active
    by_status = {status: len(jobs) for status, jobs in grouped(active, lambda job: job["status"]).items()}
    assert {
        status: sum(row.jobs for row in counted if row.status == status) for status in by_status
    } == by_status
    assert sum(row.jobs for row in counted) == len(active)
    assert sum(row.jobs for row in counted if row.health == "stuck") > 0.9 * len(active)


def test_daily_stats_are_the_days_of_the_range(figures: PostgresAnalytics, raw: Raw) -> None:
    wanted = DayRange(day(NOW) - timedelta(days=9), day(NOW) - timedelta(days=2))
    seen = figures.daily_stats(wanted)
    jobs = [job for job in raw["jobs"] if wanted.first <= day(job["created_at"]) <= wanted.last]
    groups = grouped(jobs, lambda job: (day(job["created_at"]), job["media_type"]))
    assert {(row.day, row.media_type): row.jobs for row in seen} == {
        key: len(rows) for key, rows in groups.items()
    }
    assert [row.day for row in seen] == sorted((row.day for row in seen), reverse=True)
    for row in seen:
        of_group = groups[row.day, row.media_type]
        assert row.estimated_cost == sum(job["estimated_cost"] for job in of_group)
        assert row.average_seconds == pytest.approx(mean(took(of_group)))


def test_an_actor_that_is_no_admin_gets_figures_of_its_own_jobs_alone(
    filled: RecordDatabase, raw: Raw
) -> None:
    connection = RecordConnection(lambda: filled.api_url)
    with acting_as(Actor.user("user-3")):
        rows = PostgresAnalytics(connection).model_metrics(RANGES["all"])
    connection.close()
    assert sum(row.jobs for row in rows) == sum(job["user_id"] == "user-3" for job in raw["jobs"]) > 0
