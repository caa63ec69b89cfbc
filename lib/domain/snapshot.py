"""What the mirrors hold of a job: its status fields, as the record's SQL function `job_snapshot` writes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lib.domain.actor import Actor
from lib.domain.job import JobStatus, JobStep


@dataclass(frozen=True)
class JobSnapshot:
    """A job's status fields at one version.

    `data` is the JSON object itself, camelCase, with at least `jobId, shortId, userId, version, status, step,
    mediaType, modelId, provider, providerJobId, attempt, createdAt, updatedAt, dueAt, cancelRequested`; times are
    ISO 8601 in UTC. Outputs carry object keys (`key`, `thumbnailKey`), never URLs.
    """

    data: Mapping[str, Any]

    @property
    def job_id(self) -> str:
        """The job's UUID as text."""
        return str(self.data["jobId"])

    @property
    def user_id(self) -> str:
        """Whose job it is."""
        return str(self.data["userId"])

    @property
    def guest_token(self) -> str | None:
        """The hash of the token of the guest whose job it is; None for a registered user's."""
        token = self.data.get("guestToken")
        return str(token) if token is not None else None

    def belongs_to(self, actor: Actor) -> bool:
        """Whether this actor made the job: its user, and for a guest the very token."""
        return self.user_id == actor.user_id and self.guest_token == actor.guest_token

    @property
    def version(self) -> int:
        """Grows by one with each transition."""
        return int(self.data["version"])

    @property
    def status(self) -> JobStatus:
        """The public status."""
        return JobStatus(self.data["status"])

    @property
    def step(self) -> JobStep:
        """How far the job has come."""
        return JobStep(self.data["step"])

    @property
    def final(self) -> bool:
        """Whether this snapshot will never change."""
        return self.status.final

    @property
    def due_at(self) -> datetime | None:
        """When the sweep looks at this job if nothing else happens; None for a final job."""
        value = self.data.get("dueAt")
        return parse_time(value) if value else None

    @property
    def provider_key(self) -> str | None:
        """`{provider}:{providerJobId}`, the key of the mirror's ReplicateIdIndex."""
        remote = self.data.get("providerJobId")
        return f"{self.data['provider']}:{remote}" if remote else None


def parse_time(text: str) -> datetime:
    """An aware UTC time from ISO 8601 text."""
    return datetime.fromisoformat(text).astimezone(UTC)


def format_time(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and `Z`, as everywhere on the wire."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
