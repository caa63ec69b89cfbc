"""A limiter in this process alone, for when the shared ones are away."""

import threading
from datetime import datetime

from lib.ports.cache import RateDecision
from lib.stores.fixed_window import decide, window_start

_MAX_KEYS = 10_000


class LocalLimiter:
    """The `Limiter` that is never away. Each process counts for itself, so N processes let N times the limit
    through at most; API Gateway's throttle bounds them all.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uses: dict[tuple[str, int], int] = {}

    def count(self, key: str, limit: int, window_seconds: int, now: datetime) -> RateDecision:
        """Count one use of `key` in the fixed window of `now`; refused uses are not counted. Atomic."""
        window = (key, window_start(now, window_seconds))
        with self._lock:
            uses = self._uses.get(window, 0)
            allowed = uses < limit
            if allowed:
                uses += 1
                self._keep(window, uses)
        return decide(allowed=allowed, uses=uses, limit=limit, window_seconds=window_seconds, now=now)

    def _keep(self, window: tuple[str, int], uses: int) -> None:
        """The window last used goes to the end; the one that was not used longest makes room."""
        self._uses.pop(window, None)
        self._uses[window] = uses
        if len(self._uses) > _MAX_KEYS:
            del self._uses[next(iter(self._uses))]
