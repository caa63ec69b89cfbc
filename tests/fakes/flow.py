"""What tests of the traffic to providers share."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from lib.domain.provider import AdapterTraits, Credential, RateLimit, SubmitSafety
from lib.domain.snapshot import JobSnapshot

START = datetime(2026, 11, 21, tzinfo=UTC)
KEY = Credential("replicate", "r8_secret")


def traits(limit: RateLimit | None = None) -> AdapterTraits:
    """Of a provider with this limit."""
    return AdapterTraits(submit_safety=SubmitSafety.NONE, rate_limit=limit)


class FakeJournal:
    """Keeps what it is told: `counts` of each name, and `events`."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.events: list[str] = []

    def transition(self, event: str, job: JobSnapshot) -> None:
        """See the port."""

    def note(self, event: str, job_id: str | None = None, **facts: str | float | bool | None) -> None:
        """See the port."""
        self.events.append(event)

    def count(self, name: str, **dimensions: str) -> None:
        """See the port."""
        self.counts[name] += 1

    def webhook_latency(self, job: JobSnapshot, seconds: float) -> None:
        """See the port."""


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """The moment."""
        return self.now

    def move(self, seconds: float) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)
