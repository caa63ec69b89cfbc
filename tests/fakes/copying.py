"""Copying one output by URL, in small parts."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from lib.domain.errors import OutputError
from lib.domain.media_type import MediaType
from lib.domain.provider import OutputKind, ProviderOutput
from lib.domain.stored_output import CopiedObject, CopyCheckpoint, CopyLimits, OutputTarget, Paused
from lib.services.copy_output import copy_output, never
from tests.fakes.bucket import FakeBucket
from tests.fakes.output_source import FakeSource, stops_after

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
    """What comes of one call."""
    return copy_output(
        URL, TARGET, bucket=bucket, source=source, limits=limits, stop=stop, checkpoint=checkpoint
    )


def refusal(source: FakeSource, bucket: FakeBucket, limits: CopyLimits = LIMITS) -> OutputError:
    """How a call fails."""
    with pytest.raises(OutputError) as caught:
        copied(source, bucket, limits=limits)
    return caught.value


def paused(source: FakeSource, bucket: FakeBucket, reads: int) -> CopyCheckpoint:
    """A call that is stopped after so many reads leaves this behind."""
    answers = stops_after(reads)
    outcome = copied(source, bucket, stop=lambda: next(answers))
    assert isinstance(outcome, Paused)
    assert outcome.checkpoint is not None
    return outcome.checkpoint
