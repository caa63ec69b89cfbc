"""What tests of the traffic to providers share."""

from datetime import UTC, datetime, timedelta

from lib.domain.provider import AdapterTraits, Credential, RateLimit, SubmitSafety

START = datetime(2026, 11, 21, tzinfo=UTC)
KEY = Credential("replicate", "r8_secret")


def traits(limit: RateLimit | None = None) -> AdapterTraits:
    """Of a provider with this limit."""
    return AdapterTraits(submit_safety=SubmitSafety.NONE, rate_limit=limit)


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
