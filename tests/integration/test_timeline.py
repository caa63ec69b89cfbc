"""The steps of every job's work, and what was moved for it, as the gateway itself writes them."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any, LiteralString, NamedTuple

import psycopg
import pytest
from psycopg.rows import dict_row

from lib.domain.errors import OutputError, RecordUnavailableError, UnavailableError
from lib.domain.ids import uuid7
from lib.domain.job import JobStatus
from lib.domain.provider import OutputKind, ProviderOutput
from lib.domain.stored_output import CopyLimits, OutputFault
from lib.ports.work_report import Usage
from lib.services.store_output import StoragePorts, store_output
from lib.stores.postgres.record import PostgresRecord
from tests.fakes.bucket import away
from tests.fakes.output_source import FakeSource, stops_after, unavailable
from tests.fakes.provider import OnSubmit
from tests.integration.world import PICTURE, PLACE, THUMBNAIL, FakeDarkroom, World

Row = dict[str, Any]


class Step(NamedTuple):
    """A step as far as most tests look at it; `success` is None while it is open."""

    step: str
    success: bool | None
    details: dict[str, Any]


QUERIES: dict[str, LiteralString] = {
    "processing_timeline": "select * from processing_timeline order by started_at, step_order",
    "storage_operations": "select * from storage_operations order by operation_id",
}


def rows(url: str, table: str) -> list[Row]:
    """All rows of a table, in the order of their making."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(QUERIES[table]).fetchall()


def steps(url: str) -> list[Step]:
    """The steps of all jobs."""
    return [Step(row["step"], row["success"], row["details"]) for row in rows(url, "processing_timeline")]


def operations(url: str) -> list[Row]:
    """What was moved for all jobs."""
    return rows(url, "storage_operations")


def generate(world: World) -> str:
    """A job whose provider has succeeded; its outputs are still to be stored."""
    job_id = world.start_job()
    (prediction,) = world.provider.predictions
    world.provider.work(prediction)
    world.provider.work(prediction)
    world.webhook(prediction)
    while world.work(world.advance_queue):
        pass
    return job_id


def store(world: World) -> None:
    assert world.work(world.store_queue)


def small_parts(world: World) -> None:
    """Outputs are copied in parts of 100 bytes, read by 50."""
    limits = CopyLimits(part_bytes=100, read_bytes=50, parts_in_flight=2, resumes=0, restarts=0)
    darkroom = FakeDarkroom()
    ports = StoragePorts(world.bucket, world.source, darkroom, darkroom)
    object.__setattr__(world.store, "store_one", partial(store_output, ports=ports, limits=limits))


def only(found: Sequence[Row], operation: str) -> Row:
    (row,) = [row for row in found if row["operation"] == operation and "thumbnail" not in row["metadata"]]
    return row


# --- submitting and generating


def test_a_job_that_goes_well_has_each_step_once_and_nothing_open(world: World, postgres_url: str) -> None:
    generate(world)
    world.pass_time(2)
    store(world)
    found = rows(postgres_url, "processing_timeline")
    assert [(row["step"], row["step_order"], row["success"]) for row in found] == [
        ("submitting", 0, True),
        ("generating", 1, True),
        ("downloading", 2, True),
        ("uploading", 3, True),
    ]
    assert all(row["ended_at"] >= row["started_at"] for row in found)
    ours = [row for row in found if row["step"] != "generating"]
    assert all(row["cpu_usage"] >= 0 and row["memory_usage"] > 1_000_000 for row in ours)
    assert [row["progress"] for row in found if row["step_order"] > 1] == [95, 100]


def test_a_deferred_submit_ends_its_step_with_the_reason_and_the_next_claim_opens_another(
    world: World, postgres_url: str
) -> None:
    world.provider.on_submit = OnSubmit.THROTTLE
    world.start_job()
    assert steps(postgres_url) == [Step("submitting", False, {"reason": "throttled"})]
    world.provider.on_submit = OnSubmit.ACCEPT
    world.pass_time(4)
    world.drain()
    assert [(step.step, step.success) for step in steps(postgres_url)] == [
        ("submitting", False),
        ("submitting", True),
        ("generating", None),
    ]


def test_a_submit_that_nobody_answered_ends_its_step_and_is_claimed_by_the_generating_one(
    world: World, postgres_url: str
) -> None:
    world.provider.on_submit = OnSubmit.ACCEPT_SILENTLY
    world.start_job()
    assert steps(postgres_url) == [Step("submitting", False, {"reason": "nobody answered"})]
    world.webhook(*world.provider.predictions)
    world.drain()
    assert [(step.step, step.success) for step in steps(postgres_url)] == [
        ("submitting", False),
        ("generating", None),
    ]


