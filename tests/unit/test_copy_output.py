"""Copying outputs by URL: in parts, over breaks, pauses, changes, and more than once."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest

from lib.domain.errors import OutputError, UnavailableError
from lib.domain.media_type import MediaType
from lib.domain.provider import OutputKind, ProviderOutput
from lib.domain.stored_output import (
    CopiedObject,
    CopyCheckpoint,
    CopyLimits,
    OutputFault,
    OutputTarget,
    Paused,
)
from lib.services.copy_output import copy_output, never
from tests.fakes.bucket import FakeBucket, away
from tests.fakes.output_source import FakeSource, stops_after, unavailable

TARGET = OutputTarget(
    "job-1", "user-1", "sdxl", MediaType.IMAGE, 0, datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
)
KEY = "media/user-1/image/2026/01/31/job-1/0.png"
URL = ProviderOutput(OutputKind.URL, "https://files.example/0.png")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
LIMITS = CopyLimits(max_bytes=10_000, part_bytes=100, read_bytes=30, parts_in_flight=2, resumes=3, restarts=2)


def copied(
    source: FakeSource,
    bucket: FakeBucket,
    *,
    stop: Callable[[], bool] = never,
    checkpoint: CopyCheckpoint | None = None,
    limits: CopyLimits = LIMITS,
) -> CopiedObject | Paused:
    return copy_output(
        URL, TARGET, bucket=bucket, source=source, limits=limits, stop=stop, checkpoint=checkpoint
    )


def refusal(source: FakeSource, bucket: FakeBucket, limits: CopyLimits = LIMITS) -> OutputError:
    with pytest.raises(OutputError) as caught:
        copied(source, bucket, limits=limits)
    return caught.value


def paused(source: FakeSource, bucket: FakeBucket, reads: int) -> CopyCheckpoint:
    answers = stops_after(reads)
    outcome = copied(source, bucket, stop=lambda: next(answers))
    assert isinstance(outcome, Paused)
    assert outcome.checkpoint is not None
    return outcome.checkpoint


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


@pytest.mark.parametrize("silently", [True, False])
def test_a_truncated_body_is_continued_by_range_in_the_same_call(*, silently: bool) -> None:
    bucket, source = FakeBucket(), FakeSource(PNG, breaks=[50, 333, 120], breaks_silently=silently)
    copied(source, bucket)
    assert bucket.bodies[KEY] == PNG
    assert source.opened == [0, 50, 383, 503]


def test_a_body_that_is_truncated_again_and_again_is_worth_another_try_later() -> None:
    bucket, source = FakeBucket(), FakeSource(PNG, breaks=[150, 10, 10, 10, 10], breaks_silently=True)
    error = refusal(source, bucket)
    assert error.code == OutputFault.UNAVAILABLE
    assert error.retryable
    assert source.opened == [0, 150, 160, 170]


def test_what_a_failed_call_stored_is_used_by_the_next_one_without_a_checkpoint() -> None:
    bucket = FakeBucket()
    refusal(
        FakeSource(PNG, breaks=[450]),
        bucket,
        limits=CopyLimits(part_bytes=100, read_bytes=30, resumes=0),
    )
    assert len(bucket.uploads) == 1
    source = FakeSource(PNG)
    copied(source, bucket, limits=CopyLimits(part_bytes=100, read_bytes=30))
    assert bucket.bodies[KEY] == PNG
    assert source.opened == [0, 400]
    assert not bucket.uploads


def test_an_upload_left_behind_with_another_beginning_is_not_continued() -> None:
    bucket = FakeBucket()
    upload = bucket.begin_upload(KEY, "image/png", {})
    bucket.upload_part(KEY, upload, 1, b"x" * 100)
    source = FakeSource(PNG)
    copied(source, bucket)
    assert bucket.bodies[KEY] == PNG
    assert source.opened == [0]


def test_a_paused_copy_goes_on_by_range_behind_the_stored_parts() -> None:
    bucket = FakeBucket()
    checkpoint = paused(FakeSource(PNG), bucket, reads=10)
    assert CopyCheckpoint.from_json(checkpoint.as_json()) == checkpoint
    source = FakeSource(PNG)
    copied(source, bucket, checkpoint=checkpoint)
    assert source.opened == [200]
    assert bucket.bodies[KEY] == PNG
    assert not bucket.uploads


def test_a_copy_comes_to_its_end_over_many_short_calls() -> None:
    bucket, checkpoint, calls = FakeBucket(), None, 0
    outcome: CopiedObject | Paused = Paused()
    while isinstance(outcome, Paused):
        outcome = copied(FakeSource(PNG), bucket, stop=partial(next, stops_after(5)), checkpoint=checkpoint)
        checkpoint = outcome.checkpoint if isinstance(outcome, Paused) else None
        calls += 1
    assert calls > 5
    assert bucket.bodies == {KEY: PNG}


def test_a_pause_before_the_first_part_leaves_nothing_behind() -> None:
    bucket = FakeBucket()
    answers = stops_after(2)
    assert copied(FakeSource(PNG), bucket, stop=lambda: next(answers)) == Paused(None)
    assert not bucket.uploads


def test_a_source_that_does_not_honour_ranges_is_read_again_from_zero() -> None:
    bucket, source = FakeBucket(), FakeSource(PNG, honours_ranges=False)
    checkpoint = paused(FakeSource(PNG), bucket, reads=10)
    copied(source, bucket, checkpoint=checkpoint)
    assert source.opened == [200, 0]
    assert bucket.bodies[KEY] == PNG
    assert not bucket.uploads


def test_an_output_that_changed_is_read_again_from_zero_and_never_mixed() -> None:
    bucket = FakeBucket()
    checkpoint = paused(FakeSource(PNG), bucket, reads=10)
    other = PNG[:8] + b"another picture" * 60
    source = FakeSource(other, validator='"v2"')
    copied(source, bucket, checkpoint=checkpoint)
    assert source.opened == [200, 0]
    assert bucket.bodies[KEY] == other
    assert not bucket.uploads


def test_an_output_that_never_stays_the_same_is_given_up_for_now() -> None:
    bucket = FakeBucket()
    source = FakeSource(PNG, honours_ranges=False, breaks=[150] * 20)
    error = refusal(source, bucket)
    assert error.retryable
    assert not bucket.uploads


def test_a_checkpoint_whose_upload_is_gone_begins_anew() -> None:
    bucket = FakeBucket()
    checkpoint = CopyCheckpoint("upload-99", KEY, "image/png", 100, len(PNG), '"v1"')
    source = FakeSource(PNG)
    copied(source, bucket, checkpoint=checkpoint)
    assert bucket.bodies[KEY] == PNG


def test_a_part_behind_a_gap_is_uploaded_again() -> None:
    bucket = FakeBucket()
    checkpoint = paused(FakeSource(PNG), bucket, reads=18)
    del bucket.uploads[checkpoint.upload_id][2]
    source = FakeSource(PNG)
    copied(source, bucket, checkpoint=checkpoint)
    assert source.opened == [100]
    assert bucket.bodies[KEY] == PNG


def test_a_concurrent_worker_that_finishes_first_wins_and_the_object_is_used() -> None:
    bucket = FakeBucket()
    checkpoint = paused(FakeSource(PNG), bucket, reads=10)

    def other_worker_finishes() -> None:
        bucket.before.clear()
        copied(FakeSource(PNG), bucket, checkpoint=checkpoint)

    bucket.before["complete_upload"] = other_worker_finishes
    outcome = copied(FakeSource(PNG), bucket, checkpoint=checkpoint)
    assert isinstance(outcome, CopiedObject)
    assert outcome.reused
    assert bucket.bodies == {KEY: PNG}
    assert not bucket.uploads


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


def test_an_expired_output_drops_what_was_stored_of_it() -> None:
    bucket = FakeBucket()
    checkpoint = paused(FakeSource(PNG), bucket, reads=10)
    gone = OutputError("The output is not there any more.", code=OutputFault.EXPIRED)
    with pytest.raises(OutputError, match="not there"):
        copied(FakeSource(PNG, refusal=gone), bucket, checkpoint=checkpoint)
    assert not bucket.uploads


def test_a_bucket_that_is_away_loses_nothing() -> None:
    bucket = FakeBucket()
    checkpoint = paused(FakeSource(PNG), bucket, reads=10)
    bucket.before["upload_part"] = away
    with pytest.raises(UnavailableError):
        copied(FakeSource(PNG), bucket, checkpoint=checkpoint)
    bucket.before.clear()
    source = FakeSource(PNG)
    copied(source, bucket, checkpoint=checkpoint)
    assert source.opened == [200]
    assert bucket.bodies[KEY] == PNG
