"""What is due for a job when somebody looks at it: one decision, from the record's own words and the time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from lib.domain.job import AttemptState, JobStep
from lib.domain.snapshot import JobSnapshot, parse_time
from lib.domain.timing import Timing


class Due(StrEnum):
    """The one thing to do next."""

    SUBMIT = "submit"
    WAIT = "wait"
    WAIT_TO_SUBMIT = "wait_to_submit"
    MARK_UNKNOWN = "mark_unknown"
    RECOVER = "recover"
    POLL = "poll"
    CANCEL = "cancel"
    STORE = "store"
    FAIL_DEADLINE = "fail_deadline"
    FAIL_UNKNOWN = "fail_unknown"
    FAIL_STORING = "fail_storing"


@dataclass(frozen=True)
class AttemptWork:
    """The job's current attempt, as `begin_check` tells it."""

    attempt: int
    state: AttemptState
    provider: str
    model_id: str
    model_ref: str
    input: Mapping[str, Any] | None
    credential_version: str
    provider_job_id: str | None
    submits: int
    created_at: datetime
    lease_until: datetime | None
    retry_at: datetime | None


@dataclass(frozen=True)
class Work:
    """A job and its attempt, for whoever won the turn to look at it."""

    job: JobSnapshot
    attempt: AttemptWork
    poll_seq: int
    deadline_at: datetime
    storing_deadline_at: datetime | None
    request_ref: str | None

    @classmethod
    def from_json(cls, job: JobSnapshot, work: Mapping[str, Any]) -> Self:
        """Read the `work` that `begin_check` answers."""
        a = work["attempt"]
        return cls(
            job=job,
            attempt=AttemptWork(
                attempt=a["attempt"],
                state=AttemptState(a["state"]),
                provider=a["provider"],
                model_id=a["modelId"],
                model_ref=a["modelRef"],
                input=a["input"],
                credential_version=a["credentialVersion"],
                provider_job_id=a["providerJobId"],
                submits=a["submits"],
                created_at=parse_time(a["createdAt"]),
                lease_until=_time(a["leaseUntil"]),
                retry_at=_time(a["retryAt"]),
            ),
            poll_seq=work["pollSeq"],
            deadline_at=parse_time(work["deadlineAt"]),
            storing_deadline_at=_time(work["storingDeadlineAt"]),
            request_ref=work["requestRef"],
        )


def what_is_due(work: Work, now: datetime, timing: Timing) -> Due:
    """Decide; never says SUBMIT for an attempt that may have been sent."""
    if work.job.step is JobStep.STORING:
        late = work.storing_deadline_at is not None and now >= work.storing_deadline_at
        return Due.FAIL_STORING if late else Due.STORE
    late = now >= work.deadline_at
    match work.attempt.state:
        case AttemptState.QUEUED if late:
            due = Due.FAIL_DEADLINE
        case AttemptState.QUEUED:
            due = Due.SUBMIT if _passed(work.attempt.retry_at, now) else Due.WAIT_TO_SUBMIT
        case AttemptState.SUBMITTING:
            due = Due.MARK_UNKNOWN if _passed(work.attempt.lease_until, now) else Due.WAIT
        case AttemptState.UNKNOWN:
            due = Due.FAIL_UNKNOWN if late else Due.RECOVER
        case AttemptState.SUBMITTED | AttemptState.RUNNING:
            due = _due_at_provider(work, now, timing, late=late)
        case _:
            due = Due.WAIT
    return due


def _due_at_provider(work: Work, now: datetime, timing: Timing, *, late: bool) -> Due:
    if now >= work.deadline_at + timedelta(seconds=timing.verdict_grace):
        return Due.FAIL_DEADLINE
    return Due.CANCEL if late or work.job.data["cancelRequested"] else Due.POLL


def wait_seconds(work: Work, now: datetime) -> float:
    """How long until a waiting attempt may be looked at again; not past the deadline of one that was never sent."""
    retry_at = work.attempt.retry_at and min(work.attempt.retry_at, work.deadline_at)
    moments = [moment for moment in (retry_at, work.attempt.lease_until) if moment]
    return max(1.0, (min(moments) - now).total_seconds()) if moments else 60.0


def poll_delay_seconds(work: Work, now: datetime, jitter: float) -> float:
    """The next poll of a provider without webhooks: soon at first, then more slowly; `jitter` is 0 to 1."""
    age = max(0.0, (now - work.attempt.created_at).total_seconds())
    return min(60.0, max(1.0, age * 0.2)) * (0.9 + 0.2 * jitter)


def _passed(moment: datetime | None, now: datetime) -> bool:
    return moment is None or moment <= now


def _time(text: str | None) -> datetime | None:
    return parse_time(text) if text else None
