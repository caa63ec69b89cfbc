"""The counters of the query cache, safe between threads."""

import threading
from collections import Counter

from lib.domain.cache_stats import CacheStats

_COUNTED = tuple(name for name in CacheStats.__dataclass_fields__ if name not in {"size", "max_size"})


class CacheTally:
    """Counts what `CacheStats` shows, by its names."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def count(self, name: str, times: int = 1) -> None:
        """So many more of it."""
        with self._lock:
            self._counts[name] += times

    def stats(self, *, size: int, max_size: int) -> CacheStats:
        """The figures of one moment."""
        with self._lock:
            counts = {name: self._counts[name] for name in _COUNTED}
        return CacheStats(**counts, size=size, max_size=max_size)
