"""Publishing a transition to the mirrors."""

from collections.abc import Callable, Sequence
from datetime import datetime

from lib.domain.snapshot import JobSnapshot
from lib.ports.tier import Tier, TierUnavailableError


class Mirrors:
    """All mirrors of the record. One that is away is told to `on_outage` by its name; reads heal it later."""

    def __init__(self, tiers: Sequence[Tier], *, on_outage: Callable[[str], None]) -> None:
        self._tiers = tuple(tiers)
        self._on_outage = on_outage

    def publish(self, snapshot: JobSnapshot, now: datetime) -> None:
        """Offer a committed snapshot to every mirror. Never raises for one that is away."""
        for tier in self._tiers:
            try:
                tier.write(snapshot, now)
            except TierUnavailableError:
                self._on_outage(tier.name)
