"""Counts that several threads add to."""

import threading
from collections import Counter


class Tally:
    """Named counts, each from 0."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, **more: int) -> None:
        """Add to counts by their names."""
        with self._lock:
            self._counts.update(more)

    def of(self, name: str) -> int:
        """The count of that name."""
        with self._lock:
            return self._counts[name]
