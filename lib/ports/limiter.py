"""Who decides whether a caller asked too often."""

from datetime import datetime
from typing import Protocol

from lib.ports.cache import RateDecision


class Limiter(Protocol):
    """The counting part of a SharedCache, or an in-process stand-in for it."""

    def count(self, key: str, limit: int, window_seconds: int, now: datetime) -> RateDecision:
        """Count one use of `key` in the fixed window that `now` lies in; refused uses are not counted."""
