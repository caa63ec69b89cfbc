"""The record as the last tier of the status."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from lib.domain.errors import RecordUnavailableError
from lib.domain.snapshot import JobSnapshot
from lib.ports.tier import TierEntry
from lib.stores.outage import Outage


class JobFinder(Protocol):
    """The one thing that reading a status needs of the record (`lib.ports.record.JobRecord`)."""

    def find_job(self, job_id: str) -> JobSnapshot | None:
        """The job as it stands, or None; RecordUnavailableError if the record is away."""


class RecordTier:
    """The `Tier` over the record: what it says is always fresh. Reading raises TierUnavailableError.

    `record` is called at the first read, so that a status answered by a mirror never loads a database driver.
    """

    name = "postgres"

    def __init__(self, record: Callable[[], JobFinder], *, outage: Outage | None = None) -> None:
        self._record = record
        self.outage = outage or Outage(self.name)

    def read(self, job_id: str, now: datetime) -> TierEntry | None:  # noqa: ARG002 - the record has no age
        """The entry, or None if there is no such job."""
        with self.outage.watch(RecordUnavailableError):
            snapshot = self._record().find_job(job_id)
        return TierEntry(snapshot, fresh=True) if snapshot else None

    def write(self, snapshot: JobSnapshot, now: datetime) -> bool:  # noqa: ARG002 - see the docstring
        """Nothing is taken: the record is changed by transitions alone."""
        return False
