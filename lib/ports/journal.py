"""What is told of the work while it is done: a log line for each step, and the business metrics."""

from typing import Protocol

from lib.domain.snapshot import JobSnapshot


class Journal(Protocol):
    """Tells operators what happens. Never raises, and never tells a secret or a prompt."""

    def transition(self, event: str, job: JobSnapshot) -> None:
        """A job has a new version because of `event`: one log line, and its metric if it started or ended."""

    def note(self, event: str, job_id: str | None = None, **facts: str | float | bool | None) -> None:
        """Something happened that is no transition: one log line."""

    def count(self, name: str, **dimensions: str) -> None:
        """One more of `name`, such as `MirrorWriteFailed`."""

    def webhook_latency(self, job: JobSnapshot, seconds: float) -> None:
        """So long after the provider had finished did its webhook arrive."""
