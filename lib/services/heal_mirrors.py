"""Bringing mirrors that missed a transition back to what the record says.

Reads heal the mirrors above the tier that answers. That leaves one gap: a mirror that missed the end of a job
while one above it did not is never read, and keeps the job in its in-flight index.
"""

from datetime import datetime
from typing import Protocol

from lib.ports.tier import Tier, TierUnavailableError
from lib.services.publish import Mirrors


class DueIndex(Protocol):
    """A mirror that can name the jobs which it believes to be due."""

    def due_jobs(self, now: datetime) -> list[str]:
        """Some ids of jobs that are not final, as far as it knows, and were due by `now`.

        Raises TierUnavailableError.
        """


class MirrorHealer:
    """Publishes anew what the record says."""

    def __init__(self, record: Tier, mirrors: Mirrors) -> None:
        self._record = record
        self._mirrors = mirrors

    def heal(self, job_id: str, now: datetime) -> bool:
        """Whether every mirror now has what the record says of this job; False: try again later."""
        try:
            entry = self._record.read(job_id, now)
        except TierUnavailableError:
            return False
        return entry is None or not self._mirrors.publish(entry.snapshot, now)

    def heal_due(self, index: DueIndex, now: datetime) -> int:
        """Heal jobs that the index believes to be due, and say how many there were; 0 if it is away."""
        try:
            due = index.due_jobs(now)
        except TierUnavailableError:
            return 0
        for job_id in due:
            self.heal(job_id, now)
        return len(due)
