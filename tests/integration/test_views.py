"""Every view says what its rows say, worked out by hand."""

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from local.backing import RecordDatabase
from tests.integration.by_hand import (
    Row,
    day,
    grouped,
    job_counts,
    mean,
    seconds,
    storage_figures,
    took,
)
from tests.integration.conftest import Raw

OF_JOBS = [
    "job_id",
    "short_id",
    "kind",
    "user_id",
    "media_type",
    "model_id",
    "provider",
    "provider_job_id",
    "status",
    "step",
    "version",
    "attempt",
    "cancel_requested",
    "output_format",
    "width",
    "height",
    "estimated_duration_s",
    "response_type",
    "client_ip",
    "user_agent",
    "estimated_time_s",
    "estimated_cost",
    "error_code",
    "error_message",
    "error_retryable",
    "created_at",
    "updated_at",
    "submitted_at",
    "started_at",
    "completed_at",
    "deadline_at",
]


@pytest.fixture(scope="session")
def views(filled: RecordDatabase) -> Any:
    """The rows of a view as a worker sees them, each with the moment at which they were read."""

    def rows(view: str) -> list[Row]:
        with psycopg.connect(filled.worker_url, row_factory=dict_row) as connection:
            query = sql.SQL("select *, now() as moment from {}").format(sql.Identifier(view))
            return connection.execute(query).fetchall()

    return rows


def by_job(rows: list[Row]) -> dict[Any, list[Row]]:
    return grouped(rows, lambda row: row["job_id"])


def without_moment(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "moment"}


def close(expected: Row) -> Row:
    """Equal but for the rounding of sums."""
    return {
        name: pytest.approx(value, rel=1e-6) if isinstance(value, float) else value
        for name, value in expected.items()
    }


def open_steps(steps: list[Row]) -> list[Row]:
    return sorted(
        (step for step in steps if step["ended_at"] is None),
        key=lambda step: (step["started_at"], step["step_order"]),
        reverse=True,
    )


def test_job_summary_counts_what_belongs_to_each_job(raw: Raw, views: Any) -> None:
    outputs, elements = by_job(raw["outputs"]), by_job(raw["elements"])
    steps, operations = by_job(raw["processing_timeline"]), by_job(raw["storage_operations"])

    def summary(job: Row) -> Row:
        mine = job["job_id"]
        of_steps, of_operations = steps.get(mine, []), operations.get(mine, [])
        still_open = open_steps(of_steps)
        return {
            **{name: job[name] for name in OF_JOBS},
            "total_seconds": seconds(job["created_at"], job["completed_at"]) if job["completed_at"] else None,
            "outputs": len(outputs.get(mine, [])),
            "output_bytes": sum(row["size_bytes"] for row in outputs.get(mine, [])),
            "elements": len(elements.get(mine, [])),
            "elements_processed": sum(row["processed"] for row in elements.get(mine, [])),
            "steps": len(of_steps),
            "steps_failed": sum(row["success"] is False for row in of_steps),
            "current_step": still_open[0]["step"] if still_open else None,
            "storage_operations": len(of_operations),
            "storage_failures": sum(not row["success"] for row in of_operations),
            "storage_bytes": sum(row["file_size"] or 0 for row in of_operations if row["success"]),
        }

    seen = {row["job_id"]: without_moment(row) for row in views("job_summary")}
    for row in seen.values():
        row["total_seconds"] = None if row["total_seconds"] is None else float(row["total_seconds"])
    assert seen == {job["job_id"]: summary(job) for job in raw["jobs"]}
    assert {"submitting", "generating", None} >= {row["current_step"] for row in seen.values()}


def test_job_status_realtime_shows_the_step_that_is_open(raw: Raw, views: Any) -> None:
    steps = by_job(raw["processing_timeline"])
    copied = [
        "job_id",
        "user_id",
        "status",
        "step",
        "version",
        "attempt",
        "cancel_requested",
        "updated_at",
        "due_at",
        "error_code",
    ]

    def now(job: Row) -> Row:
        still_open = open_steps(steps.get(job["job_id"], []))
        current: Row = still_open[0] if still_open else {}
        return {
            **{name: job[name] for name in copied},
            "current_step": current.get("step"),
            "current_step_started_at": current.get("started_at"),
            "progress": current.get("progress"),
        }

    seen = {row["job_id"]: without_moment(row) for row in views("job_status_realtime")}
    assert seen == {job["job_id"]: now(job) for job in raw["jobs"]}


def health(job: Row, now: datetime) -> str:
    if now > (job["storing_deadline_at"] or job["deadline_at"]) or job["due_at"] < now - timedelta(
        minutes=10
    ):
        return "stuck"
    usual = float(job["estimated_time_s"])
    return "slow" if seconds(job["created_at"], now) > max(2 * usual, usual + 30) else "on_time"


