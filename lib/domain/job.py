"""A job's states and the one table of its transitions; the SQL functions and the mirrors are tested against it.

    pending:     queued -> submitting -> submitted
    processing:                                     generating -> storing -> completed
    any state that is not final                                           -> failed | canceled

Steps never move back. A step may be jumped over: the webhook of a fast provider can arrive before the answer
to our submit. Only a job whose results are being stored can complete, and a final state never changes.
"""

from dataclasses import dataclass
from enum import StrEnum


class JobStatus(StrEnum):
    """What callers see."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def final(self) -> bool:
        """Whether this status never changes again."""
        return self in FINAL_STATUSES


FINAL_STATUSES = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED})


class JobStep(StrEnum):
    """How far a job has come; a final job keeps the step in which it ended."""

    QUEUED = "queued"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    GENERATING = "generating"
    STORING = "storing"


STATUS_OF_STEP = {
    JobStep.QUEUED: JobStatus.PENDING,
    JobStep.SUBMITTING: JobStatus.PENDING,
    JobStep.SUBMITTED: JobStatus.PENDING,
    JobStep.GENERATING: JobStatus.PROCESSING,
    JobStep.STORING: JobStatus.PROCESSING,
}
STEP_ORDER = tuple(JobStep)


@dataclass(frozen=True)
class JobState:
    """A status with its step. Raises ValueError for a pair that cannot be."""

    status: JobStatus
    step: JobStep

    def __post_init__(self) -> None:
        if not self.status.final and STATUS_OF_STEP[self.step] is not self.status:
            msg = f"a {self.status} job cannot be at step {self.step}"
            raise ValueError(msg)
        if self.status is JobStatus.COMPLETED and self.step is not JobStep.STORING:
            msg = f"a completed job was stored; it cannot be at step {self.step}"
            raise ValueError(msg)


def can_move(before: JobState, after: JobState) -> bool:
    """Whether a job may go from `before` to `after`; staying where it is counts as a move only if not final."""
    if before.status.final:
        return False
    if after.status.final:
        return after.step is before.step
    return STEP_ORDER.index(after.step) >= STEP_ORDER.index(before.step)


class AttemptState(StrEnum):
    """One submit's life. UNKNOWN was sent and never answered: it is claimed or expires, never sent again."""

    QUEUED = "queued"
    SUBMITTING = "submitting"
    UNKNOWN = "unknown"
    SUBMITTED = "submitted"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    REFUSED = "refused"

    @property
    def ended(self) -> bool:
        """Whether nothing more is expected of the provider."""
        return self in ENDED_ATTEMPTS


ENDED_ATTEMPTS = frozenset(
    {AttemptState.SUCCEEDED, AttemptState.FAILED, AttemptState.CANCELED, AttemptState.REFUSED}
)
