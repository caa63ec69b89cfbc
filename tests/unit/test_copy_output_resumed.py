"""Copying an output by URL over breaks, pauses and changes: it goes on where it was, or from zero, never mixed."""

from functools import partial

import pytest

from lib.domain.errors import OutputError, UnavailableError
from lib.domain.stored_output import CopiedObject, CopyCheckpoint, CopyLimits, OutputFault, Paused
from tests.fakes.bucket import FakeBucket, away
from tests.fakes.copying import KEY, PNG, copied, paused, refusal
from tests.fakes.output_source import FakeSource, stops_after


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
