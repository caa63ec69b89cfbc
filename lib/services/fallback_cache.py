"""Several shared caches as one that survives the loss of any of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from lib.ports.cache import RateDecision, SharedCache
from lib.ports.limiter import Limiter
from lib.ports.tier import TierUnavailableError

LENT_SECONDS = 60


class FallbackCache:
    """The `SharedCache` over others, fastest first; those that are away are told to `on_outage` by name.

    Values go to all of them, so that what one loses another still has. Claims and counts go to the first that
    answers: after a change of place they begin anew, which their users bear (consumers are idempotent, a limit
    is generous once). Counting never fails: at last `limiter` counts, in this process.
    """

    name = "cache"

    def __init__(
        self, caches: Sequence[SharedCache], limiter: Limiter, *, on_outage: Callable[[str], None]
    ) -> None:
        self._caches = tuple(caches)
        self._limiter = limiter
        self._on_outage = on_outage

    def get(self, key: str, now: datetime) -> Mapping[str, Any] | None:
        """The value of the first cache that has one; those before it that had none are lent it for a minute.

        Raises TierUnavailableError if all are away.
        """
        without: list[SharedCache] = []
        for cache in self._caches:
            with self._counted(cache):
                value = cache.get(key, now)
                if value is not None:
                    self._lend(without, key, value, now)
                    return value
                without.append(cache)
        if not without:
            raise self._all_away()
        return None

    def put(self, key: str, value: Mapping[str, Any], life_seconds: float, now: datetime) -> None:
        """Keep the value in all caches. Raises TierUnavailableError if all are away."""
        self._in_all(lambda cache: cache.put(key, value, life_seconds, now))

    def put_if_absent(self, key: str, value: Mapping[str, Any], life_seconds: float, now: datetime) -> bool:
        """Keep the value in the first cache that answers, unless it is there; whether it was kept."""
        for cache in self._caches:
            with self._counted(cache):
                return cache.put_if_absent(key, value, life_seconds, now)
        raise self._all_away()

    def delete(self, key: str) -> None:
        """Forget the key in all caches. Raises TierUnavailableError if all are away."""
        self._in_all(lambda cache: cache.delete(key))

    def count(self, key: str, limit: int, window_seconds: int, now: datetime) -> RateDecision:
        """Count one use in the first cache that answers, else in this process. Never raises."""
        for cache in self._caches:
            with self._counted(cache):
                return cache.count(key, limit, window_seconds, now)
        return self._limiter.count(key, limit, window_seconds, now)

    def _lend(self, caches: Sequence[SharedCache], key: str, value: Mapping[str, Any], now: datetime) -> None:
        for cache in caches:
            with self._counted(cache):
                cache.put_if_absent(key, value, LENT_SECONDS, now)

    def _in_all(self, action: Callable[[SharedCache], None]) -> None:
        reached = 0
        for cache in self._caches:
            with self._counted(cache):
                action(cache)
                reached += 1
        if not reached:
            raise self._all_away()

    @contextmanager
    def _counted(self, cache: SharedCache) -> Iterator[None]:
        try:
            yield
        except TierUnavailableError:
            self._on_outage(cache.name)

    @staticmethod
    def _all_away() -> TierUnavailableError:
        return TierUnavailableError("every shared cache is away")
