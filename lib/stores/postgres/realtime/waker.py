"""Waiting for sockets and for other threads at once."""

import os
import select
import threading
from contextlib import suppress


def ready(descriptors: list[int], seconds: float) -> set[int]:
    """Those with something to read, or with an end, within so many seconds; any number of files may be open."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in poll.poll(max(0.0, seconds) * 1000)}


class Waker:
    """Ends a wait from another thread; a wait that has not begun yet ends at once."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._lock = threading.Lock()
        self._closed = False

    def fileno(self) -> int:
        """What to wait for."""
        return self._reader

    def wake(self) -> None:
        """End the wait. Harmless after `close`."""
        with self._lock, suppress(BlockingIOError):  # full: it is awake more than enough
            if not self._closed:
                os.write(self._writer, b"!")

    def wait(self, seconds: float) -> None:
        """Wait for `wake`, at most so long."""
        ready([self._reader], seconds)
        self.clear()

    def clear(self) -> None:
        """Forget what came so far."""
        with suppress(BlockingIOError):
            while os.read(self._reader, 4096):
                pass

    def close(self) -> None:
        """Nobody waits any more. By whoever waited."""
        with self._lock:
            self._closed = True
            os.close(self._reader)
            os.close(self._writer)
