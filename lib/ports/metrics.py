"""What the gateway counts for its operator."""

from typing import Protocol

from lib.domain.snapshot import JobSnapshot


class GatewayMetrics(Protocol):
    """Business figures by media type and model. Counting never fails and never waits: no method raises."""

    def job_started(self, job: JobSnapshot) -> None:
        """`JobStarted`: the job is recorded."""

    def job_ended(self, job: JobSnapshot) -> None:
        """What a final job came to, once for each.

        `JobCompleted` and `ProcessingTime` (ms from creation to completion), `JobFailed` by errorType, or
        `JobCanceled`. A job that is not final counts as nothing.
        """

    def webhook_latency(self, job: JobSnapshot, seconds: float) -> None:
        """`WebhookLatency` (ms): from the provider's end of the work to the arrival of its webhook."""

    def count(self, name: str, **dimensions: str) -> None:
        """Add one to any other counter, such as `MirrorFailed` with `tier="redis"`."""
