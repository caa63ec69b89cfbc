"""Whether the gateway works, asked of what it cannot do without."""

from collections.abc import Callable

from lib.domain.health import Health

__all__ = ["KEPT_SECONDS", "CheckHealth", "Health"]

KEPT_SECONDS = 2.0


class CheckHealth:
    """Asks the record and Redis, at most once in `KEPT_SECONDS`: the answer is public, and must cost little.

    Each probe says whether its part works and never raises; `redis` is None where there is no Redis by setting.
    """

    def __init__(
        self,
        record: Callable[[], bool],
        redis: Callable[[], bool] | None,
        monotonic: Callable[[], float],
    ) -> None:
        self._record = record
        self._redis = redis
        self._monotonic = monotonic
        self._held: tuple[Health, float] | None = None

    def check(self) -> Health:
        """How the gateway does."""
        now = self._monotonic()
        if self._held is not None and now - self._held[1] < KEPT_SECONDS:
            return self._held[0]
        health = self._ask()
        self._held = (health, now)
        return health

    def _ask(self) -> Health:
        if not self._record():
            return Health.UNHEALTHY
        return Health.HEALTHY if self._redis is None or self._redis() else Health.DEGRADED
