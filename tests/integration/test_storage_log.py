"""What was moved for a job: each file once, with its bytes and where it came from, and nothing secret."""

from functools import partial
from typing import Any

import pytest

from lib.domain.errors import OutputError, RecordUnavailableError
from lib.domain.job import JobStatus
from lib.domain.provider import OutputKind, ProviderOutput
from lib.domain.stored_output import CopyLimits, OutputFault
from lib.services.store_output import StoragePorts, store_output
from lib.stores.postgres.record import PostgresRecord
from tests.fakes.darkroom import THUMBNAIL, FakeDarkroom
from tests.fakes.output_source import FakeSource
from tests.integration.work_log import generate, only, operations, replace_outputs, small_parts, steps, store
from tests.integration.world import PICTURE, PLACE, World


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