def test_a_refused_submit_ends_its_step_with_the_code_and_what_it_cost_us(
    world: World, postgres_url: str
) -> None:
    world.provider.on_submit = OnSubmit.REFUSE
    world.create()
    (row,) = rows(postgres_url, "processing_timeline")
    assert (row["step"], row["success"]) == ("submitting", False)
    assert row["details"] == {"code": "provider_invalid_input"}
    assert row["memory_usage"] > 0


def test_a_webhook_that_is_faster_than_the_answer_ends_the_submit_well(
    world: World, postgres_url: str
) -> None:
    def meanwhile(where: str) -> None:
        if where == "after provider.submit":
            (prediction,) = world.provider.predictions
            world.provider.work(prediction)
            world.webhook(prediction)
            world.seam.decide = lambda _where: None
            world.work(world.advance_queue)

    world.seam.decide = meanwhile
    world.start_job()
    assert [(step.step, step.success) for step in steps(postgres_url)] == [
        ("submitting", True),
        ("generating", None),
    ]


@pytest.mark.parametrize("cancel", [False, True])
def test_a_provider_that_fails_or_is_canceled_ends_generating_without_success(
    world: World, postgres_url: str, *, cancel: bool
) -> None:
    job_id = world.start_job()
    (prediction,) = world.provider.predictions
    world.provider.work(prediction)
    if cancel:
        world.request_cancel(job_id)
    else:
        world.provider.work(prediction, fail=True)
        world.webhook(prediction)
    world.drain()
    last = steps(postgres_url)[-1]
    assert (last.step, last.success) == ("generating", False)
    assert last.details["status"] == ("canceled" if cancel else "failed")


def test_a_job_that_is_canceled_before_its_submit_has_nothing_open(world: World, postgres_url: str) -> None:
    world.provider.on_submit = OnSubmit.THROTTLE
    world.request_cancel(world.start_job())
    assert [step.success for step in steps(postgres_url)] == [False]


def test_the_first_word_of_a_provider_may_be_its_last_and_still_has_its_step(
    world: World, postgres_url: str
) -> None:
    world.provider.on_submit = OnSubmit.ACCEPT_SILENTLY
    world.start_job()
    (prediction,) = world.provider.predictions
    world.provider.work(prediction)
    world.provider.work(prediction, fail=True)
    world.pass_time(5)
    world.webhook(prediction)
    world.drain()
    generating = rows(postgres_url, "processing_timeline")[-1]
    assert (generating["step"], generating["success"]) == ("generating", False)


# --- storing


def test_storing_logs_one_download_one_upload_and_the_small_picture(world: World, postgres_url: str) -> None:
    job_id = generate(world)
    store(world)
    found = operations(postgres_url)
    download = only(found, "download")
    (prediction,) = world.provider.predictions
    assert (download["bucket"], download["object_key"]) == (
        "replicate.delivery",
        f"/{prediction}/out.webp",
    )
    assert (download["success"], download["file_size"], download["region"]) == (True, len(PICTURE), None)
    upload = only(found, "upload")
    assert (upload["bucket"], upload["region"], upload["output_index"]) == (PLACE.name, PLACE.region, 0)
    assert (upload["object_key"], upload["file_size"]) == (world.stored[0], len(PICTURE))
    assert upload["duration_ms"] >= 0
    (picture,) = [row for row in found if row["metadata"] == {"thumbnail": True}]
    assert (picture["operation"], picture["file_size"]) == ("upload", len(THUMBNAIL))
    assert {str(row["job_id"]) for row in found} == {job_id}
    assert len(found) == 3


@pytest.mark.parametrize(
    ("output", "operation", "bucket", "key"),
    [
        (
            ProviderOutput(
                OutputKind.URL, "https://user:word@cdn.example:8443/a/b.png?X-Signature=secret#part"
            ),
            "download",
            "cdn.example",
            "/a/b.png",
        ),
        (
            ProviderOutput(OutputKind.URL, "https://cdn.example/" + "a" * 2000),
            "download",
            "cdn.example",
            "/" + "a" * 1023,
        ),
        (ProviderOutput(OutputKind.URL, "https://[no-address/x"), "download", "unknown", "unknown"),
        (ProviderOutput(OutputKind.URL, "file:secret"), "download", "unknown", "unknown"),
        (
            ProviderOutput(OutputKind.DATA_URL, "data:image/png;base64,iVBORw0KGgo="),
            "download",
            "inline",
            "inline",
        ),
    ],
)
def test_the_log_shows_where_an_output_came_from_and_nothing_secret(
    world: World, postgres_url: str, output: ProviderOutput, operation: str, bucket: str, key: str
) -> None:
    generate(world)
    replace_outputs(world, [output])
    store(world)
    found = only(operations(postgres_url), operation)
    assert (found["bucket"], found["object_key"]) == (bucket, key)


