"""The two tiers of the query cache, memory above a shared store, and what an invalidation does to both."""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lib.domain.cache_keys import Target
from lib.ports.query_store import Look
from lib.services.cache_tally import CacheTally
from lib.services.recent_values import RecentValues
from lib.services.shared_values import SharedValues

MAX_VALUE_BYTES = 1024 * 1024


@dataclass(eq=False)
class Watch:
    """Somebody is about to keep a value of this key; `overtaken` once an invalidation of this process covers it."""

    key: str
    overtaken: bool = False


class CachedValues:
    """Texts by key. Never raises for a store that is away.

    Args:
        near_seconds: the longest life in memory, counted from the moment when the value was surely not invalidated
            by anybody; infinite where nobody else invalidates.
    """

    def __init__(
        self,
        memory: RecentValues,
        shared: SharedValues | None,
        tally: CacheTally,
        *,
        near_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self.shared = shared
        self._memory = memory
        self._tally = tally
        self._near_seconds = near_seconds
        self._clock = clock
        self._watches: set[Watch] = set()
        self._lock = threading.Lock()

    def recent(self, key: str) -> str | None:
        """The text in memory."""
        with self._lock:
            return self._memory.get(key, self._clock())

    def find(self, key: str) -> str | None:
        """The text in memory or in the store; counted where it was found."""
        text = self.recent(key)
        if text is not None:
            self._tally.count("memory_hits")
            return text
        text = self._find_shared(self.shared, key) if self.shared else None
        self._tally.count("misses" if text is None else "shared_hits")
        return text

    @contextmanager
    def watching(self, key: str) -> Iterator[Watch]:
        """To be begun before a value is read, and ended after it was kept."""
        watch = Watch(key)
        with self._lock:
            self._watches.add(watch)
        try:
            yield watch
        finally:
            with self._lock:
                self._watches.discard(watch)

    def keep(
        self, watch: Watch, text: str, life: float, *, read_at: float, look: Look | None, token: str = ""
    ) -> bool:
        """Keep the text in both tiers, unless it was overtaken; whether it surely was not, by any process.

        `read_at` is a moment at which the value had not been read yet; `look` is from before that, None if the store
        was away.
        """
        if len(text) > MAX_VALUE_BYTES:
            self._tally.count("oversized")
        if life <= 0 or len(text) > MAX_VALUE_BYTES or watch.overtaken:
            self._tally.count("refusals", int(watch.overtaken))
            if self.shared and look and look.leads:
                self.shared.release(watch.key, token)
            return False
        now = self._clock()
        if self.shared is None:
            return self._remember(watch, text, life, since=now)
        kept = self.shared.keep(watch.key, text, life, stamp=look.stamp, token=token) if look else None
        if kept is False:
            self._tally.count("refusals")
            return False
        remembered = self._remember(watch, text, life, since=now if kept else read_at)
        return bool(kept) and remembered

    def forget(self, targets: Collection[Target]) -> bool:
        """Forget all that these cover, in the store first; whether the store did.

        In the other order a thread could carry an old value from the store into the memory between the two:

            this thread      memory forgets                          store forgets
            another thread                   store: old, to memory
        """
        everywhere = self.shared.forget(targets) if self.shared else True
        with self._lock:
            self._memory.drop(lambda key: any(target.covers(key) for target in targets))
            for watch in self._watches:
                watch.overtaken = watch.overtaken or any(target.covers(watch.key) for target in targets)
        self._tally.count("invalidations")
        return everywhere

    def size(self) -> int:
        """How many texts are in memory."""
        with self._lock:
            return len(self._memory)

    def _find_shared(self, shared: SharedValues, key: str) -> str | None:
        with self.watching(key) as watch:
            asked_at = self._clock()
            look = shared.read(key)
            if look is None or look.value is None:
                return None
            self._remember(watch, look.value, look.life_seconds, since=asked_at)
            return look.value

    def _remember(self, watch: Watch, text: str, life: float, *, since: float) -> bool:
        """Put it into memory unless it was overtaken; whether it was not."""
        with self._lock:
            if watch.overtaken:
                return False
            until = since + min(life, self._near_seconds)
            evicted = self._memory.put(watch.key, text, since=since, until=until)
        self._tally.count("evictions", evicted)
        return True
