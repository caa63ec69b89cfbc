"""The thread that listens: one connection, LISTEN before any look, and a new connection whenever it breaks."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

import psycopg

from lib.domain.actor import Actor
from lib.domain.errors import GatewayError
from lib.stores.postgres.realtime.doorbells import Doorbells
from lib.stores.postgres.realtime.line import Line
from lib.stores.postgres.realtime.look import Look
from lib.stores.postgres.realtime.pace import Pace, backoff_seconds
from lib.stores.postgres.realtime.tally import Tally
from lib.stores.postgres.realtime.waker import Waker
from lib.stores.postgres.realtime.watch import Watch

log = logging.getLogger(__name__)


class Listener:
    """Keeps watches up to date until it is closed.

    LISTEN is said before the first look of each connection: what commits before the look is found by it, what commits
    after it rings. The other way round, what commits in between would wait for the fallback.

    Args:
        url: gives the connection string, again for each connection.
        actor: for whom the record is read.
        watches: those that there are at this moment.
        tally: counts doorbells, looks, rows, reconnects and rewinds.
    """

    def __init__(
        self,
        url: Callable[[], str],
        actor: Actor | None,
        watches: Callable[[], Sequence[Watch]],
        tally: Tally,
        pace: Pace,
    ) -> None:
        self._url = url
        self._actor = actor
        self._watches = watches
        self._tally = tally
        self._pace = pace
        self._look = Look(tally, pace.page)
        self._waker = Waker()
        self._closing = False
        self._line: Line | None = None
        self._failures = 0
        self._connected_before = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="realtime-listener")
        self._thread.start()

    @property
    def connected(self) -> bool:
        """Whether it listens, as far as is known."""
        return self._line is not None

    def wake(self) -> None:
        """Have it look soon: there is a new watch, or room again."""
        self._waker.wake()

    def close(self, seconds: float) -> None:
        """End the thread, and wait at most so long."""
        self._closing = True
        self._waker.wake()
        self._thread.join(seconds / 2)
        line = self._line
        if line is not None and self._thread.is_alive():
            line.cut()  # the server does not answer
        self._thread.join(seconds / 2)

    def _run(self) -> None:
        while not self._closing:
            try:
                self._listen()
            except Exception as error:  # noqa: BLE001 - whatever it was, subscribers wait for the next connection
                if not self._closing:
                    self._pause(error)
        self._waker.close()

    def _pause(self, error: Exception) -> None:
        self._failures += 1
        seconds = backoff_seconds(self._failures)
        facts = {"error": type(error).__name__, "failures": self._failures, "seconds": round(seconds, 2)}
        trace = None if _is_usual(error) else error  # that of a usual one tells nothing but the address
        log.warning("the record cannot be listened to; trying again", extra=facts, exc_info=trace)
        until = time.monotonic() + seconds
        while not self._closing and (left := until - time.monotonic()) > 0:
            self._waker.wait(left)

    def _listen(self) -> None:
        doorbells = Doorbells()
        line = Line(self._url(), doorbells, self._actor, self._pace)
        try:
            if self._connected_before:
                self._tally.add(reconnects=1)
            self._connected_before = True
            self._line = line
            self._serve(line, doorbells)
        finally:
            self._line = None
            line.close()

    def _serve(self, line: Line, doorbells: Doorbells) -> None:
        full_at = 0.0
        while not self._closing:
            watches = self._watches()
            if time.monotonic() >= full_at:
                full_at = time.monotonic() + self._pace.fallback_seconds
                for watch in watches:
                    watch.doubt()
            self._hear(doorbells.take(), watches)
            self._look.once(line, watches)
            self._failures = 0
            self._wait(line, doorbells, time.monotonic(), full_at)

    def _hear(self, rung: Doorbells, watches: Sequence[Watch]) -> None:
        self._tally.add(doorbells=rung.count)
        for watch in watches:
            watch.hear(rung)

    def _wait(self, line: Line, doorbells: Doorbells, looked_at: float, full_at: float) -> None:
        """Until there is a reason to look. A new watch is one at once; after doorbells more of them are awaited."""
        until = full_at
        collecting = False
        while not self._closing and not any(watch.wants_more() for watch in self._watches()):
            if doorbells and not collecting:
                collecting = True
                soonest = looked_at + 1 / self._pace.events_per_second
                until = min(full_at, max(soonest, time.monotonic() + self._pace.collect_seconds))
            if time.monotonic() >= until:
                return
            line.wait(self._waker, until - time.monotonic())


def _is_usual(error: Exception) -> bool:
    """Whether it is a record that is away, and not a fault of this code."""
    return isinstance(error, psycopg.Error | TimeoutError | GatewayError)
