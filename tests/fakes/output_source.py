"""A provider's file server in memory, which can break off, ignore ranges, change its mind or go away."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lib.domain.errors import OutputError
from lib.domain.stored_output import OutputFault
from lib.ports.storage import OutputStream


@dataclass
class FakeSource:
    """One output. Each opening takes the next of `breaks`: so many bytes are sent, then `how` it ends.

    `opened` notes the offset of each opening. `tells_total` False is a chunked answer.
    """

    body: bytes
    validator: str | None = '"v1"'
    breaks: list[int] = field(default_factory=list)
    breaks_silently: bool = False
    honours_ranges: bool = True
    tells_total: bool = True
    refusal: OutputError | None = None
    opened: list[int] = field(default_factory=list)
    closed: int = 0

    def open(self, url: str, start: int = 0, validator: str | None = None) -> OutputStream:
        self.opened.append(start)
        if self.refusal is not None:
            raise self.refusal
        same = validator is None or validator == self.validator
        begin = start if self.honours_ranges and same else 0
        return _Stream(self, begin, self.breaks.pop(0) if self.breaks else None)


class _Stream:
    def __init__(self, source: FakeSource, start: int, breaks_after: int | None) -> None:
        self._source, self._position, self._left = source, start, breaks_after
        self.start = start
        self.total = len(source.body) if source.tells_total else None
        self.validator = source.validator

    def read(self, limit: int) -> bytes:
        if self._left == 0:
            if self._source.breaks_silently:
                return b""
            raise unavailable()
        limit = limit if self._left is None else min(limit, self._left)
        data = self._source.body[self._position : self._position + limit]
        self._position += len(data)
        if self._left is not None:
            self._left -= len(data)
        return data

    def close(self) -> None:
        self._source.closed += 1


def unavailable() -> OutputError:
    return OutputError(
        "The output cannot be fetched: it broke off.", code=OutputFault.UNAVAILABLE, retryable=True
    )


def stops_after(reads: int) -> Iterator[bool]:
    """For `stop=lambda: next(answers)`: the time is up after so many questions."""
    for _ in range(reads):
        yield False
    while True:
        yield True
