"""Cancels a job: at once where nothing was sent, by the provider's evidence otherwise."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from lib.domain.errors import ConflictError, NotFoundError
from lib.domain.job import JobStatus
from lib.domain.snapshot import JobSnapshot
from lib.ports.record import JobRecord
from lib.services.after_commit import AfterCommit


@dataclass(frozen=True)
class CancelJob:
    """The use case of `POST /jobs/{jobId}/cancel`."""

    record: JobRecord
    after_commit: AfterCommit
    clock: Callable[[], datetime]

    def cancel(self, user_id: str, job_id: str) -> JobSnapshot:
        """The job, canceled or with `cancelRequested`; asking again is harmless.

        Raises:
            NotFoundError: there is no such job of this user.
            ConflictError: the job has already completed or failed.
        """
        now = self.clock()
        transition = self.after_commit(self.record.request_cancel(job_id, user_id, now), now)
        if transition.snapshot is None:
            msg = f"there is no job {job_id} of yours"
            raise NotFoundError(msg)
        job = transition.job
        if transition.outcome == "final" and job.status is not JobStatus.CANCELED:
            msg = f"the job is {job.status} already; it cannot be canceled any more"
            raise ConflictError(msg, code="job_is_final")
        return job
