"""Answers to queries, kept for a while: in this process's memory, and in Redis where there is one."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from lib.domain.cache_keys import EVERYTHING, Target
from lib.domain.cache_stats import CacheStats
from lib.ports.query_store import Look, QueryStore
from lib.services.cache_tally import CacheTally
from lib.services.cached_values import CachedValues
from lib.services.computation import Computation
from lib.services.recent_values import RecentValues
from lib.services.shared_values import SharedValues

NEAR_SECONDS = 2.0  # a value's life in memory where other processes may invalidate it
PATIENCE_SECONDS = 10.0  # how long a thread waits for another thread's computation
PEER_SECONDS = 1.0  # how long a process waits for another process's computation
LEAD_SECONDS = 10.0  # after so long the others think that the process that computes has died
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.01, 0.1


class QueryCache:
    """Never fails or holds up a request by itself: what is away is counted and done without.

    Keys are paths, `jobs:{user}:page:{hash}`; see `lib/domain/cache_keys.py`. Values are JSON, at most 1 MB of it
    (larger ones are not kept): every reader gets a copy of its own, as JSON gives it back (a tuple is a list).

    **How old a value can be.** Invalidate after the commit. From then on this process does not serve what was there
    before; no other process does so in a call that begins more than `near_seconds` (2 s) after the invalidation
    returned True. Values in memory beside Redis live that long at most, also while Redis is away, and a computation
    that an invalidation overtook is not kept:

        process A   get_or_set: stamp a, computes from the old row .......... keeps with stamp a: refused
        process B                   commits a new row, invalidates: stamp a has passed

    Without a store (memory alone) there is nobody else, and values live their whole life.

    Args:
        store: what processes share; None for memory alone.
        max_size: values in memory at most (CACHE_MAX_SIZE).
        ttl_seconds: the life of a value, unless its call says otherwise (CACHE_TTL_SECONDS).
        on_outage: told the store's name each time that it fails.
        clock: epoch seconds. Not the monotonic clock, which may stand still while a function is frozen.
        pause: waits for so many seconds.
    """

    def __init__(
        self,
        store: QueryStore | None = None,
        *,
        max_size: int = 1000,
        ttl_seconds: float = 300,
        on_outage: Callable[[str], None] = lambda _name: None,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
        near_seconds: float = NEAR_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        peer_seconds: float = PEER_SECONDS,
    ) -> None:
        self._max_size = max_size
        self._ttl_seconds = ttl_seconds
        self._clock = clock
        self._pause = pause
        self._near_seconds = near_seconds if store else float("inf")
        self._patience_seconds = patience_seconds
        self._peer_seconds = peer_seconds
        self._tally = CacheTally()
        self._shared = SharedValues(store, self._tally, on_outage) if store else None
        self._values = CachedValues(
            RecentValues(max_size), self._shared, self._tally, near_seconds=self._near_seconds, clock=clock
        )
        self._computations: dict[str, Computation] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> Any:
        """The value, or None where there is none (a kept null looks the same)."""
        text = self._values.find(key)
        return None if text is None else json.loads(text)

    def set(self, key: str, value: Any, ttl: float | None = None) -> None:
        """Keep the value for `ttl` seconds; 0 or less keeps nothing.

        It must have been read after the last invalidation; for the answer to a query `get_or_set` sees to that.

        Raises:
            TypeError, ValueError: the value is not JSON.
        """
        text, life = _encode(value), self._life(ttl)
        with self._values.watching(key) as watch:
            read_at = self._clock()
            look = self._begin(key, "", life)
            self._values.keep(watch, text, life, read_at=read_at, look=look)

    def get_or_set(self, key: str, compute: Callable[[], Any], ttl: float | None = None) -> Any:
        """The value; computed, if there is none, once for all who ask meanwhile.

        Threads of this process wait for the one that computes and get its value or its error (which is not kept).
        Another process waits `peer_seconds` at most, then computes too; so does a thread after `patience_seconds`.

        Raises:
            TypeError, ValueError: what was computed is not JSON.
            Exception: whatever `compute` raises.
        """
        arrived_at = self._clock()
        text = self._values.find(key)
        while text is None:
            computation, new = self._join(key)
            if new:
                text = self._compute(key, compute, self._life(ttl), computation)
            elif computation.mine or not computation.wait(self._patience_seconds):
                text = self._call(compute)
            else:
                text = self._outcome(computation, arrived_at)
        return json.loads(text)

    def invalidate(self, *keys: str) -> bool:
        """Forget these keys; whether every process does. False: Redis is away, and is told when it is back."""
        return self._forget([Target.key(key) for key in keys])

    def invalidate_prefix(self, *prefixes: str) -> bool:
        """Forget these and all keys below them (`job:1` covers `job:1:details`, not `job:12`), as `invalidate` does.

        One round trip whatever the number of keys below: nothing is searched for.
        """
        return self._forget([Target.prefix(prefix) for prefix in prefixes])

    def clear(self) -> bool:
        """Forget everything, as `invalidate` does."""
        return self._forget([EVERYTHING])

    def stats(self) -> CacheStats:
        """What this process's cache has done so far."""
        return self._tally.stats(size=self._values.size(), max_size=self._max_size)

    def _forget(self, targets: list[Target]) -> bool:
        """Who comes now does not join a computation that has begun before."""
        everywhere = self._values.forget(targets)
        with self._lock:
            for key in [key for key in self._computations if any(target.covers(key) for target in targets)]:
                del self._computations[key]
        return everywhere

    def _join(self, key: str) -> tuple[Computation, bool]:
        """The computation of the key that is under way, or else a new one, and whether it is new.

        A value that came into memory since this thread looked counts as a computation that has ended.
        """
        with self._lock:
            found = self._computations.get(key)
            if found is not None:
                return found, False
            computation = Computation(self._clock())
            computation.text = self._values.recent(key)
            if computation.text is not None:
                computation.end()
                return computation, False
            self._computations[key] = computation
            return computation, True

    def _outcome(self, computation: Computation, arrived_at: float) -> str | None:
        """What another's computation came to; None: ask again.

        One that began long ago, and that another process may have overtaken before this caller came, does not do.
        """
        if computation.error is not None:
            raise computation.error
        if not computation.confirmed and arrived_at - computation.begun_at > self._near_seconds:
            return None
        self._tally.count("joins", int(computation.text is not None))
        return computation.text

    def _compute(self, key: str, compute: Callable[[], Any], life: float, computation: Computation) -> str:
        """The value, by this thread, told to all who wait for it."""
        try:
            computation.text, computation.confirmed = self._led(key, compute, life, computation)
            return computation.text
        except Exception as error:
            computation.error = error
            raise
        finally:
            with self._lock:
                if self._computations.get(key) is computation:
                    del self._computations[key]
            computation.end()

    def _led(
        self, key: str, compute: Callable[[], Any], life: float, computation: Computation
    ) -> tuple[str, bool]:
        """The value, by this process or another one, and whether no invalidation overtook it."""
        token = uuid4().hex
        with self._values.watching(key) as watch:
            look = self._lead(key, token, life)
            if look is not None and look.value is not None:
                self._tally.count("joins")
                return look.value, True
            computation.begun_at = self._clock()
            try:
                text = self._call(compute)
            except BaseException:
                if self._shared and look and look.leads:
                    self._shared.release(key, token)
                raise
            return text, self._values.keep(
                watch, text, life, read_at=computation.begun_at, look=look, token=token
            )

    def _lead(self, key: str, token: str, life: float) -> Look | None:
        """Wait, not for long, until another process has computed the value or this one leads; None: store away."""
        waited, pause = 0.0, FIRST_PAUSE_SECONDS
        while True:
            look = self._begin(key, token, life)
            if look is None or look.leads or look.value is not None or waited >= self._peer_seconds:
                return look
            self._pause(pause)
            waited, pause = waited + pause, min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _begin(self, key: str, token: str, life: float) -> Look | None:
        if self._shared is None:
            return None
        return self._shared.begin(key, token=token, lock_seconds=LEAD_SECONDS, life_seconds=life)

    def _call(self, compute: Callable[[], Any]) -> str:
        self._tally.count("computations")
        return _encode(compute())

    def _life(self, ttl: float | None) -> float:
        return self._ttl_seconds if ttl is None else ttl


def _encode(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