def replace_outputs(world: World, outputs: Sequence[ProviderOutput]) -> None:
    """The job has these outputs, whatever its provider said."""
    real = world.store.record.begin_storing

    def begin(*args: Any, **kwargs: Any) -> Any:
        begun = real(*args, **kwargs)
        if begun.outcome == "storing":
            begun.extra["work"]["outputs"] = [output.as_json() for output in outputs]
        return begun

    class Replaced:
        begin_storing = staticmethod(begin)

        def __getattr__(self, name: str) -> Any:
            return getattr(world.record, name)

    object.__setattr__(world.store, "record", Replaced())


def test_several_outputs_have_a_download_and_an_upload_each_and_ids_of_their_own(
    world: World, postgres_url: str
) -> None:
    job_id = generate(world)
    replace_outputs(world, [ProviderOutput(OutputKind.URL, f"https://cdn.example/{n}.png") for n in range(3)])
    store(world)
    for operation in ("download", "upload"):
        lines = [
            row for row in operations(postgres_url) if row["operation"] == operation and not row["metadata"]
        ]
        assert [row["output_index"] for row in lines] == [0, 1, 2]
    job = world.real_record.find_job(job_id)
    assert len({output["outputId"] for output in job.data["outputs"]}) == 3
    downloading = next(step for step in steps(postgres_url) if step.step == "downloading")
    assert downloading.details["outputs"] == 3
    assert downloading.details["bytes"] == 3 * len(PICTURE)


def test_a_pause_is_reported_and_the_next_try_reports_only_its_own_bytes(
    world: World, postgres_url: str
) -> None:
    generate(world)
    small_parts(world)
    answers = stops_after(9)
    world.storing_stops = lambda: next(answers)
    store(world)
    paused = steps(postgres_url)[-2:]
    assert [(step.step, step.success, step.details["paused"]) for step in paused] == [
        ("downloading", True, True),
        ("uploading", True, True),
    ]
    assert (paused[0].details["bytes"], paused[1].details["bytes"]) == (450, 400)
    assert [row["metadata"] for row in operations(postgres_url)] == [{"partial": True}, {"partial": True}]

    world.storing_stops = lambda: False
    world.pass_time(1)
    store(world)
    assert [(step.step, step.success) for step in steps(postgres_url)[-2:]] == [
        ("downloading", True),
        ("uploading", True),
    ]
    assert sum(row["file_size"] for row in operations(postgres_url) if row["operation"] == "upload") == len(
        PICTURE
    ) + len(THUMBNAIL)


def test_a_source_that_breaks_off_fails_both_steps_and_the_download_until_it_comes_again(
    world: World, postgres_url: str
) -> None:
    job_id = generate(world)
    world.source.refusal = unavailable()
    store(world)
    assert [(step.success, step.details["code"]) for step in steps(postgres_url)[-2:]] == [
        (False, OutputFault.UNAVAILABLE.value)
    ] * 2
    (failed,) = operations(postgres_url)
    assert (failed["operation"], failed["success"], failed["error_code"]) == (
        "download",
        False,
        OutputFault.UNAVAILABLE.value,
    )
    world.source.refusal = None
    world.pass_time(10)
    store(world)
    assert world.real_record.find_job(job_id).status is JobStatus.COMPLETED
    assert [step.success for step in steps(postgres_url)[-4:]] == [False, False, True, True]


def test_an_output_that_is_gone_fails_the_job_with_its_log(world: World, postgres_url: str) -> None:
    job_id = generate(world)
    world.source.refusal = OutputError("It is gone.", code=OutputFault.EXPIRED)
    store(world)
    assert world.real_record.find_job(job_id).status is JobStatus.FAILED
    assert [row["error_code"] for row in operations(postgres_url)] == [OutputFault.EXPIRED.value]
    assert [step.success for step in steps(postgres_url)] == [True, True, False, False]


def test_a_bucket_that_is_away_fails_the_upload_and_not_the_source(world: World, postgres_url: str) -> None:
    generate(world)
    world.bucket.before["put"] = away
    store(world)
    found = operations(postgres_url)
    assert (only(found, "download")["success"], only(found, "upload")["success"]) == (True, False)
    assert only(found, "upload")["error_code"] == UnavailableError.code
    assert [step.success for step in steps(postgres_url)[-2:]] == [False, False]


