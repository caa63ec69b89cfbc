"""A temporary file that an answer is read into, and the blobs that are regions of it.

The file has no name: nothing is left behind by a process that dies. It is closed when the last of its blobs, and
the last reader of one, is let go.
"""

import io
import os
import tempfile
import weakref
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NoReturn, cast

from lib.providers.base64_text import Base64Decoder

READ_BYTES = 64 * 1024


class UnusableAnswerError(Exception):
    """An answer that cannot be taken: over a limit of size or time, or of room; the message says which."""


class Spool:
    """An anonymous file in the temporary directory that grows at its end; threads may read it at once."""

    def __init__(self) -> None:
        file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it lives as long as its blobs
        self._file = file
        self.size = 0
        self.close = weakref.finalize(self, file.close)
        """Gives the room back at once; who reads afterwards gets a ValueError."""

    def append(self, data: bytes) -> None:
        """Write at the end; raises `UnusableAnswerError` when there is no room."""
        left = memoryview(data)
        while left:
            try:
                written = os.pwrite(self._file.fileno(), left, self.size)
            except OSError as error:
                raise UnusableAnswerError(f"no room on disk for the answer: {error.strerror}") from error
            self.size += written
            left = left[written:]

    def truncate(self, size: int) -> None:
        """Forget what stands behind the first `size` bytes."""
        self._file.truncate(size)
        self.size = size

    def read(self, start: int, length: int) -> bytes:
        """At most `length` bytes from `start`."""
        return os.pread(self._file.fileno(), length, start)


@dataclass(frozen=True, eq=False, slots=True)
class SpooledBlob:
    """A `Blob`: the region of a spool from `start` with `length` bytes, which may be base64 as JSON has it.

    It belongs to this machine's disk, so it cannot be pickled or copied into a message.
    """

    name: str
    content_type: str
    size: int
    spool: Spool = field(repr=False)
    start: int = field(default=0, repr=False)
    length: int = field(default=0, repr=False)
    is_base64: bool = field(default=False, repr=False)

    def open(self) -> BinaryIO:
        """See `Blob.open`; it is read forward only."""
        decoder = Base64Decoder() if self.is_base64 else None
        reader = _RegionReader(self.spool, self.start, self.start + self.length, decoder)
        return cast("BinaryIO", io.BufferedReader(reader, READ_BYTES))

    def __reduce__(self) -> NoReturn:
        """Raise TypeError: what is on this machine's disk means nothing elsewhere."""
        raise TypeError("a blob is on this machine's disk and cannot be pickled")


class _RegionReader(io.RawIOBase):
    """Reads a region of a spool from its start to its end, decoded if there is a decoder."""

    def __init__(self, spool: Spool, start: int, end: int, decoder: Base64Decoder | None) -> None:
        self._spool, self._position, self._end, self._decoder = spool, start, end, decoder
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and self._position < self._end:
            self._ready = memoryview(self._next())
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _next(self) -> bytes:
        raw = self._spool.read(self._position, min(READ_BYTES, self._end - self._position))
        if not raw:
            raise OSError("the blob's file ended before the blob")
        self._position += len(raw)
        if self._decoder is None:
            return raw
        data = self._decoder.feed(raw)
        return data + self._decoder.end() if self._position == self._end else data
