"""What waits to be told to one subscriber, bounded, and told in order by one thread at a time."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from lib.stores.postgres.realtime.tally import Tally

log = logging.getLogger(__name__)

TURN = 50  # calls before another subscriber's turn


class Mailbox:
    """Changes for one callback. The reader of the record fills it while it has room; it never blocks anybody.

    Args:
        callback: called with one change at a time.
        on_room: called when there is room again after `has_room` said no.
        tally: where calls are counted.
        page: how many changes one reading of the record brings; it holds two such.
    """

    def __init__(
        self,
        callback: Callable[[Any], object],
        on_room: Callable[[], None],
        tally: Tally,
        page: int,
    ) -> None:
        self._callback = callback
        self._on_room = on_room
        self._tally = tally
        self._page = page
        self._waiting: deque[Any] = deque()
        self._lock = threading.Lock()
        self._in_turn = False
        self._closed = False
        self._was_full = False

    def has_room(self) -> bool:
        """Whether one more page has room; if not, `on_room` is called once it is."""
        with self._lock:
            self._was_full = len(self._waiting) > self._page
            return not self._was_full

    def put(self, changes: Iterable[Any]) -> bool:
        """Add changes; whether somebody must be found to `tell` them now."""
        with self._lock:
            if self._closed:
                return False
            self._waiting.extend(changes)
            if self._in_turn or not self._waiting:
                return False
            self._in_turn = True
            return True

    def tell(self) -> bool:
        """Call the callback for some of what waits; whether there is more. For one thread at a time."""
        for _ in range(TURN):
            with self._lock:
                if not self._waiting:
                    self._in_turn = False
                    return False
                change = self._waiting.popleft()
                room_again = self._was_full and len(self._waiting) <= self._page
                self._was_full = self._was_full and not room_again
            if room_again:
                self._on_room()
            self._call(change)
        return True

    def close(self) -> None:
        """Forget what waits: no change is taken for a call after this."""
        with self._lock:
            self._closed = True
            self._waiting.clear()

    def _call(self, change: Any) -> None:
        try:
            self._callback(change)
        except Exception:
            log.exception("a subscriber failed on a change", extra={"jobId": change.job_id})
            self._tally.add(failures=1)
        else:
            self._tally.add(deliveries=1)
