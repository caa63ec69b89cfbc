"""An in-process token bucket per provider key, which also keeps the pauses that the provider asks for.

It spares calls that would be refused. It knows only its own process: a limit across processes is elsewhere.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class _Bucket:
    tokens: float
    filled_at: float
    closed_until: float = 0.0


class RateGate:
    """At most `per_minute` passes a minute for each key, `burst` of them at once; threads may share it.

    A key is any string that names a credential, such as `replicate:platform`; never the secret itself.
    """

    def __init__(self, *, per_minute: float, burst: int, monotonic: Callable[[], float]) -> None:
        self._per_second = per_minute / 60
        self._burst = burst
        self._monotonic = monotonic
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def enter(self, key: str) -> float:
        """Return 0.0 and take a token, or return the seconds until one may be had and take nothing."""
        with self._lock:
            now = self._monotonic()
            bucket = self._filled(key, now)
            if bucket.closed_until > now:
                return bucket.closed_until - now
            if bucket.tokens < 1:
                return (1 - bucket.tokens) / self._per_second
            bucket.tokens -= 1
            return 0.0

    def close_for(self, key: str, seconds: float) -> None:
        """Let nobody through for so long: the provider said so. A longer pause that runs stays."""
        with self._lock:
            now = self._monotonic()
            bucket = self._filled(key, now)
            bucket.closed_until = max(bucket.closed_until, now + seconds)

    def _filled(self, key: str, now: float) -> _Bucket:
        bucket = self._buckets.setdefault(key, _Bucket(tokens=float(self._burst), filled_at=now))
        gained = (now - bucket.filled_at) * self._per_second
        bucket.tokens = min(float(self._burst), bucket.tokens + gained)
        bucket.filled_at = now
        return bucket