def test_active_jobs_are_on_time_slow_or_stuck(raw: Raw, views: Any) -> None:
    seen = views("active_jobs")
    active = {job["job_id"]: job for job in raw["jobs"] if job["completed_at"] is None}
    assert {row["job_id"] for row in seen} == set(active)
    for row in seen:
        job = active[row["job_id"]]
        assert row["health"] == health(job, row["moment"])
        assert float(row["age_seconds"]) == pytest.approx(seconds(job["created_at"], row["moment"]))
        same = {name: value for name, value in row.items() if name in job}
        assert same == {name: job[name] for name in same}


@pytest.mark.parametrize(
    ("age", "due_in", "storing_for", "expected"),
    [
        (10, 60, None, "on_time"),
        (59, 60, None, "on_time"),  # less than 30 + 30 s
        (70, 60, None, "slow"),  # more than both 2 x 30 and 30 + 30 s
        (10, -590, None, "on_time"),
        (10, -610, None, "stuck"),  # nobody looks at it
        (601, 60, None, "stuck"),  # past its deadline
        (601, 60, 700, "slow"),  # it is being stored, which has a deadline of its own
        (701, 60, 700, "stuck"),
    ],
)
def test_the_health_of_an_active_job_by_its_clock(
    superuser_url: str, age: float, due_in: float, storing_for: float | None, expected: str
) -> None:
    with psycopg.connect(superuser_url) as connection:
        connection.execute("insert into users (user_id, created_at) values ('ada', now())")
        connection.execute(
            """
            insert into jobs (job_id, short_id, user_id, media_type, model_id, provider, parameters, status, step,
                              estimated_time_s, estimated_cost, created_at, updated_at, deadline_at,
                              storing_deadline_at, due_at)
            select uuid_at(made), '12345678901', 'ada', 'image', 'm', 'p', '{}', 'processing', 'generating', 30, 0,
                   made, made, made + interval '600 seconds', made + %(storing)s * interval '1 second',
                   now() + %(due)s * interval '1 second'
            from (select now() - %(age)s * interval '1 second' as made) clock
            """,
            {"age": age, "due": due_in, "storing": storing_for},
        )
        assert connection.execute("select health from active_jobs").fetchall() == [(expected,)]


def test_daily_job_stats_are_those_of_the_jobs_of_each_day(raw: Raw, views: Any) -> None:
    seen = {(row["day"], row["media_type"]): row for row in views("daily_job_stats")}
    groups = grouped(raw["jobs"], lambda job: (day(job["created_at"]), job["media_type"]))
    assert seen.keys() == groups.keys()
    for key, jobs in groups.items():
        row = seen[key]
        rate = job_counts(jobs)["success_rate"]
        expected = {
            **job_counts(jobs),
            "success_rate": rate if rate is None else pytest.approx(rate, abs=1e-6),
            "average_seconds": mean(took(jobs)),
            "estimated_cost": sum(job["estimated_cost"] for job in jobs),
        }
        found = {name: row[name] for name in expected}
        found["success_rate"] = None if rate is None else float(row["success_rate"])
        assert found == close(expected)


def test_storage_performance_is_that_of_the_operations_of_each_day(raw: Raw, views: Any) -> None:
    seen = {(row["day"], row["operation"], row["bucket"]): row for row in views("storage_performance")}
    groups = grouped(raw["storage_operations"], lambda row: (day(row["at"]), row["operation"], row["bucket"]))
    assert seen.keys() == groups.keys()
    for key, rows in groups.items():
        expected = storage_figures(rows)
        found = {name: seen[key][name] for name in expected}
        found["success_rate"] = float(found["success_rate"])
        assert found == {**close(expected), "success_rate": pytest.approx(expected["success_rate"], abs=1e-6)}


def test_generations_are_the_jobs_of_providers_with_their_first_output(raw: Raw, views: Any) -> None:
    first = {row["job_id"]: row for row in raw["outputs"] if row["output_index"] == 0}

    def generation(job: Row) -> Row:
        output: Row = first.get(job["job_id"], {})
        of_output = ("thumbnail_key", "content_type", "size_bytes", "width", "height", "duration_s")
        return {
            "id": job["job_id"],
            "type": job["media_type"],
            "model": job["model_id"],
            "prompt": job["parameters"]["prompt"],
            "asset_key": output.get("object_key"),
            "processing_started_at": job["started_at"],
            **{name: output.get(name) for name in of_output},
            **{
                name: job[name]
                for name in [
                    "short_id",
                    "user_id",
                    "status",
                    "provider",
                    "parameters",
                    "error_code",
                    "error_message",
                    "created_at",
                    "updated_at",
                    "completed_at",
                ]
            },
        }

    seen = {row["id"]: without_moment(row) for row in views("generations")}
    generations = [job for job in raw["jobs"] if job["kind"] == "generation"]
    assert 0 < len(generations) < len(raw["jobs"])
    assert seen == {job["job_id"]: generation(job) for job in generations}
