"""Moves jobs on: does what is due for one, applies what a provider said, cancels what nobody waits for."""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from lib.domain.due import Due, Work, poll_delay_seconds, wait_seconds, what_is_due
from lib.domain.errors import CommitUnknownError, InvalidError, ProviderError
from lib.domain.ids import uuid7
from lib.domain.job import JobStep
from lib.domain.provider import (
    PLATFORM_VERSION,
    Credential,
    FailureKind,
    ProviderUpdate,
    RemoteJob,
    RemoteStatus,
    Submission,
    WebhookProof,
)
from lib.domain.timing import Timing
from lib.ports.journal import Journal
from lib.ports.provider import ProviderClient
from lib.ports.record import JobRecord, Transition
from lib.services.after_commit import AfterCommit
from lib.services.submit_attempt import NOT_SENT_SECONDS, SubmitAttempt
from lib.services.waiting import TryLaterError, backoff_seconds, tried_again

VERDICT_CHECK_SECONDS = 15
CLOCK_SKEW = timedelta(seconds=60)
MAX_TRIES_TO_PLACE_A_WEBHOOK = 8
MAX_TRIES_TO_CANCEL = 40  # over an hour; by then the provider has ended it, by the deadline that it was given


class NoteProgress(Protocol):
    """Keeps a running job's progress beside the record; never raises."""

    def __call__(self, job_id: str, attempt: int, fraction: float, now: datetime) -> None:
        """`fraction` is 0.0 to 1.0."""


class LoadInput(Protocol):
    """Reads a large request's input back from the object that `request_ref` names."""

    def __call__(self, request_ref: str, attempt: int, model_id: str, /) -> Mapping[str, Any]:
        """The provider's input of this attempt; raises UnavailableError when the bucket is away."""


