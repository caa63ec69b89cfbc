"""The figures for operators equal those worked out from the rows in Python."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lib.domain.actor import Actor
from lib.domain.errors import InvalidError, RecordUnavailableError
from lib.domain.snapshot import format_time
from lib.domain.time_range import DayRange, TimeRange
from lib.ports.actor import acting_as
from lib.services.analytics import Analytics
from lib.services.query_cache import QueryCache
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.repositories.analytics import PostgresAnalytics
from local.backing import RecordDatabase
from tests.integration.by_hand import (
    Row,
    day,
    grouped,
    job_counts,
    mean,
    percentile,
    seconds,
    share,
    storage_figures,
    took,
)
from tests.integration.conftest import FILLED_DAYS, Raw
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


def made_in(rows: list[Row], wanted: TimeRange) -> list[Row]:
    return [row for row in rows if wanted.start <= row["created_at"] < wanted.end]


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


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def epoch(self) -> float:
        return self.now.timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def analytics(filled: RecordDatabase, clock: Clock) -> Iterator[Analytics]:
    connection = RecordConnection(lambda: filled.api_url)
    cache = QueryCache(clock=clock.epoch)
    yield Analytics(PostgresAnalytics(connection), cache, clock)
    connection.close()


def test_reports_are_json_with_their_range(analytics: Analytics, raw: Raw) -> None:
    with acting_as(Actor.user(ADMIN)):
        report = analytics.processing()
    end = NOW.replace(second=0, microsecond=0) + timedelta(minutes=1)
    assert report["from"] == format_time(end - timedelta(hours=24))
    assert report["to"] == format_time(end)
    made = made_in(raw["jobs"], TimeRange(end - timedelta(hours=24), end))
    assert sum(model["jobs"] for model in report["models"]) == len(made)
    assert {"modelId", "p95Seconds", "completedPerHour", "successRate"} <= report["models"][0].keys()
    assert {"modelId", "step", "p99Seconds", "succeededPerHour"} <= report["steps"][0].keys()


def test_the_days_of_a_report_are_thirty_unless_told_otherwise(analytics: Analytics, raw: Raw) -> None:
    today = day(NOW)
    with acting_as(Actor.user(ADMIN)):
        report = analytics.daily()
        longer = analytics.daily(str(today - timedelta(days=FILLED_DAYS + 5)), str(today))
    made = {day(job["created_at"]) for job in raw["jobs"] if day(job["created_at"]) <= today}
    assert report["from"] == str(today - timedelta(days=29))
    assert report["to"] == str(today)
    assert {row["day"] for row in report["days"]} == {
        str(each) for each in made if each > today - timedelta(days=30)
    }
    assert {row["day"] for row in longer["days"]} == {str(each) for each in made}
    assert len(made) >= FILLED_DAYS


def test_one_model_alone_can_be_asked_for(analytics: Analytics) -> None:
    with acting_as(Actor.user(ADMIN)):
        report = analytics.processing(model_id="model-2")
        none = analytics.processing(model_id="'; drop table jobs; --")
    assert {row["modelId"] for row in [*report["models"], *report["steps"]]} == {"model-2"}
    assert none["models"] == none["steps"] == []


class Broken:
    """A record that is away."""

    def __getattr__(self, name: str) -> Any:
        raise RecordUnavailableError("it is away")


def test_an_answer_is_kept_for_a_while_and_for_its_actor_alone(analytics: Analytics, clock: Clock) -> None:
    with acting_as(Actor.user(ADMIN)):
        first = analytics.system()
    away = Analytics(Broken(), analytics.cache, clock)
    with acting_as(Actor.user(ADMIN)):
        assert away.system() == first
    with acting_as(Actor.user("user-3")), pytest.raises(RecordUnavailableError):
        away.system()
    clock.now += timedelta(seconds=11)
    with acting_as(Actor.user(ADMIN)), pytest.raises(RecordUnavailableError):
        away.system()


def test_a_report_is_kept_for_as_long_as_the_cache_keeps_things(analytics: Analytics, clock: Clock) -> None:
    cache = QueryCache(clock=clock.epoch, ttl_seconds=100)
    wanted = (format_time(NOW - timedelta(days=2)), format_time(NOW - timedelta(days=1)))
    with acting_as(Actor.user(ADMIN)):
        first = Analytics(analytics.queries, cache, clock).storage(*wanted)
        away = Analytics(Broken(), cache, clock)
        clock.now += timedelta(seconds=99)
        assert away.storage(*wanted) == first
        clock.now += timedelta(seconds=2)
        with pytest.raises(RecordUnavailableError):
            away.storage(*wanted)


@pytest.mark.parametrize(
    ("from_", "to", "path", "words"),
    [
        ("yesterday", None, "from", "ISO 8601"),
        (None, "2026-13-01T00:00:00Z", "to", "ISO 8601"),
        ("2026-11-20T12:00:00", None, "from", "ISO 8601"),  # of which time zone?
        ("2026-11-20T12:00:00Z", "2026-11-20T12:00:00Z", "from", "before to"),
        ("2026-11-21T12:00:00Z", "2026-11-20T12:00:00Z", "from", "before to"),
        ("2026-01-01T00:00:00Z", "2026-04-04T00:00:00Z", "from", "92 days"),
        ("0001-01-01T00:00:00+14:00", None, "from", "ISO 8601"),
        ("9999-12-31T23:59:59-14:00", None, "from", "ISO 8601"),
        ("2026-11-20T12:00:00Z" + "0" * 100_000, None, "from", "ISO 8601"),
        ("'; drop table jobs; --", None, "from", "ISO 8601"),
        ("\x00", None, "from", "ISO 8601"),
        ("\ud800", None, "from", "ISO 8601"),
        ("", None, "from", "ISO 8601"),
    ],
)
def test_a_wrong_range_is_refused_with_its_path(
    analytics: Analytics, from_: str | None, to: str | None, path: str, words: str
) -> None:
    for report in (analytics.processing, analytics.storage):
        with pytest.raises(InvalidError) as refused:
            report(from_, to)
        assert [error.path for error in refused.value.errors] == [path]
        assert words in refused.value.errors[0].message


@pytest.mark.parametrize(
    ("from_", "to", "path"),
    [
        ("2026-11-20T12:00:00Z", None, "from"),
        (None, "20th", "to"),
        ("2026-11-21", "2026-11-20", "from"),
        ("2026-01-01", "2026-04-03", "from"),
        ("0000-01-01", None, "from"),
    ],
)
def test_a_wrong_range_of_days_is_refused_with_its_path(
    analytics: Analytics, from_: str | None, to: str | None, path: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        analytics.daily(from_, to)
    assert [error.path for error in refused.value.errors] == [path]


def test_a_range_of_exactly_92_days_is_allowed(analytics: Analytics) -> None:
    with acting_as(Actor.user(ADMIN)):
        assert analytics.storage("2026-01-01T00:00:00Z", "2026-04-03T00:00:00Z")["operations"] == []
        assert analytics.daily("2026-01-01", "2026-04-02")["days"] == []


def test_a_model_id_of_absurd_length_is_refused(analytics: Analytics) -> None:
    for model_id in ("", "m" * 201):
        with pytest.raises(InvalidError, match="modelId"):
            analytics.processing(model_id=model_id)
