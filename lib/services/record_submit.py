"""What a submit came to, as the record keeps it: one transition, two where the answer says more than accepted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from lib.domain.fallback import gives_way, may_fall_back
from lib.domain.provider import (
    Credential,
    Failure,
    FailureKind,
    RemoteStatus,
    Submission,
    SubmitOutcome,
    SubmitResult,
)
from lib.domain.timing import Timing
from lib.ports.record import Answer, JobRecord, Transition
from lib.ports.work_report import Usage
from lib.services.after_commit import AfterCommit
from lib.services.waiting import backoff_seconds, deferral_seconds


@dataclass(frozen=True)
class SubmitContext:
    """Whose submit it was, how often it was tried, and what the caller is to be answered; `polled`: no webhooks."""

    submission: Submission
    credential: Credential
    submits: int
    answer: Callable[[str | None], Answer] | None
    usage: Usage
    polled: bool


@dataclass(frozen=True)
class RecordSubmit:
    """Records outcomes of submits. Raises RecordUnavailableError; nothing is lost by asking again."""

    record: JobRecord
    after_commit: AfterCommit
    timing: Timing
    jitter: Callable[[], float]

    def __call__(self, context: SubmitContext, result: SubmitResult, now: datetime) -> Transition:
        """The transition that this outcome makes; the first of two is followed up here."""
        match result.outcome:
            case SubmitOutcome.ACCEPTED if result.update and result.update.provider_job_id:
                return self._accepted(context, result, result.update.provider_job_id, now)
            case SubmitOutcome.DEFERRED:
                failure = result.failure or Failure(FailureKind.OUTAGE, "the provider took nothing")
                return self._deferred(context, failure, now)
            case SubmitOutcome.REFUSED:
                failure = result.failure or Failure(
                    FailureKind.UNKNOWN, "the provider refused without a reason"
                )
                return self._refused(context, failure, now)
            case _:
                return self._unknown(context, now)

    def _accepted(
        self, context: SubmitContext, result: SubmitResult, remote: str, now: datetime
    ) -> Transition:
        submission = context.submission
        transition = self.record.record_submitted(
            submission.job_id,
            submission.attempt,
            remote,
            now=now,
            due_at=Timing.after(now, self.timing.poll_after + self.timing.sweep_grace),
            answer=context.answer(remote) if context.answer else None,
            poll_after_seconds=self._first_poll(context, result),
            usage=context.usage,
        )
        update = result.update
        if update is None or update.status in (RemoteStatus.QUEUED, RemoteStatus.UNKNOWN):
            return transition
        # An answer that says more than "accepted" is evidence like any other.
        self.after_commit(transition, now)
        return self.record.apply_update(
            submission.job_id,
            submission.attempt,
            update,
            source="answer",
            now=now,
            due_at=Timing.after(now, self.timing.poll_after),
            storing_deadline_at=Timing.after(now, self.timing.storing_deadline),
            storing_due_at=Timing.after(now, self.timing.storing_lease),
        )

    def _first_poll(self, context: SubmitContext, result: SubmitResult) -> float | None:
        final = result.update is not None and result.update.status.final
        return self.timing.first_poll if context.polled and not final else None

    def _deferred(self, context: SubmitContext, failure: Failure, now: datetime) -> Transition:
        wait = failure.retry_after_seconds or backoff_seconds(context.submits)
        spread = deferral_seconds(failure.retry_after_seconds, context.submits, self.jitter())
        return self.record.defer_submit(
            context.submission.job_id,
            context.submission.attempt,
            retry_at=now + timedelta(seconds=spread),
            reason=failure.message,
            now=now,
            answer=context.answer(None) if context.answer else None,
            usage=context.usage,
            code=failure.kind.value,
            fall_back=gives_way(failure, wait, context.submits),
            doubtful=not failure.unbilled,
        )

    def _refused(self, context: SubmitContext, failure: Failure, now: datetime) -> Transition:
        return self.record.fail_job(
            context.submission.job_id,
            code=failure.kind.value,
            message=failure.message,
            retryable=failure.retryable,
            now=now,
            refused=True,
            answer=context.answer(None) if context.answer else None,
            usage=context.usage,
            unbilled=may_fall_back(failure, own_key=context.credential.is_own),
            attempt=context.submission.attempt,
        )

    def _unknown(self, context: SubmitContext, now: datetime) -> Transition:
        return self.record.mark_submit_unknown(
            context.submission.job_id,
            context.submission.attempt,
            due_at=Timing.after(now, self.timing.recover_again),
            now=now,
            answer=context.answer(None) if context.answer else None,
            usage=context.usage,
        )
