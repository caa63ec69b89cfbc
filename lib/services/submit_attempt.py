"""Sends one attempt to its provider, once, and records what came of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from lib.domain.errors import RecordUnavailableError, UnavailableError
from lib.domain.provider import (
    Credential,
    Failure,
    FailureKind,
    RemoteStatus,
    Submission,
    SubmitOutcome,
    SubmitResult,
)
from lib.domain.provider_json import update_to_json
from lib.domain.timing import Timing
from lib.ports.journal import Journal
from lib.ports.provider import ProviderClient
from lib.ports.queue import WorkQueue
from lib.ports.record import Answer, JobRecord, Transition
from lib.ports.work_report import Usage
from lib.services.after_commit import AfterCommit
from lib.services.usage import UsageMeter
from lib.services.waiting import backoff_seconds

NOT_SENT_SECONDS = 35
"""After this a statement that nobody waits for is over in the record, one way or the other."""

NO_REASON = Failure(FailureKind.UNKNOWN, "the provider refused without a reason")


class Callback(Protocol):
    """Makes the address at which a provider calls us back."""

    def __call__(self, provider: str, job_id: str, attempt: int, credential_version: str) -> str | None:
        """The address with its token, or None where webhooks are switched off."""


@dataclass(frozen=True)
class Submitted:
    """What a submit came to, and the job after it; None if the record went away in between."""

    result: SubmitResult
    transition: Transition | None


@dataclass(frozen=True)
class SubmitAttempt:
    """The caller must hold the attempt's lease: the send follows that commit at once, nothing lies between.

    A crash after the send leaves the attempt in `submitting`; its lease expires, it becomes `unknown`, and is
    claimed by a webhook or found by `recover`, but never sent again.
    """

    record: JobRecord
    after_commit: AfterCommit
    callback: Callback
    advance_queue: WorkQueue
    journal: Journal
    clock: Callable[[], datetime]
    timing: Timing

    def send(
        self,
        client: ProviderClient,
        submission: Submission,
        credential: Credential,
        *,
        claim: str,
        submits: int = 1,
        answer: Callable[[str | None], Answer] | None = None,
    ) -> Submitted:
        """Submit and record the outcome; `answer` makes the caller's answer from the provider's job id.

        `claim` is the token that won the lease; of the job's creator it is the job's id.
        """
        callback_url = self.callback(
            credential.provider, submission.job_id, submission.attempt, credential.version
        )
        meter = UsageMeter()
        result = client.submit(submission, credential, callback_url)
        usage, now = meter.usage(), self.clock()
        try:
            transition = self._record(
                submission, result, submits, answer, now, usage=usage, polled=callback_url is None
            )
        except RecordUnavailableError:
            self._record_later(submission, result, credential.provider, claim)
            return Submitted(result, None)
        self.after_commit(transition, now)
        if result.outcome is SubmitOutcome.ACCEPTED and callback_url is not None and not transition.job.final:
            self._look_after(transition)
        return Submitted(result, transition)

    def not_sent(self, job_id: str, *, keyed: bool) -> None:
        """The creator of this job does not know whether the record has it, and did not send it.

        Who has an Idempotency-Key asks again and means this job: it is sent after all. Anybody else makes a new job:
        this one fails. If the queue is away too, the job ends at its deadline.
        """
        message: dict[str, Any] = {"kind": "not_sent", "jobId": job_id, "attempt": 1}
        if keyed:
            self._tell_later({**message, "claim": job_id}, NOT_SENT_SECONDS)
            return
        words = "The record did not answer when the job was created, and nothing was sent; ask again."
        failure = {"code": "not_sent", "message": words, "retryable": True, "refused": False}
        self._tell_later({**message, "failure": failure}, NOT_SENT_SECONDS)

    def _look_after(self, transition: Transition) -> None:
        """Ask the provider once it has been silent for a while: progress shows, and a lost webhook costs little.

        This message is a courtesy, not a duty, so it needs no outbox: if it is lost, the sweep looks.
        """
        message = {"kind": "check", "jobId": transition.job.job_id}
        try:
            self.advance_queue.send(
                message, group=transition.job.user_id, delay_seconds=min(900, self.timing.poll_after)
            )
        except UnavailableError:
            self.journal.count("LookAfterSendFailed")

    def _record_later(self, submission: Submission, result: SubmitResult, provider: str, claim: str) -> None:
        """The record went away between send and answer: what the provider said is told to it when it is back.

        If the queue is away too, the attempt is claimed by a webhook or by `recover`, as any unknown one.
        """
        self.journal.count("SubmitNotRecorded", provider=provider)
        job_id, attempt, failure = submission.job_id, submission.attempt, result.failure
        match result.outcome:
            case SubmitOutcome.ACCEPTED if result.update is not None:
                update = update_to_json(replace(result.update, status=RemoteStatus.QUEUED))
                event = {"kind": "event", "provider": provider, "attempt": attempt, "update": update}
                self._tell_later({**event, "jobId": job_id}, 2)
            case SubmitOutcome.DEFERRED:
                wait = failure.retry_after_seconds if failure else None
                message = {"kind": "not_sent", "jobId": job_id, "attempt": attempt, "claim": claim}
                self._tell_later(message, min(900, max(wait or 0, NOT_SENT_SECONDS)))
            case SubmitOutcome.REFUSED:
                failure = failure or NO_REASON
                refusal = {"code": failure.kind.value, "message": failure.message, "refused": True}
                told = {"failure": {**refusal, "retryable": failure.retryable}}
                self._tell_later({"kind": "not_sent", "jobId": job_id, **told}, NOT_SENT_SECONDS)
            case _:
                pass

    def _tell_later(self, message: dict[str, Any], seconds: float) -> None:
        try:
            self.advance_queue.send(message, group=message["jobId"], delay_seconds=seconds)
        except UnavailableError:
            self.journal.count("OutboxSendFailed", topic="advance")

    def _record(
        self,
        submission: Submission,
        result: SubmitResult,
        submits: int,
        answer: Callable[[str | None], Answer] | None,
        now: datetime,
        *,
        usage: Usage,
        polled: bool,
    ) -> Transition:
        job_id, attempt = submission.job_id, submission.attempt
        match result.outcome:
            case SubmitOutcome.ACCEPTED if result.update and result.update.provider_job_id:
                remote = result.update.provider_job_id
                transition = self.record.record_submitted(
                    job_id,
                    attempt,
                    remote,
                    now=now,
                    due_at=Timing.after(now, self.timing.poll_after + self.timing.sweep_grace),
                    answer=answer(remote) if answer else None,
                    poll_after_seconds=self.timing.first_poll if polled else None,
                    usage=usage,
                )
                return self._apply_answer(submission, result, transition, now)
            case SubmitOutcome.DEFERRED:
                failure = result.failure or Failure(FailureKind.OUTAGE, "the provider took nothing")
                wait = failure.retry_after_seconds or backoff_seconds(submits)
                return self.record.defer_submit(
                    job_id,
                    attempt,
                    retry_at=now + timedelta(seconds=wait),
                    reason=failure.message,
                    now=now,
                    answer=answer(None) if answer else None,
                    usage=usage,
                )
            case SubmitOutcome.REFUSED:
                return self._refused(job_id, result.failure or NO_REASON, usage, now)
            case _:
                due_at = Timing.after(now, self.timing.recover_again)
                kept = answer(None) if answer else None
                return self.record.mark_submit_unknown(
                    job_id, attempt, due_at=due_at, now=now, answer=kept, usage=usage
                )

    def _refused(self, job_id: str, failure: Failure, usage: Usage, now: datetime) -> Transition:
        return self.record.fail_job(
            job_id,
            code=failure.kind.value,
            message=failure.message,
            retryable=failure.retryable,
            now=now,
            refused=True,
            usage=usage,
        )

    def _apply_answer(
        self, submission: Submission, result: SubmitResult, transition: Transition, now: datetime
    ) -> Transition:
        """An answer that says more than "accepted" is evidence like any other."""
        update = result.update
        if update is None or update.status in (RemoteStatus.QUEUED, RemoteStatus.UNKNOWN):
            return transition
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
