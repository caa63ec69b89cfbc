"""Composed jobs: made with their elements, worked on step by step by whoever composes them, and ended."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from lib.domain.composed_output import ComposedOutput, outputs_json
from lib.domain.composition import read_element
from lib.domain.element import Element
from lib.domain.errors import ConflictError, FieldError, InvalidError, NotFoundError
from lib.domain.ids import parse_job_id, uuid7
from lib.domain.job import JobStatus, JobStep
from lib.domain.kept_text import check_note, text_problem
from lib.domain.snapshot import JobSnapshot
from lib.domain.timeline import TimelineStep
from lib.ports.record import JobRecord, Transition
from lib.ports.repositories import ElementChange, Elements, StorageLog, Timeline
from lib.ports.work_report import StorageOperation
from lib.services.after_commit import AfterCommit
from lib.services.create_video_job import CreateVideoJob
from lib.services.progress import ProgressStore

ATTEMPT = 1  # a composed job has one

FoundT = TypeVar("FoundT")


@dataclass(frozen=True)
class VideoJobService:
    """What the database document calls by this name.

    Everything is done for the current actor (`lib.ports.actor`), whose jobs alone are there. Every method raises
    NotFoundError for a job that is not there, InvalidError naming what is wrong, and RecordUnavailableError when
    the record is away; then nothing was changed. What is told twice with the same id is kept once.

    `create_video_job` is called like a method.
    """

    create_video_job: CreateVideoJob
    record: JobRecord
    elements: Elements
    timeline: Timeline
    storage: StorageLog
    progress: ProgressStore
    after_commit: AfterCommit
    clock: Callable[[], datetime]

    def add_element(self, job_id: str, element: Any) -> Element:
        """Add one more element to a job that has not ended; see `read_composition` for its form.

        Raises ConflictError where its place in its track is taken.
        """
        now = self.clock()
        added = read_element(element, _id(job_id), now, lambda: str(uuid7(now)))
        _found(self.elements.add(added, now), f"there is no open composed job {job_id}")
        return added

    def update_element_status(self, element_id: str, change: ElementChange) -> None:
        """Note how far the element has come. Raises InvalidError: processed before it was downloaded."""
        wanted = _id(element_id, "elementId")
        if not self.elements.update_status(wanted, change, self.clock()):
            raise NotFoundError(f"there is no element {wanted}")

    def get_job_elements(self, job_id: str, *, user_id: str | None = None) -> tuple[Element, ...]:
        """The elements of a job by track and order."""
        return _found(self.elements.of_job(_id(job_id), user_id=user_id), f"there is no job {job_id}")

    def start_processing_step(
        self, job_id: str, step: str, step_order: int, *, details: Mapping[str, Any] | None = None
    ) -> str:
        """The id of the step that begins; one of its name that was open ends unsuccessfully."""
        check_note("details", details)
        problem = text_problem(step) or ("" if 1 <= len(step) <= 100 else "must be 1 to 100 characters")
        if problem:
            raise InvalidError(f"step {problem}", errors=[FieldError("step", problem)])
        started = self.timeline.start_step(_id(job_id), step, step_order, self.clock(), details=details)
        return _found(started, f"there is no open job {job_id}")

    def complete_processing_step(
        self,
        job_id: str,
        timeline_id: str,
        success: bool,
        progress: float | None = None,
        *,
        details: Mapping[str, Any] | None = None,
        cpu_usage: float | None = None,
        memory_usage: int | None = None,
    ) -> bool:
        """End the step with its verdict and figures; False if it had ended already, or is unknown.

        `progress` is that of the whole job in percent, and is shown to who asks for its status, too.
        """
        check_note("details", details)
        ended = self.timeline.complete_step(
            *(_id(job_id), _id(timeline_id, "timelineId"), self.clock()),
            success=success,
            progress=progress,
            details=details,
            cpu_usage=cpu_usage,
            memory_usage=memory_usage,
        )
        if ended and progress is not None:
            self.update_progress(job_id, progress)
        return ended

    def get_timeline(self, job_id: str, *, user_id: str | None = None) -> tuple[TimelineStep, ...]:
        """The steps of the work in the order in which they began."""
        return _found(self.timeline.of_job(_id(job_id), user_id=user_id), f"there is no job {job_id}")

    def log_storage_operation(self, job_id: str, operation: StorageOperation) -> None:
        """Keep what was moved to or from the bucket, once for each `operation_id`."""
        check_note("metadata", operation.metadata)
        if not operation.success and not operation.error_code:
            raise InvalidError(
                "errorCode is missing", errors=[FieldError("errorCode", "must say why it failed")]
            )
        if not self.storage.log(_id(job_id), operation, self.clock()):
            raise NotFoundError(f"there is no job {job_id}")

    def update_progress(self, job_id: str, percent: float) -> None:
        """Keep how far the job is, in percent, for an hour beside the record; it never falls, and may be lost."""
        if not 0 <= percent <= 100:
            raise InvalidError("progress is wrong", errors=[FieldError("progress", "must be 0 to 100")])
        fraction = (percent + 1e-6) / 100  # whole percent stay whole
        self.progress.record(_id(job_id), ATTEMPT, fraction, self.clock())

    def update_job_status(
        self,
        job_id: str,
        status: JobStatus,
        *,
        step: JobStep | None = None,
        expected_version: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> JobSnapshot:
        """Move the job along the transition table, and tell the mirrors; a move to where it is changes nothing.

        Raises ConflictError: no composed job, another version than expected, or a move that cannot be.
        """
        check_note("details", details)
        return self._move(job_id, status, step=step, expectedVersion=expected_version, details=details)

    def complete(self, job_id: str, outputs: Sequence[ComposedOutput]) -> JobSnapshot:
        """The job is made, and these are its outputs. Raises ConflictError if it ended otherwise."""
        return self._move(job_id, JobStatus.COMPLETED, outputs=outputs_json(outputs))

    def fail(self, job_id: str, code: str, message: str, *, retryable: bool = False) -> JobSnapshot:
        """The job cannot be made, and why. Raises ConflictError if it ended otherwise."""
        error = {"code": code[:100], "message": message[:2000], "retryable": retryable}
        return self._move(job_id, JobStatus.FAILED, error=error)

    def _move(self, job_id: str, status: JobStatus, **more: Any) -> JobSnapshot:
        now = self.clock()
        given = {name: value for name, value in more.items() if value is not None}
        change = {"jobId": _id(job_id), "status": status.value, **given}
        moved = self.after_commit(self.record.update_job_status(change, now), now)
        return _moved(moved, job_id, status)


def _moved(moved: Transition, job_id: str, status: JobStatus) -> JobSnapshot:
    if moved.snapshot is None:
        raise NotFoundError(f"there is no job {job_id}")
    if moved.changed or moved.outcome == "unchanged":
        return moved.job
    job = moved.job
    reasons = {
        "not_composed": "it is made by a provider, whose evidence moves it",
        "other_version": f"it is at version {job.version} by now",
        "final": f"it is {job.status} already",
    }
    reason = reasons.get(moved.outcome, f"it is {job.status} ({job.step})")
    raise ConflictError(f"job {job_id} cannot become {status}: {reason}", code=f"job_{moved.outcome}")


def _id(text: str, path: str = "jobId") -> str:
    canonical = parse_job_id(text)
    if canonical is None:
        raise InvalidError(f"{path} is no id", errors=[FieldError(path, "must be a UUID of 36 characters")])
    return canonical


def _found(value: FoundT | None, missing: str) -> FoundT:
    if value is None:
        raise NotFoundError(missing)
    return value
