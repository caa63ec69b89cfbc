"""Rows as they go over the wire."""

from datetime import UTC, date, datetime
from decimal import Decimal

from lib.domain.analytics import DailyReport, DailyStats
from lib.domain.job import JobStatus, JobStep
from lib.domain.media_type import MediaType
from lib.domain.timeline import JobTransition
from lib.domain.wire_json import wire_json, wire_name


def test_names_become_camel_case_and_seconds_lose_their_unit() -> None:
    names = {
        "job_id": "jobId",
        "estimated_time_s": "estimatedTime",
        "from_": "from",
        "p95_ms": "p95Ms",
        "at": "at",
    }
    assert {name: wire_name(name) for name in names} == names


def test_a_report_becomes_json_all_the_way_down() -> None:
    stats = DailyStats(
        day=date(2026, 11, 20),
        media_type=MediaType.VIDEO,
        jobs=3,
        completed=2,
        failed=1,
        canceled=0,
        in_flight=0,
        success_rate=None,
        average_seconds=1.5,
        estimated_cost=Decimal("0.125000"),
    )
    written = wire_json(DailyReport(from_=stats.day, to=stats.day, days=(stats,)))
    assert written["from"] == written["to"] == "2026-11-20"
    assert written["days"] == [
        {
            "day": "2026-11-20",
            "mediaType": "video",
            "jobs": 3,
            "completed": 2,
            "failed": 1,
            "canceled": 0,
            "inFlight": 0,
            "successRate": None,
            "averageSeconds": 1.5,
            "estimatedCost": 0.125,
        }
    ]


def test_details_keep_their_own_names() -> None:
    transition = JobTransition(
        job_id="1",
        version=2,
        attempt=1,
        status=JobStatus.FAILED,
        step=JobStep.STORING,
        event="failed",
        at=datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
        details={"some_name": {"x_y": 1}},
    )
    written = wire_json(transition)
    assert written["details"] == {"some_name": {"x_y": 1}}
    assert (written["at"], written["status"]) == ("2026-11-20T12:00:00.000Z", "failed")
