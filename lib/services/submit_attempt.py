"""Sends one attempt to its provider, once, and records what came of it."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from lib.domain.errors import RecordUnavailableError, UnavailableError
from lib.domain.provider import (
    Credential,
    Failure,
    FailureKind,
    ProviderUpdate,
    RemoteStatus,
    Submission,
    SubmitOutcome,
    SubmitResult,
    UploadPolicy,
    WebhookProof,
)
from lib.domain.provider_json import update_to_json
from lib.domain.timing import Timing
from lib.ports.journal import Journal
from lib.ports.provider import ProviderClient
from lib.ports.queue import WorkQueue
from lib.ports.record import Answer, JobRecord, Transition
from lib.services.after_commit import AfterCommit
from lib.services.record_submit import RecordSubmit, SubmitContext
from lib.services.usage import UsageMeter

NOT_SENT_SECONDS = 35
"""After this a statement that nobody waits for is over in the record, one way or the other."""

NO_REASON = Failure(FailureKind.UNKNOWN, "the provider refused without a reason")


class Callback(Protocol):
    """Makes the address at which a provider calls us back."""

    def __call__(self, provider: str, job_id: str, attempt: int, credential_version: str) -> str | None:
        """The address with its token, or None where webhooks are switched off."""


class HearOfKey(Protocol):
    """Is told of a key that its provider refused, and whose job that was. Never raises."""

    def __call__(self, credential: Credential, user_id: str, /) -> None:
        """Take note."""


class TakeOutputs(Protocol):
    """Takes over what a provider made that is with us already: in its answer, or put into our bucket by itself."""

    def __call__(
        self, job_id: str, attempt: int, update: ProviderUpdate, *, patient: bool = False
    ) -> ProviderUpdate:
        """The update whose outputs can be recorded; raises UnavailableError when the bucket is away.

        `patient`: what came is nowhere else, so a bucket that is away is asked again and again.
        """

    def policy(self, job_id: str, attempt: int) -> UploadPolicy | None:
        """Lets a provider that can put its outputs into our bucket; None where that is switched off."""

    def left_behind(self, job_id: str, attempt: int) -> ProviderUpdate | None:
        """What a worker took over and did not live to record; None if there is nothing."""


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
    take_outputs: TakeOutputs
    on_key_refused: HearOfKey
    jitter: Callable[[], float] = random.random

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
        callback_url = self.callback_url(client, submission.job_id, submission.attempt, credential)
        if client.adapter.traits.uploads:
            policy = self.take_outputs.policy(submission.job_id, submission.attempt)
            submission = replace(submission, upload=policy)
        meter = UsageMeter()
        result = self._with_outputs(submission, client.submit(submission, credential, callback_url))
        usage, now = meter.usage(), self.clock()
        context = SubmitContext(submission, credential, submits, answer, usage, polled=callback_url is None)
        try:
            record_submit = RecordSubmit(self.record, self.after_commit, self.timing, self.jitter)
            transition = record_submit(context, result, now)
        except RecordUnavailableError:
            self._record_later(submission, result, credential.provider, claim)
            return Submitted(result, None)
        self.after_commit(transition, now)
        if result.failure is not None and result.failure.kind is FailureKind.AUTHENTICATION:
            self.on_key_refused(credential, transition.job.user_id)
        if result.outcome is SubmitOutcome.ACCEPTED and callback_url is not None and not transition.job.final:
            self._look_after(transition)
        return Submitted(result, transition)

    def callback_url(
        self, client: ProviderClient, job_id: str, attempt: int, credential: Credential
    ) -> str | None:
        """Where this provider calls back about this attempt; None if it does not."""
        if client.adapter.traits.webhooks is WebhookProof.NONE:
            return None
        return self.callback(credential.provider, job_id, attempt, credential.version)

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

    def _with_outputs(self, submission: Submission, result: SubmitResult) -> SubmitResult:
        """The result whose outputs can be recorded. What came with the answer and cannot be kept is lost: unknown."""
        update = result.update
        if result.outcome is not SubmitOutcome.ACCEPTED or update is None:
            return result
        if update.provider_job_id is None:
            update = replace(update, provider_job_id=submission.own_id)
        try:
            taken = self.take_outputs(submission.job_id, submission.attempt, update, patient=True)
        except UnavailableError as error:
            self.journal.note("result_not_kept", submission.job_id, code=error.code)
            words = f"The provider's answer could not be kept: {error.message}"
            return SubmitResult(SubmitOutcome.UNKNOWN, failure=Failure(FailureKind.UNKNOWN, words))
        return replace(result, update=taken)

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
                event = {
                    "kind": "event",
                    "provider": provider,
                    "attempt": attempt,
                    "update": _told(result.update),
                }
                self._tell_later({**event, "jobId": job_id}, 2)
            case SubmitOutcome.DEFERRED:
                wait = failure.retry_after_seconds if failure else None
                message = {"kind": "not_sent", "jobId": job_id, "attempt": attempt, "claim": claim}
                message["doubtful"] = not (failure and failure.unbilled)
                self._tell_later(message, min(900, max(wait or 0, NOT_SENT_SECONDS)))
            case SubmitOutcome.REFUSED:
                failure = failure or NO_REASON
                refusal = {"code": failure.kind.value, "message": failure.message, "refused": True}
                told = {"failure": {**refusal, "retryable": failure.retryable, "unbilled": failure.unbilled}}
                message = {"kind": "not_sent", "jobId": job_id, "attempt": attempt, **told}
                self._tell_later(message, NOT_SENT_SECONDS)
            case _:
                pass

    def _tell_later(self, message: dict[str, Any], seconds: float) -> None:
        try:
            self.advance_queue.send(message, group=message["jobId"], delay_seconds=seconds)
        except UnavailableError:
            self.journal.count("OutboxSendFailed", topic="advance")


def _told(update: ProviderUpdate) -> dict[str, Any]:
    """The answer as a message carries it: that it was accepted, or the result where the answer is that."""
    return update_to_json(update if update.status.final else replace(update, status=RemoteStatus.QUEUED))
