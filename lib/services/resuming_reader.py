"""Reads one output from an offset to its true end, continuing by range when the source breaks off."""

from lib.domain.errors import OutputError
from lib.domain.stored_output import OutputFault
from lib.ports.storage import OutputSource, OutputStream


class OutputChangedError(Exception):
    """What the source gives now does not continue what was read before: begin again from zero."""


class ResumingReader:
    """One output as bytes; `position` counts from the output's beginning.

    `total` and `validator` are what the source said when it was first opened. At most `resumes` times a
    broken download is continued; then the retryable error passes. An empty output, or one longer than
    `max_bytes` by its own word or in fact, is refused.
    """

    def __init__(
        self,
        source: OutputSource,
        url: str,
        *,
        max_bytes: int,
        resumes: int,
        start: int = 0,
        total: int | None = None,
        validator: str | None = None,
    ) -> None:
        self._source, self._url = source, url
        self._max_bytes, self._resumes_left = max_bytes, resumes
        self.position, self.total, self.validator = start, total, validator
        self._stream: OutputStream | None = None
        self._opened_once = start > 0

    def read(self, limit: int) -> bytes:
        """The next bytes, at most `limit`; empty only at the true end. `OutputError`, `OutputChangedError`."""
        while True:
            try:
                data = self._read_once(limit)
            except OutputError as error:
                if not error.retryable or not self._opened_once or self._resumes_left <= 0:
                    raise
                self._give_up_stream()
                continue
            if data:
                return self._take(data)
            if self._at_end():
                return b""
            self._require_resumes_left()
            self._give_up_stream()

    def close(self) -> None:
        """Let go of the source."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _read_once(self, limit: int) -> bytes:
        if self._opened_once and self.position == self.total:
            return b""
        if self._stream is None:
            self._open()
        return self._stream.read(limit) if self._stream is not None else b""

    def _open(self) -> None:
        stream = self._source.open(self._url, self.position, self.validator)
        self._stream = stream
        if not self._opened_once:
            self.total, self.validator = stream.total, stream.validator
            self._opened_once = True
            self._check_size(self.total or 0)
        elif stream.start != self.position or self._differs(stream):
            raise OutputChangedError

    def _differs(self, stream: OutputStream) -> bool:
        """Whether the source tells that this is another file, or cannot tell that it is the same one."""
        if self.total is None and self.validator is None:
            return self.position > 0
        other_total = self.total is not None and stream.total not in (None, self.total)
        other_version = self.validator is not None and stream.validator not in (None, self.validator)
        return other_total or other_version

    def _take(self, data: bytes) -> bytes:
        self.position += len(data)
        self._check_size(self.position)
        return data

    def _check_size(self, size: int) -> None:
        if size > self._max_bytes:
            message = f"The output has {size} bytes or more; at most {self._max_bytes} are stored."
            raise OutputError(message, code=OutputFault.TOO_LARGE)

    def _at_end(self) -> bool:
        if self.total is not None and self.position < self.total:
            return False
        if self.position == 0:
            raise OutputError("The output is empty: it has no bytes.", code=OutputFault.EMPTY)
        return True

    def _require_resumes_left(self) -> None:
        if self._resumes_left <= 0:
            message = f"The output ended after {self.position} of {self.total} bytes, again and again."
            raise OutputError(message, code=OutputFault.UNAVAILABLE, retryable=True)

    def _give_up_stream(self) -> None:
        self._resumes_left -= 1
        self.close()
