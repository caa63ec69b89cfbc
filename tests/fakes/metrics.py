"""Metrics in a list."""

from lib.domain.snapshot import JobSnapshot


class FakeMetrics:
    """`counted` is its state: (name, dimensions)."""

    def __init__(self) -> None:
        self.counted: list[tuple[str, dict[str, str]]] = []
        self.latencies: list[float] = []

    def job_started(self, job: JobSnapshot) -> None:
        """See the port."""
        self.counted.append(("JobStarted", {"jobId": job.job_id}))

    def job_ended(self, job: JobSnapshot) -> None:
        """See the port."""
        self.counted.append(("JobEnded", {"jobId": job.job_id, "status": job.status.value}))

    def webhook_latency(self, job: JobSnapshot, seconds: float) -> None:
        """See the port."""
        self.latencies.append(seconds)

    def webhook_received(self, provider: str) -> None:
        """See the port."""
        self.counted.append(("WebhookReceived", {"provider": provider}))

    def count(self, name: str, **dimensions: str) -> None:
        """See the port."""
        self.counted.append((name, dimensions))
