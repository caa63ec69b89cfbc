"""Feeds one multipart upload, part by part, while the next part is being read."""

from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from lib.domain.stored_output import CopyCheckpoint
from lib.ports.storage import MediaBucket, UploadedPart


def leading_parts(parts: Iterable[UploadedPart], part_bytes: int) -> list[UploadedPart]:
    """The parts from number 1 on without a gap, all of them whole: what a copy can be continued after.

    A part behind a gap (its worker was killed) is uploaded again; the same number replaces it.
    """
    leading: list[UploadedPart] = []
    for part in sorted(parts, key=lambda part: part.number):
        if part.number != len(leading) + 1 or part.size != part_bytes:
            break
        leading.append(part)
    return leading


class PartWriter:
    """One upload being written; a context manager that leaves no thread behind.

    Parts go up in `in_flight` threads; `add` waits while all are busy, so memory holds `in_flight` parts at
    most. A part's failure is raised by a later `add` or by `parts`.
    """

    def __init__(
        self, bucket: MediaBucket, checkpoint: CopyCheckpoint, stored: Sequence[UploadedPart], in_flight: int
    ) -> None:
        self.checkpoint = checkpoint
        self._bucket = bucket
        self._stored = list(stored)
        self._in_flight = in_flight
        self._pending: deque[Future[UploadedPart]] = deque()
        self._pool = ThreadPoolExecutor(in_flight, thread_name_prefix="upload-part")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True)  # even after an error: what is on its way serves the next call

    def add(self, body: bytes) -> None:
        """Take the next part; every part but the last has `part_bytes` bytes."""
        while len(self._pending) >= self._in_flight:
            self._stored.append(self._pending.popleft().result())
        number = len(self._stored) + len(self._pending) + 1
        there = self.checkpoint
        self._pending.append(
            self._pool.submit(self._bucket.upload_part, there.key, there.upload_id, number, body)
        )

    def parts(self) -> list[UploadedPart]:
        """All parts in order, after waiting for those on their way."""
        while self._pending:
            self._stored.append(self._pending.popleft().result())
        return list(self._stored)
