"""A tier of the status: Redis, DynamoDB or the record itself, read in that order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from lib.domain.snapshot import JobSnapshot


class TierUnavailableError(Exception):
    """The tier is down, or did not answer within its limit. Never a reason to fail a request."""


@dataclass(frozen=True)
class TierEntry:
    """A snapshot as a tier holds it; a `fresh` one may be trusted without asking the next tier.

    A final snapshot is always fresh; another is fresh only briefly (Redis: its TTL of 5 s; DynamoDB: 30 s from
    the moment it was written there; the record: always).
    """

    snapshot: JobSnapshot
    fresh: bool


class Tier(Protocol):
    """One place that can answer what a job's status is.

    Every write carries the version and is taken only if it is not older than what is there: a write of the same
    version refreshes its age. All methods raise TierUnavailableError when the tier is away; nothing else.
    """

    name: str

    def read(self, job_id: str, now: datetime) -> TierEntry | None:
        """The entry of this job, or None if the tier has none."""

    def write(self, snapshot: JobSnapshot, now: datetime) -> bool:
        """Keep the snapshot unless a newer one is there; whether it was taken."""
