"""Publishing a transition to the mirrors."""

from collections.abc import Callable, Sequence
from datetime import datetime

from lib.domain.snapshot import JobSnapshot
from lib.ports.tier import Tier, TierUnavailableError


class Mirrors:
    """All mirrors of the record. One that is away is told to `on_outage` by its name."""

    def __init__(self, tiers: Sequence[Tier], *, on_outage: Callable[[str], None]) -> None:
        self._tiers = tuple(tiers)
        self._on_outage = on_outage

    def publish(self, snapshot: JobSnapshot, now: datetime) -> tuple[str, ...]:
        """Offer a committed snapshot to every mirror. Never raises for one that is away.

        Returns the names of the mirrors that are behind now: they believe an older version for as long as they
        trust it (Redis 5 s, DynamoDB 30 s), unless `MirrorHealer` is sent after them.
        """
        return tuple(tier.name for tier in self._tiers if not self._offer(tier, snapshot, now))

    def _offer(self, tier: Tier, snapshot: JobSnapshot, now: datetime) -> bool:
        try:
            tier.write(snapshot, now)
        except TierUnavailableError:
            self._on_outage(tier.name)
            return False
        return True