def test_a_refused_file_is_logged_as_stored_and_then_removed(
    world: World, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OutputError("It does not decode.", code=OutputFault.UNREADABLE)

    monkeypatch.setattr(FakeDarkroom, "probe", refuse)
    generate(world)
    store(world)
    assert [(row["operation"], row["success"]) for row in operations(postgres_url)] == [
        ("download", True),
        ("upload", True),
        ("delete", True),
    ]
    assert [(step.step, step.success) for step in steps(postgres_url)[-2:]] == [
        ("downloading", True),
        ("uploading", False),
    ]


def test_what_is_in_the_bucket_already_is_not_logged_again(world: World, postgres_url: str) -> None:
    def dies(where: str) -> None:
        if where == "before record.complete_job":
            raise RecordUnavailableError("away")

    job_id = generate(world)
    world.seam.decide = dies
    store(world)
    assert operations(postgres_url) == []  # the report goes with the transition
    world.seam.decide = lambda _where: None
    world.pass_time(10)
    store(world)
    assert world.real_record.find_job(job_id).status is JobStatus.COMPLETED
    assert [row["metadata"] for row in operations(postgres_url)] == [{"thumbnail": True}]
    assert [(step.step, step.success) for step in steps(postgres_url)[2:]] == [
        ("downloading", False),
        ("uploading", False),
        ("downloading", True),
        ("uploading", True),
    ]
    assert steps(postgres_url)[2].details == {"superseded": True}


def test_an_answer_that_was_lost_after_the_commit_logs_nothing_twice(world: World, postgres_url: str) -> None:
    def lost(where: str) -> None:
        if where == "after record.complete_job":
            raise RecordUnavailableError("the answer was lost")

    job_id = generate(world)
    world.seam.decide = lost
    store(world)
    before = operations(postgres_url)
    world.seam.decide = lambda _where: None
    world.pass_time(10)
    world.drain()
    assert world.real_record.find_job(job_id).status is JobStatus.COMPLETED
    assert operations(postgres_url) == before
    assert len(before) == 3


def test_a_report_that_cannot_be_kept_does_not_lose_the_checkpoint(world: World) -> None:
    def away_for_reports(where: str) -> None:
        if where == "before record.record_work":
            raise RecordUnavailableError("away")

    job_id = generate(world)
    small_parts(world)
    answers = stops_after(9)
    world.storing_stops = lambda: next(answers)
    world.seam.decide = away_for_reports
    store(world)
    assert world.journal.counts["WorkNotRecorded"] == 1
    assert "checkpoints" in world.store_queue.messages[-1].body
    world.storing_stops, world.seam.decide = lambda: False, lambda _where: None
    world.drain()
    assert world.real_record.find_job(job_id).status is JobStatus.COMPLETED
    assert world.source.opened == [0, 400]


def test_a_report_told_twice_is_kept_once(world: World, record: PostgresRecord, postgres_url: str) -> None:
    told = []
    real = record.complete_job

    def twice(*args: Any, **kwargs: Any) -> Any:
        told.append(real(*args, **kwargs).outcome)
        return real(*args, **kwargs)

    generate(world)
    record.complete_job = twice  # type: ignore[method-assign]
    store(world)
    assert told == ["completed"]
    assert len(operations(postgres_url)) == 3


def test_a_job_without_outputs_fails_and_leaves_no_step_open(world: World, postgres_url: str) -> None:
    job_id = generate(world)
    replace_outputs(world, [])
    store(world)
    assert world.real_record.find_job(job_id).status is JobStatus.FAILED
    assert [step.success for step in steps(postgres_url)] == [True, True, False, False]


def test_the_file_of_a_source_without_a_word_on_its_size_is_logged_with_its_bytes(
    world: World, postgres_url: str
) -> None:
    generate(world)
    small_parts(world)
    ports = StoragePorts(world.bucket, FakeSource(PICTURE, tells_total=False), FakeDarkroom(), FakeDarkroom())
    limits = CopyLimits(part_bytes=300, read_bytes=100)
    object.__setattr__(world.store, "store_one", partial(store_output, ports=ports, limits=limits))
    store(world)
    assert [row["file_size"] for row in operations(postgres_url)] == [
        len(PICTURE),
        len(PICTURE),
        len(THUMBNAIL),
    ]


# --- the record alone


def test_usage_is_kept_with_the_step_that_it_belongs_to(
    world: World, record: PostgresRecord, postgres_url: str
) -> None:
    world.provider.on_submit = OnSubmit.THROTTLE
    job_id = world.start_job()
    now = world.now + timedelta(seconds=5)
    record.claim_attempt(job_id, 1, claim=str(uuid7()), lease_until=now + timedelta(minutes=1), now=now)
    record.mark_submit_unknown(job_id, 1, due_at=now, now=now, usage=Usage(12.25, 1_000_000))
    row = rows(postgres_url, "processing_timeline")[-1]
    assert (float(row["cpu_usage"]), row["memory_usage"]) == (12.25, 1_000_000)
