"""What one process remembers of a credential's traffic, for a moment: leased tokens and what was shut."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from lib.domain.flow import BOTH_CLOSED, Allowance, Circuits, FlowAsk, FlowReport

FRESH_MS = 1_000
"""For so long a process believes what it was told: it learns at most this late that others were told to wait."""
USED_MS = 300_000
MOST_BROUGHT_ALONG = 8
MOST_NAMES = 1_000


@dataclass
class Lease:
    """Tokens of the shared bucket that this process may use until `until`."""

    tokens: int = 0
    until: int = 0
    size: int = 0
    used: int = 0

    def left(self, now: int) -> int:
        """How many may be used now."""
        return self.tokens if now < self.until else 0

    def next_size(self, now: int, batch: int) -> int:
        """As many as were needed last time; twice as many if they did not last."""
        lasted = self.tokens or now >= self.until
        needed = self.used if lasted else self.size * 2
        return min(batch, max(1, needed))

    def renew(self, granted: int, until: int) -> None:
        """Begin anew with what was granted; what was left is lost, so that it is never used late."""
        self.tokens, self.until, self.size, self.used = granted, until, granted, 0

    def use(self) -> None:
        """One token."""
        self.tokens -= 1
        self.used += 1


@dataclass
class Known:
    """What this process knows of one credential."""

    name: str
    allowance: Allowance | None = None
    lease: Lease = field(default_factory=Lease)
    wait: int = 0
    closed_until: int = 0
    circuits: Circuits = BOTH_CLOSED
    told_at: int = -FRESH_MS
    used_at: int = 0

    def is_fresh(self, now: int) -> bool:
        """Whether it was told a moment ago."""
        return self.told_at <= now < self.told_at + FRESH_MS

    def ask(self, now: int, *, submit: bool) -> FlowAsk:
        """What to ask for: nothing but news where tokens are left, or none are needed."""
        if self.allowance is None or not submit:
            return FlowAsk(self.name)
        want = 0 if self.lease.left(now) else self.lease.next_size(now, self.allowance.batch)
        return FlowAsk(self.name, self.allowance, want)

    def must_ask(self, ask: FlowAsk, now: int) -> bool:
        """Whether the store must be asked: the news are old, or a token is needed and may be there by now."""
        return not self.is_fresh(now) or (ask.want > 0 and now >= self.told_at + self.wait)

    def may_use_a_token(self, now: int) -> bool:
        """Use a token, if there is one; without a limit there always is."""
        if self.allowance is None:
            return True
        if not self.lease.left(now):
            return False
        self.lease.use()
        return True

    def brought_along(self, now: int) -> FlowAsk:
        """As `ask`, ahead of the call: a lease that ends soon is renewed, a token that cannot be kept is not taken."""
        if self.allowance is None or not self.allowance.lease_seconds:
            return FlowAsk(self.name)
        soon = now + FRESH_MS // 2
        want = 0 if self.lease.left(soon) else self.lease.next_size(now, self.allowance.batch)
        return FlowAsk(self.name, self.allowance, want)

    def told(self, report: FlowReport, now: int) -> None:
        """Believe the report. Of a limit without leases the token is for the very call that asked."""
        self.closed_until = max(report.closed_until, self.closed_until)
        self.circuits, self.told_at, self.wait = report.circuits, now, report.wait
        if report.granted and self.allowance is not None:
            self.lease.renew(report.granted, now + max(1, round(self.allowance.lease_seconds * 1000)))


class FlowMemory:
    """What a process knows, by name; threads may share it. Those used longest ago are forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Known] = {}

    @contextmanager
    def of(self, name: str) -> Iterator[Known]:
        """What is known under this name, to be looked at and changed by nobody else meanwhile."""
        with self._lock:
            known = self._known.pop(name, None) or Known(name)
            self._known[name] = known
            if len(self._known) > MOST_NAMES:
                del self._known[next(iter(self._known))]
            yield known

    def used_lately(self, now: int) -> list[FlowAsk]:
        """What to bring along for the few names that were used last."""
        with self._lock:
            latest = list(self._known.values())[: -MOST_BROUGHT_ALONG - 1 : -1]
            return [known.brought_along(now) for known in latest if now - known.used_at < USED_MS]
