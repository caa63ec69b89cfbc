"""A job with all that belongs to it: of one moment, in one round trip, and for its owner and admins alone."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from lib.domain.actor import Actor
from lib.domain.errors import NotFoundError
from lib.domain.ids import uuid7
from lib.ports.actor import acting_as
from lib.ports.repositories import StorageSearch
from lib.services.job_details import ReadJobDetails
from local.backing import RecordDatabase
from tests.integration.by_hand import Row
from tests.integration.conftest import Raw
from tests.integration.filled_record import ADMIN
from tests.integration.video_world import VideoWorld, video_world

AS_TEXT = ("job_id", "element_id", "timeline_id", "operation_id", "output_id", "client_ip")


@pytest.fixture
def worker(filled: RecordDatabase) -> Iterator[VideoWorld]:
    with video_world(filled.worker_url) as world:
        yield world


@pytest.fixture
def api(filled: RecordDatabase) -> Iterator[VideoWorld]:
    with video_world(filled.api_url) as world:
        yield world


def sample(raw: Raw) -> list[Row]:
    """Jobs of every status and of both kinds."""
    found: dict[tuple[str, str], Row] = {}
    for job in raw["jobs"]:
        found.setdefault((job["status"], job["kind"]), job)
    return list(found.values())


def same(seen: tuple[Any, ...], rows: list[Row]) -> bool:
    """Whether these are exactly the rows, in this order."""
    return [vars(item) for item in seen] == [
        {name: as_field(name, row[name]) for name in vars(item)} for item, row in zip(seen, rows, strict=True)
    ]


def as_field(name: str, value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return str(value) if name in AS_TEXT and value is not None else value


def test_details_are_all_rows_of_the_job_in_their_order(worker: VideoWorld, raw: Raw) -> None:
    orders: dict[str, Callable[[Row], Any]] = {
        "elements": lambda row: (row["track"], row["element_order"]),
        "processing_timeline": lambda row: (row["started_at"], row["step_order"], row["timeline_id"]),
        "storage_operations": lambda row: (row["at"], row["operation_id"]),
        "outputs": lambda row: row["output_index"],
        "job_transitions": lambda row: row["version"],
    }
    jobs = sample(raw)
    assert len(jobs) > 6
    for job in jobs:
        before = worker.connection.statements
        details = worker.details.details(str(job["job_id"])).details
        assert worker.connection.statements == before + 1
        seen = {
            "elements": details.elements,
            "processing_timeline": details.timeline,
            "storage_operations": details.storage_operations,
            "outputs": details.outputs,
            "job_transitions": details.transitions,
        }
        for table, order in orders.items():
            rows = sorted((row for row in raw[table] if row["job_id"] == job["job_id"]), key=order)
            assert same(seen[table], rows), table
        assert details.parameters == job["parameters"]
        assert details.request_ref is None
        assert details.summary.outputs == len(details.outputs)
        assert details.snapshot.data["status"] == details.summary.status == job["status"]
        shown = [output["key"] for output in details.snapshot.data["outputs"]]
        assert shown == [output.object_key for output in details.outputs]


def parts(details: ReadJobDetails) -> list[Callable[..., object]]:
    return [
        details.details,
        details.timeline,
        details.elements,
        lambda job_id, **owner: details.storage(job_id, StorageSearch(), **owner),
    ]


def test_a_user_reads_of_own_jobs_what_a_worker_reads(worker: VideoWorld, api: VideoWorld, raw: Raw) -> None:
    for job in sample(raw):
        job_id, owner = str(job["job_id"]), job["user_id"]
        for of_worker, of_user in zip(parts(worker.details), parts(api.details), strict=True):
            expected = of_worker(job_id)
            with acting_as(Actor.user(owner)):
                assert of_user(job_id, user_id=owner) == expected
            with acting_as(Actor.user(ADMIN)):
                assert of_user(job_id) == expected


def test_a_job_of_somebody_else_is_not_there(worker: VideoWorld, api: VideoWorld, raw: Raw) -> None:
    job = sample(raw)[0]
    job_id = str(job["job_id"])
    for read in parts(api.details):
        for actor in (Actor.user("nobody"), Actor.guest(job["user_id"], "f" * 64), None):
            with acting_as(actor), pytest.raises(NotFoundError):
                read(job_id)
        with acting_as(Actor.user(job["user_id"])), pytest.raises(NotFoundError):
            read(str(uuid7(datetime.now(UTC))))
    for read in parts(worker.details):
        with pytest.raises(NotFoundError):
            read(job_id, user_id="nobody")


def test_a_summary_alone_is_that_of_the_details(worker: VideoWorld, raw: Raw) -> None:
    jobs = worker.service.create_video_job.jobs
    for job in sample(raw):
        job_id = str(job["job_id"])
        assert jobs.get(job_id) == worker.details.details(job_id).details.summary
        assert jobs.get(job_id, user_id="nobody") is None
