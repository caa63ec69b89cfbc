"""Markers of processed webhooks in a set."""

from datetime import datetime


class FakeProcessedEvents:
    """Markers of processed webhooks."""

    def __init__(self) -> None:
        self.marked: set[tuple[str, str]] = set()

    def seen(self, provider: str, webhook_id: str, now: datetime) -> bool:
        """See the port."""
        return (provider, webhook_id) in self.marked

    def mark(self, provider: str, webhook_id: str, now: datetime) -> None:
        """See the port."""
        self.marked.add((provider, webhook_id))
