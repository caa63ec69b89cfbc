"""What a function saw and workers are to write down: told through the queue, since the function may not write it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from lib.domain.errors import UnavailableError
from lib.ports.queue import WorkQueue

PAUSE = timedelta(seconds=10)


class WorkerNotes:
    """Sends notes; one that the queue does not take is lost, and counted as `NoteLost` with its kind.

    A queue that failed is left alone for ten seconds, so that an outage costs a request its time limit now and then,
    not each time. `queue` is called at the first note.
    """

    def __init__(
        self, queue: Callable[[], WorkQueue], count: Callable[..., None], clock: Callable[[], datetime]
    ) -> None:
        self._queue = queue
        self._count = count
        self._clock = clock
        self._left_alone_until: datetime | None = None

    def send(self, note: Mapping[str, Any], *, group: str) -> None:
        """Send the message, whose `kind` says what is to be done. Never raises for a queue that is away."""
        now = self._clock()
        if self._left_alone_until is None or now >= self._left_alone_until:
            try:
                self._queue().send(note, group=group)
            except UnavailableError:
                self._left_alone_until = now + PAUSE
            else:
                return
        self._count("NoteLost", kind=str(note["kind"]))
