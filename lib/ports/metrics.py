"""What the gateway counts for its operator."""

from typing import Protocol

from lib.domain.snapshot import JobSnapshot


class GatewayMetrics(Protocol):
    """Business figures. Counting never fails and never waits: no method raises."""

    def job_started(self, job: JobSnapshot) -> None:
        """`JobStarted` by media type and model: the job is recorded."""

    def job_ended(self, job: JobSnapshot) -> None:
        """What a final job came to, by media type and model; to be told once for each.

        `JobCompleted` with `ProcessingTime` (ms from creation to completion), `JobFailed` by errorType too, or
        `JobCanceled`. A job that is not final counts as nothing.
        """

    def webhook_latency(self, job: JobSnapshot, seconds: float) -> None:
        """`WebhookLatency` (ms) by media type and model: from the provider's end of the work to its webhook."""

    def webhook_received(self, provider: str) -> None:
        """`WebhookReceived` by provider: a genuine webhook was taken in."""

    def count(self, name: str, **dimensions: str) -> None:
        """Add one to any other counter, such as `MirrorUnavailable` with `tier="redis"`."""
