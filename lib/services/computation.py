"""One computation of a cached value, which all threads that want the value meanwhile wait for."""

import threading


class Computation:
    """Begun by one thread, ended by it with a value, an error, or neither (it was interrupted: ask again).

    Args:
        begun_at: when, in seconds of the cache's clock; what was read of the record is not older.
    """

    def __init__(self, begun_at: float) -> None:
        self.begun_at = begun_at
        self.confirmed = False  # at its end no invalidation of any process had overtaken it
        self.text: str | None = None
        self.error: Exception | None = None
        self._owner = threading.get_ident()
        self._ended = threading.Event()

    @property
    def mine(self) -> bool:
        """Whether this thread is computing it: then waiting for it would never end."""
        return self._owner == threading.get_ident() and not self._ended.is_set()

    def end(self) -> None:
        """Wake up all who wait."""
        self._ended.set()

    def wait(self, seconds: float) -> bool:
        """Whether it ended within so long."""
        return self._ended.wait(seconds)
