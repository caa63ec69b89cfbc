"""Copying an output by URL: whole, once, within its limits, and of its type."""

import pytest

from lib.domain.errors import OutputError
from lib.domain.stored_output import CopiedObject, CopyLimits, OutputFault
from tests.fakes.bucket import FakeBucket
from tests.fakes.copying import KEY, PNG, copied, refusal
from tests.fakes.output_source import FakeSource, unavailable


def test_a_large_output_arrives_whole_in_parts_with_its_type_and_owner() -> None:
    bucket, source = FakeBucket(), FakeSource(PNG)
    outcome = copied(source, bucket)
    assert isinstance(outcome, CopiedObject)
    assert (outcome.key, outcome.size, outcome.content.mime) == (KEY, len(PNG), "image/png")
    assert bucket.bodies == {KEY: PNG}
    assert bucket.infos[KEY].metadata["job-id"] == "job-1"
    assert bucket.infos[KEY].metadata["model-id"] == "sdxl"
    assert bucket.calls.count("upload_part") == -(-len(PNG) // 100)
    assert source.closed == 1


def test_a_small_output_is_one_put_with_its_hash() -> None:
    bucket = FakeBucket()
    outcome = copied(FakeSource(PNG[:99]), bucket)
    assert isinstance(outcome, CopiedObject)
    assert bucket.calls.count("put") == 1
    assert "begin_upload" not in bucket.calls
    assert outcome.sha256 is not None
    assert bucket.infos[KEY].metadata["sha256"] == outcome.sha256


@pytest.mark.parametrize("size", [100, 200, 201, 1032])
@pytest.mark.parametrize("tells_total", [True, False])
def test_any_size_arrives_whole_whether_or_not_it_is_announced(size: int, *, tells_total: bool) -> None:
    bucket = FakeBucket()
    copied(FakeSource(PNG[:size], tells_total=tells_total), bucket)
    assert bucket.bodies[KEY] == PNG[:size]


def test_the_second_call_with_the_same_message_downloads_nothing() -> None:
    bucket, source = FakeBucket(), FakeSource(PNG)
    first = copied(source, bucket)
    second = copied(source, bucket)
    assert isinstance(first, CopiedObject)
    assert isinstance(second, CopiedObject)
    assert second.reused
    assert (second.key, second.size, second.content) == (first.key, first.size, first.content)
    assert source.opened == [0]


def test_an_object_of_another_job_is_not_taken_for_this_one() -> None:
    bucket = FakeBucket()
    bucket.put(
        KEY.replace("0.png", "0.webp"), b"other", content_type="image/webp", metadata={"job-id": "job-2"}
    )
    assert isinstance(copied(FakeSource(PNG), bucket), CopiedObject)
    assert bucket.bodies[KEY] == PNG


def test_two_uploads_of_one_output_leave_one_object_and_no_upload() -> None:
    bucket = FakeBucket()

    def other_worker_does_it_all() -> None:
        bucket.before.clear()
        copied(FakeSource(PNG), bucket)

    bucket.before["begin_upload"] = other_worker_does_it_all
    outcome = copied(FakeSource(PNG), bucket)
    assert isinstance(outcome, CopiedObject)
    assert outcome.reused
    assert bucket.bodies == {KEY: PNG}
    assert not bucket.uploads


def test_two_small_puts_leave_one_object() -> None:
    bucket = FakeBucket()

    def other_worker_puts() -> None:
        bucket.before.clear()
        copied(FakeSource(PNG[:50]), bucket)

    bucket.before["put"] = other_worker_puts
    outcome = copied(FakeSource(PNG[:50]), bucket)
    assert isinstance(outcome, CopiedObject)
    assert outcome.reused


def test_an_announced_size_over_the_limit_is_refused_before_a_byte_is_read() -> None:
    bucket, source = FakeBucket(), FakeSource(PNG * 20)
    assert refusal(source, bucket).code == OutputFault.TOO_LARGE
    assert not bucket.uploads
    assert source.closed == 1


def test_a_size_over_the_limit_that_was_not_announced_is_refused_on_the_way_and_dropped() -> None:
    bucket = FakeBucket()
    error = refusal(FakeSource(PNG * 20, tells_total=False), bucket)
    assert (error.code, error.retryable) == (OutputFault.TOO_LARGE, False)
    assert not bucket.uploads
    assert not bucket.bodies


def test_an_output_just_at_the_limit_is_stored() -> None:
    bucket = FakeBucket()
    copied(FakeSource(PNG), bucket, limits=CopyLimits(max_bytes=len(PNG), part_bytes=100, read_bytes=30))
    assert bucket.bodies[KEY] == PNG


@pytest.mark.parametrize("tells_total", [True, False])
def test_an_empty_output_is_refused(*, tells_total: bool) -> None:
    error = refusal(FakeSource(b"", tells_total=tells_total), FakeBucket())
    assert (error.code, error.retryable) == (OutputFault.EMPTY, False)


@pytest.mark.parametrize(
    "body", [b"<!doctype html><title>gone</title>" * 300, b"{}", b"RIFF\x10\0\0\0WAVEfmt "]
)
def test_another_type_than_expected_is_refused_and_not_stored(body: bytes) -> None:
    bucket = FakeBucket()
    limits = CopyLimits(part_bytes=8192, read_bytes=500)
    error = refusal(FakeSource(body), bucket, limits)
    assert (error.code, error.retryable) == (OutputFault.WRONG_TYPE, False)
    assert not bucket.bodies
    assert not bucket.uploads


def test_a_wrong_type_shows_before_the_first_part_is_full() -> None:
    source = FakeSource(b"<html>" * 100_000)
    refusal(source, FakeBucket(), CopyLimits(part_bytes=500_000, read_bytes=5000, max_bytes=10**9))
    assert source.closed == 1


def test_an_error_of_the_source_passes_as_it_is() -> None:
    gone = OutputError("The output is not there any more.", code=OutputFault.EXPIRED)
    assert refusal(FakeSource(PNG, refusal=gone), FakeBucket()) is gone
    later = unavailable()
    source = FakeSource(PNG, refusal=later)
    assert refusal(source, FakeBucket()) is later
    assert source.opened == [0]