@dataclass(frozen=True)
class AdvanceJob:
    """Handles `check`, `submit`, `event`, `hint`, `not_sent` and `cancel_remote`. Each may come twice, late, or never."""

    record: JobRecord
    after_commit: AfterCommit
    submit: SubmitAttempt
    provider: Callable[[str], ProviderClient]
    credential: Callable[[str, str], Credential]
    note_progress: NoteProgress
    load_input: LoadInput
    journal: Journal
    clock: Callable[[], datetime]
    timing: Timing
    jitter: Callable[[], float] = random.random

    def check(self, message: Mapping[str, Any]) -> None:
        """Win the turn to look at the job, and do the one thing that is due."""
        now = self.clock()
        work = self._turn(message, now)
        if work is not None:
            self._do(work, now, overdue=bool(message.get("overdue")))

    def submit_and_wait(self, message: Mapping[str, Any]) -> None:
        """Send a queued attempt whose answer is the result, in a worker that has the time to wait for it."""
        now = self.clock()
        work = self._turn(message, now)
        if work is not None and what_is_due(work, now, self.timing) is Due.SUBMIT:
            self._submit(work, now)

    def hint(self, message: Mapping[str, Any]) -> None:
        """Somebody who holds the attempt's address says that there is news; the provider is asked what it is.

        Its signature, if there was one, is that of a user's own account: it proves nothing about anybody's job.
        """
        now = self.clock()
        work = self._turn({"jobId": message["jobId"]}, now)
        if work is None or work.attempt.attempt != int(message["attempt"]) or work.attempt.state.ended:
            return
        if work.job.step is JobStep.STORING:
            return
        if work.attempt.provider_job_id is not None:
            self._poll(work, now)
        elif message.get("providerJobId"):
            self._claim(work, str(message["providerJobId"]))

    def _claim(self, work: Work, provider_job_id: str) -> None:
        """A submit without an answer may have made this job there: if the attempt's own key can see it, it has."""
        remote = RemoteJob(provider_job_id, work.attempt.model_ref)
        try:
            update = self.provider(work.attempt.provider).poll(remote, self._credential(work))
        except (ProviderError, InvalidError) as error:
            self.journal.note("hint_not_confirmed", work.job.job_id, code=error.code)
            return
        update = replace(update, provider_job_id=provider_job_id)
        self.event(work.job.job_id, work.attempt.attempt, update, source="poll")

    def _turn(self, message: Mapping[str, Any], now: datetime) -> Work | None:
        turn = self.record.begin_check(
            str(message["jobId"]),
            poll_seq=message.get("pollSeq"),
            now=now,
            due_at=Timing.after(now, self.timing.poll_after + self.timing.sweep_grace),
        )
        if turn.outcome == "work":
            return Work.from_json(turn.job, turn.extra["work"])
        self.after_commit(turn, now)
        return None

    def event(
        self, job_id: str, attempt: int, update: ProviderUpdate, *, source: str = "webhook"
    ) -> Transition:
        """Apply what a provider said of an attempt: webhook, poll and answer all come through here."""
        now = self.clock()
        if update.status is RemoteStatus.UNKNOWN:
            self.journal.count("UnknownRemoteStatus", status=update.raw_status[:64])
        update = self.submit.take_outputs(job_id, attempt, update)
        transition = self.record.apply_update(
            job_id,
            attempt,
            update,
            source=source,
            now=now,
            due_at=Timing.after(now, self.timing.poll_after + self.timing.sweep_grace),
            storing_deadline_at=Timing.after(now, self.timing.storing_deadline),
            storing_due_at=Timing.after(now, self.timing.storing_lease),
        )
        if transition.outcome == "other_prediction":
            self.journal.note("event_of_another_prediction", job_id, attempt=attempt)
        self.after_commit(transition, now)
        if update.progress is not None and transition.snapshot and not transition.job.final:
            self.note_progress(job_id, attempt, update.progress, now)
        return transition

    def not_sent(self, message: Mapping[str, Any]) -> None:
        """The record was away when it was to hear that an attempt was not sent: it fails, or is to be sent again.

        A claim that was given back, or lost since, is no claim any more: this message may come twice.
        """
        now, job_id, failure = self.clock(), str(message["jobId"]), message.get("failure")
        if failure is not None:
            self.after_commit(self.record.fail_job(job_id, now=now, **failure), now)
            return
        attempt, claim = int(message["attempt"]), str(message["claim"])
        reason = "It was not sent, and the record was away."
        given_back = self.record.defer_submit(
            job_id, attempt, retry_at=now, reason=reason, now=now, claim=claim
        )
        self.after_commit(given_back, now)
        if given_back.outcome == "unchanged":  # it was never won: the attempt waits for whoever looks
            self.check({"kind": "check", "jobId": job_id})

    def cancel_remote(self, message: Mapping[str, Any]) -> None:
        """Cancel a prediction that no job waits for any more; what the provider answers ends its attempt."""
        job_id, attempt = str(message["jobId"]), int(message["attempt"])
        provider_job_id = str(message["providerJobId"])
        job = self.record.find_job(job_id)
        if job is None:
            return
        name = str(message.get("provider", job.data["provider"]))
        try:
            remote = RemoteJob(provider_job_id, str(message.get("modelRef", "")))
            version = str(message.get("credentialVersion", PLATFORM_VERSION))
            update = self.provider(name).cancel(remote, self.credential(name, version))
        except ProviderError as error:
            if error.code == FailureKind.NOT_FOUND.value:
                return
            tries = int(message.get("tries", 0))
            if tries >= MAX_TRIES_TO_CANCEL:
                self.journal.count("CancelGivenUp", provider=name)
                return
            wait = error.retry_after_seconds or backoff_seconds(tries)
            raise TryLaterError(wait, f"cancel: {error.code}", tried_again(message)) from error
        if update.status.final:
            self.event(job_id, attempt, replace(update, provider_job_id=provider_job_id), source="cancel")

    def place(
        self, provider: str, provider_job_id: str, message: Mapping[str, Any]
    ) -> tuple[str, int] | None:
        """(job id, attempt) of a webhook that names neither; the answer that records its id may still be on its way."""
        found, tries = (
            self.record.find_job_by_provider(provider, provider_job_id),
            int(message.get("tries", 0)),
        )
        if found is None and tries < MAX_TRIES_TO_PLACE_A_WEBHOOK:
            reason = "no job has this provider job id yet"
            raise TryLaterError(backoff_seconds(tries), reason, tried_again(message))
        return found

    def _do(self, work: Work, now: datetime, *, overdue: bool) -> None:
        """`overdue`: the sweep asks, so nobody is at it. Otherwise a worker may be storing at this moment."""
        job_id = work.job.job_id
        match what_is_due(work, now, self.timing):
            case Due.SUBMIT if self._waits(work):
                self._emit(work, "submit", now)
            case Due.SUBMIT:
                self._submit(work, now)
            case Due.WAIT:
                self.record.set_due(job_id, now + timedelta(seconds=wait_seconds(work, now)))
            case Due.WAIT_TO_SUBMIT:
                self._look_again(work, wait_seconds(work, now), now)
            case Due.MARK_UNKNOWN:
                due_at = Timing.after(now, self.timing.recover_again)
                marked = self.record.mark_submit_unknown(job_id, work.attempt.attempt, due_at=due_at, now=now)
                self.after_commit(marked, now)
                self._recover(work, now)
            case Due.RECOVER:
                self._recover(work, now)
            case Due.POLL:
                self._poll(work, now)
            case Due.CANCEL:
                self._cancel(work, now)
            case Due.STORE if not overdue:
                pass
            case Due.STORE:
                self._emit(work, "store", now)
            case Due.FAIL_DEADLINE:
                self._fail(work, "deadline_exceeded", "The job was not finished before its deadline.", now)
            case Due.FAIL_UNKNOWN:
                words = (
                    "The provider never answered the submit, and nothing was heard of it until the deadline."
                )
                self._fail(work, "submit_unknown", words, now)
            case Due.FAIL_STORING:
                self._fail(work, "storing_deadline_exceeded", "The outputs could not be stored in time.", now)

    def _waits(self, work: Work) -> bool:
        return self.provider(work.attempt.provider).adapter.is_synchronous(work.attempt.model_ref)

    def _emit(self, work: Work, topic: str, now: datetime) -> None:
        again = self.record.emit_next_check(
            work.job.job_id, topic=topic, poll_seq=None, delay_seconds=0, now=now
        )
        self.after_commit(again, now)

    def _fail(self, work: Work, code: str, message: str, now: datetime) -> None:
        failed = self.record.fail_job(work.job.job_id, code=code, message=message, retryable=True, now=now)
        self.after_commit(failed, now)

    def _submit(self, work: Work, now: datetime) -> None:
        """Whoever wins the claim sends. Everything that can fail without a send is done before it.

        worker A   begin_check   claim: won    send ........ record_submitted
        worker B     begin_check   claim: lost
        """
        credential = self._credential(work)
        provider_input = self._input(work)
        waits = self._waits(work)
        lease = Timing.after(now, self.timing.generate_lease if waits else self.timing.submit_lease)
        claim = str(uuid7(now))
        claimed = self._claimed(work, claim, lease, now)
        if claimed.outcome != "claimed":
            return
        self.after_commit(claimed, now)
        remaining = max(5, int((work.deadline_at - now).total_seconds()))
        submission = self._submission(work, provider_input, remaining)
        self.submit.send(
            self.provider(work.attempt.provider),
            submission,
            credential,
            claim=claim,
            submits=work.attempt.submits + 1,
        )

    def _claimed(self, work: Work, claim: str, lease: datetime, now: datetime) -> Transition:
        job_id, attempt = work.job.job_id, work.attempt.attempt
        try:
            return self.record.claim_attempt(job_id, attempt, claim=claim, lease_until=lease, now=now)
        except CommitUnknownError as lost:
            unsent = {"kind": "not_sent", "jobId": job_id, "attempt": attempt, "claim": claim}
            raise TryLaterError(NOT_SENT_SECONDS, "a claim was not answered", unsent) from lost

    def _submission(self, work: Work, provider_input: Mapping[str, Any], seconds: int) -> Submission:
        attempt = work.attempt
        return Submission(work.job.job_id, attempt.attempt, attempt.model_ref, provider_input, seconds)

    def _input(self, work: Work) -> Mapping[str, Any]:
        attempt = work.attempt
        if attempt.input is not None:
            return attempt.input
        return self.load_input(str(work.request_ref), attempt.attempt, attempt.model_id)

    def _credential(self, work: Work) -> Credential:
        return self.credential(work.attempt.provider, work.attempt.credential_version)

    def _poll(self, work: Work, now: datetime) -> None:
        client, attempt = self.provider(work.attempt.provider), work.attempt
        if not client.adapter.traits.polls:
            self._look_again(work, self.timing.poll_after, now)
            return
        credential = self._credential(work)
        try:
            update = client.poll(_remote(work), credential)
            update = replace(update, provider_job_id=attempt.provider_job_id)
        except ProviderError as error:
            self._provider_trouble(work, error, now, credential)
            return
        transition = self.event(work.job.job_id, attempt.attempt, update, source="poll")
        if not update.status.final and transition.snapshot and not transition.job.final:
            self._poll_again(work, now)

    def _cancel(self, work: Work, now: datetime) -> None:
        """Ask the provider to cancel; only its evidence ends the job.

        A provider that refuses may have ended already, and one that says nothing may too: then it is asked.
        """
        client, attempt = self.provider(work.attempt.provider), work.attempt
        if not client.adapter.traits.cancels:
            self._give_up(work, now)
            return
        credential = self._credential(work)
        try:
            update = client.cancel(_remote(work), credential)
            update = replace(update, provider_job_id=attempt.provider_job_id)
        except ProviderError as error:
            if error.retryable or error.code == FailureKind.NOT_FOUND.value:
                self._provider_trouble(work, error, now, credential)
            else:
                self._poll(work, now)
            return
        if update.status.final:
            self.event(work.job.job_id, attempt.attempt, update, source="cancel")
        elif update.status is RemoteStatus.UNKNOWN:
            self._poll(work, now)
        else:
            self._look_again(work, VERDICT_CHECK_SECONDS, now)

    def _give_up(self, work: Work, now: datetime) -> None:
        """A provider that cannot be stopped is not waited for: the job ends, whatever comes of it there."""
        self.journal.note("provider_cannot_cancel", work.job.job_id, provider=work.attempt.provider)
        if work.job.data["cancelRequested"]:
            ended = ProviderUpdate(RemoteStatus.CANCELED, work.attempt.provider_job_id)
            self.event(work.job.job_id, work.attempt.attempt, ended, source="gateway")
        else:
            self._fail(work, "deadline_exceeded", "The job was not finished before its deadline.", now)

    def _provider_trouble(
        self, work: Work, error: ProviderError, now: datetime, credential: Credential
    ) -> None:
        """A provider that does not know the prediction has lost it; everything else is waited out."""
        if error.code == FailureKind.AUTHENTICATION.value:
            self.submit.on_key_refused(credential, work.job.user_id)
        if error.code == FailureKind.NOT_FOUND.value:
            self._fail(work, error.code, error.message, now)
            return
        self.journal.note("provider_trouble", work.job.job_id, code=error.code)
        wait = error.retry_after_seconds or poll_delay_seconds(work, now, self.jitter())
        self._look_again(work, min(max(wait, 2.0), 300.0), now)

    def _look_again(self, work: Work, seconds: float, now: datetime) -> None:
        """Schedule the next look, at the job's deadline at the latest; the sweep looks if that message is lost."""
        to_deadline = (work.deadline_at - now).total_seconds()
        if to_deadline > 0:
            seconds = min(seconds, max(1.0, to_deadline))
        again = self.record.emit_next_check(
            work.job.job_id,
            topic="advance",
            poll_seq=work.poll_seq,
            delay_seconds=math.ceil(seconds),
            now=now,
        )
        self.after_commit(again, now)

    def _poll_again(self, work: Work, now: datetime) -> None:
        """Ask again, ever more slowly; a provider with webhooks is asked no sooner than after its usual silence."""
        least = self.provider(work.attempt.provider).adapter.traits.poll_seconds * (0.9 + 0.2 * self.jitter())
        seconds = max(least, poll_delay_seconds(work, now, self.jitter()))
        self._look_again(
            work, seconds if self._callback(work) is None else max(seconds, self.timing.poll_after), now
        )

    def _callback(self, work: Work) -> str | None:
        attempt = work.attempt
        client = self.provider(attempt.provider)
        if client.adapter.traits.webhooks is WebhookProof.NONE:
            return None
        return self.submit.callback(
            attempt.provider, work.job.job_id, attempt.attempt, attempt.credential_version
        )

    def _recover(self, work: Work, now: datetime) -> None:
        """Look for what a submit that nobody answered came to: here, at the provider, or nowhere."""
        attempt, client = work.attempt, self.provider(work.attempt.provider)
        left = (
            self.submit.take_outputs.left_behind(work.job.job_id, attempt.attempt)
            if self._waits(work)
            else None
        )
        if left is not None:
            self.event(work.job.job_id, attempt.attempt, left, source="recover")
            return
        if not client.adapter.traits.claimable:
            words = "The provider never answered the submit, and cannot be asked what came of it. It is not sent again."
            self._fail(work, "submit_unknown", words, now)
            return
        provider_input = self._input(work)
        after, before = attempt.created_at - CLOCK_SKEW, now + CLOCK_SKEW
        claimed = self.record.claimed_predictions(attempt.provider, after, before)
        try:
            found = client.recover(
                self._submission(work, provider_input, 0),
                self._credential(work),
                self._callback(work),
                created_after=after,
                created_before=before,
                claimed=claimed,
            )
        except ProviderError as error:
            self.journal.note("recover_failed", work.job.job_id, code=error.code)
            found = None
        if found is not None:
            self.journal.note("recovered", work.job.job_id, providerJobId=found.provider_job_id)
            transition = self.event(work.job.job_id, attempt.attempt, found.update, source="recover")
            if not found.update.status.final and not transition.job.final:
                self._poll_again(work, now)
            return
        self._look_again(work, self.timing.recover_again, now)


def _remote(work: Work) -> RemoteJob:
    return RemoteJob(str(work.attempt.provider_job_id), work.attempt.model_ref)
