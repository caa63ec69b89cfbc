"""What the record holds of one job, for its owner and for admins."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from lib.domain.element import Element
from lib.domain.errors import NotFoundError
from lib.domain.ids import parse_job_id
from lib.domain.job_details import JobDetails
from lib.domain.page import Page
from lib.domain.progress import Progress
from lib.domain.storage_log import StorageLogEntry
from lib.domain.timeline import TimelineStep
from lib.ports.repositories import Elements, Jobs, StorageLog, StorageSearch, Timeline
from lib.services.progress import ProgressStore

FoundT = TypeVar("FoundT")


@dataclass(frozen=True)
class JobWithProgress:
    """A job's details, and its progress where that is known."""

    details: JobDetails
    progress: Progress | None


@dataclass(frozen=True)
class ReadJobDetails:
    """The use cases of `GET /jobs/{jobId}`, `/timeline`, `/elements` and `/storage`.

    Each takes the id as it was written, and `user_id` to hide the jobs of others; None is for callers who may see
    them (admins, workers). Each asks the record once, for the current actor.

    Each raises NotFoundError if there is no such job or it is not the caller's, RecordUnavailableError when the
    record is away.
    """

    jobs: Jobs
    elements_of: Elements
    timeline_of: Timeline
    storage_of: StorageLog
    progress: ProgressStore
    clock: Callable[[], datetime]

    def details(self, job_id: str, *, user_id: str | None = None) -> JobWithProgress:
        """The job with all that belongs to it; the progress comes from the shared cache."""
        details = _found(self.jobs.with_details(_id(job_id), user_id=user_id), job_id)
        running = not details.snapshot.final
        return JobWithProgress(
            details, self.progress.read(details.snapshot.job_id, self.clock()) if running else None
        )

    def timeline(self, job_id: str, *, user_id: str | None = None) -> tuple[TimelineStep, ...]:
        """The steps of the work in the order in which they began."""
        return _found(self.timeline_of.of_job(_id(job_id), user_id=user_id), job_id)

    def elements(self, job_id: str, *, user_id: str | None = None) -> tuple[Element, ...]:
        """What a composed job is made of, by track and order; nothing for a generation."""
        return _found(self.elements_of.of_job(_id(job_id), user_id=user_id), job_id)

    def storage(
        self, job_id: str, wanted: StorageSearch, *, user_id: str | None = None
    ) -> Page[StorageLogEntry]:
        """A page of what was moved for it, oldest first. Raises InvalidError naming all that is wrong in `wanted`."""
        return _found(self.storage_of.of_job(_id(job_id), wanted, user_id=user_id), job_id)


def _id(text: str) -> str:
    return _found(parse_job_id(text), text)


def _found(value: FoundT | None, job_id: str) -> FoundT:
    if value is None:
        raise NotFoundError(f"there is no job {job_id[:100]!r}")
    return value
