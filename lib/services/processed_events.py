"""Which webhooks were worked through: `webhook:processed:{provider}:{webhook-id}` in the shared cache."""

from collections.abc import Callable
from datetime import datetime

from lib.domain.snapshot import format_time
from lib.ports.cache import SharedCache
from lib.ports.tier import TierUnavailableError

LIFE_SECONDS = 24 * 3600


class ProcessedWebhooks:
    """Remembers for a day. With the cache away nothing is known: a webhook is applied again, harmlessly."""

    def __init__(self, cache: SharedCache, *, on_outage: Callable[[str], None]) -> None:
        self._cache = cache
        self._on_outage = on_outage

    def seen(self, provider: str, webhook_id: str, now: datetime) -> bool:
        """Whether this webhook was worked through before."""
        try:
            return self._cache.get(_key(provider, webhook_id), now) is not None
        except TierUnavailableError:
            self._on_outage(self._cache.name)
            return False

    def mark(self, provider: str, webhook_id: str, now: datetime) -> None:
        """It was worked through now."""
        try:
            self._cache.put(_key(provider, webhook_id), {"at": format_time(now)}, LIFE_SECONDS, now)
        except TierUnavailableError:
            self._on_outage(self._cache.name)


def _key(provider: str, webhook_id: str) -> str:
    return f"webhook:processed:{provider}:{webhook_id}"
