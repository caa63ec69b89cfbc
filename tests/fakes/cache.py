"""A shared cache in a dict."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from lib.ports.cache import RateDecision
from lib.ports.tier import TierUnavailableError
from lib.stores.fixed_window import decide, window_start


class FakeCache:
    """`values` is its state: key -> (value, end of life); set `down` to make it fail."""

    def __init__(self, name: str = "fake") -> None:
        self.name = name
        self.values: dict[str, tuple[Mapping[str, Any], datetime]] = {}
        self.uses: dict[tuple[str, int], int] = {}
        self.down = False
        self._lock = Lock()

    def get(self, key: str, now: datetime) -> Mapping[str, Any] | None:
        """See the port."""
        self._must_be_up()
        value, ends_at = self.values.get(key, (None, now))
        return value if ends_at > now else None

    def put(self, key: str, value: Mapping[str, Any], life_seconds: float, now: datetime) -> None:
        """See the port."""
        self._must_be_up()
        self.values[key] = (dict(value), now + timedelta(seconds=life_seconds))

    def put_if_absent(self, key: str, value: Mapping[str, Any], life_seconds: float, now: datetime) -> bool:
        """See the port."""
        with self._lock:
            if self.get(key, now) is not None:
                return False
            self.put(key, value, life_seconds, now)
            return True

    def delete(self, key: str) -> None:
        """See the port."""
        self._must_be_up()
        self.values.pop(key, None)

    def count(self, key: str, limit: int, window_seconds: int, now: datetime) -> RateDecision:
        """See the port."""
        self._must_be_up()
        window = (key, window_start(now, window_seconds))
        with self._lock:
            uses = self.uses.get(window, 0)
            allowed = uses < limit
            self.uses[window] = uses = uses + allowed
        return decide(allowed=allowed, uses=uses, limit=limit, window_seconds=window_seconds, now=now)

    def _must_be_up(self) -> None:
        if self.down:
            raise TierUnavailableError(f"{self.name} is down")
