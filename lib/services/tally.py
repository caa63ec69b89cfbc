"""Counts what was moved in one direction: bytes, the time it took, and the processor time of those who moved them."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from lib.domain.errors import GatewayError


class Stopwatch:
    """The time since its making, and the moments that belong to it."""

    def __init__(self, begun: datetime, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.begun, self._monotonic = begun, monotonic
        self._zero = monotonic()

    def seconds(self) -> float:
        """Seconds since its making; never fewer than before."""
        return self._monotonic() - self._zero

    def moment(self, seconds: float) -> datetime:
        """The moment so many seconds after its making."""
        return self.begun + timedelta(seconds=seconds)


class Tally:
    """What was moved one way. Movements of several threads may overlap: their time counts once.

    part 1   |--------|
    part 2        |--------|      seconds: from the first bar's begin to the second bar's end
    """

    def __init__(self, watch: Stopwatch) -> None:
        self._watch = watch
        self._lock = threading.Lock()
        self._active = 0
        self._since = 0.0
        self.calls, self.bytes = 0, 0
        self.seconds, self.cpu_seconds, self.ended = 0.0, 0.0, 0.0
        self.error_code: str | None = None

    def begin(self) -> float:
        """Somebody begins to move something; what it gives belongs to `end`."""
        with self._lock:
            if not self._active:
                self._since = self._watch.seconds()
            self._active += 1
            self.calls += 1
        return time.thread_time()

    def end(self, begun: float, moved: int, error_code: str | None = None) -> None:
        """The same thread has moved so many bytes, or has failed; a success forgets an earlier failure."""
        cpu_seconds = time.thread_time() - begun
        with self._lock:
            self._active -= 1
            self.bytes += moved
            self.cpu_seconds += cpu_seconds
            self.error_code = error_code
            if not self._active:
                self.ended = self._watch.seconds()
                self.seconds += self.ended - self._since

    @contextmanager
    def moving(self, size: int = 0) -> Iterator[None]:
        """So many bytes are moved while the block lasts; an error that leaves it is its failure."""
        begun = self.begin()
        try:
            yield
        except Exception as error:
            self.end(begun, 0, code_of(error))
            raise
        self.end(begun, size)


def code_of(error: BaseException) -> str:
    """A failure's word for machines."""
    return error.code if isinstance(error, GatewayError) else type(error).__name__
