"""The journal of the services in lists."""

from collections import Counter
from dataclasses import dataclass, field

from lib.domain.snapshot import JobSnapshot


@dataclass
class FakeJournal:
    """Keeps what it is told: the versions of each job, what happened with the job's id or "", and how often."""

    versions: dict[str, list[int]] = field(default_factory=dict)
    events: list[tuple[str, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def transition(self, event: str, job: JobSnapshot) -> None:
        """See the port."""
        self.versions.setdefault(job.job_id, []).append(job.version)
        self.events.append((event, job.job_id))

    def note(self, event: str, job_id: str | None = None, **facts: str | float | bool | None) -> None:
        """See the port."""
        self.events.append((event, job_id or ""))

    def webhook_latency(self, job: JobSnapshot, seconds: float) -> None:
        """See the port."""
        self.events.append((f"webhook_latency {seconds}", job.job_id))

    def count(self, name: str, **dimensions: str) -> None:
        """See the port."""
        self.counts[name] += 1
