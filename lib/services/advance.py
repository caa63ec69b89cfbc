"""Moves jobs on: does what is due for one, applies what a provider said, cancels what nobody waits for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from lib.domain.credential import update_without_key
from lib.domain.due import Due, Work, wait_seconds, what_is_due
from lib.domain.errors import ConfigurationError, ProviderError
from lib.domain.job import JobStep
from lib.domain.provider import PLATFORM_VERSION, FailureKind, ProviderUpdate, RemoteJob
from lib.domain.timing import Timing
from lib.ports.record import Transition
from lib.services.advance_parts import AdvanceParts
from lib.services.apply_event import ApplyEvent
from lib.services.ask_provider import AskProvider
from lib.services.send_queued import SendQueued
from lib.services.waiting import TryLaterError, backoff_seconds, tried_again

MAX_TRIES_TO_PLACE_A_WEBHOOK = 8
MAX_TRIES_TO_CANCEL = 40  # over an hour; by then the provider has ended it, by the deadline that it was given
LOST_KEY_SECONDS = 300.0
"""An operator may bring a key back; until then, or the job's deadline, its jobs are looked at this often."""
WORDS_WITHHELD = (
    "The provider's reason is not told: it may hold a part of the key, which cannot be opened any more."
)

_GIVEN_UP = {
    Due.FAIL_DEADLINE: ("deadline_exceeded", "The job was not finished before its deadline."),
    Due.FAIL_UNKNOWN: (
        "submit_unknown",
        "The provider never answered the submit, and nothing was heard of it until the deadline.",
    ),
    Due.FAIL_STORING: ("storing_deadline_exceeded", "The outputs could not be stored in time."),
}


@dataclass(frozen=True)
class AdvanceJob:
    """`check`, `submit`, `event`, `hint`, `not_sent`, `cancel_remote`: each may come twice, late, or never."""

    parts: AdvanceParts

    @cached_property
    def apply(self) -> ApplyEvent:
        """Applies what a provider said."""
        return ApplyEvent(self.parts)

    @cached_property
    def ask(self) -> AskProvider:
        """Asks providers."""
        return AskProvider(self.parts, self.apply)

    def check(self, message: Mapping[str, Any]) -> None:
        """Win the turn to look at the job, and do the one thing that is due."""
        now = self.parts.clock()
        work = self._turn(message, now)
        if work is None:
            return
        try:
            self._do(work, now, overdue=bool(message.get("overdue")))
        except ConfigurationError as error:
            self._wait_for_key(work, error, now)

    def submit_and_wait(self, message: Mapping[str, Any]) -> None:
        """Send a queued attempt whose answer is the result, in a worker that has the time to wait for it."""
        now = self.parts.clock()
        work = self._turn(message, now)
        if work is not None and what_is_due(work, now, self.parts.timing) is Due.SUBMIT:
            SendQueued(self.parts)(work, now)

    def hint(self, message: Mapping[str, Any]) -> None:
        """Somebody who holds the attempt's address says that there is news; the provider is asked what it is.

        Its signature, if there was one, is that of a user's own account: it proves nothing about anybody's job.
        """
        now = self.parts.clock()
        work = self._turn({"jobId": message["jobId"]}, now, also_over=True)
        if work is None or work.job.step is JobStep.STORING:
            return
        over = (
            work.job.final
        )  # and its submit was never answered: what runs for it is claimed, to be canceled
        other = work.attempt.attempt != int(message["attempt"]) or work.attempt.state.ended
        if over and other:
            return
        try:
            if not over and (other or now >= work.deadline_at):  # this look took the planned one's turn
                self._do(work, now, overdue=False)
            elif work.attempt.provider_job_id is not None:
                self.ask.poll(work, now)
            elif message.get("providerJobId"):
                self.ask.claim(work, str(message["providerJobId"]), now)
        except ConfigurationError as error:
            self._wait_for_key(work, error, now)

    def event(
        self, job_id: str, attempt: int, update: ProviderUpdate, *, source: str = "webhook"
    ) -> Transition:
        """Apply what a provider said of an attempt."""
        return self.apply(job_id, attempt, update, source=source)

    def without_key(self, provider: str, version: str, update: ProviderUpdate) -> ProviderUpdate:
        """What a webhook says, without what its words share with the key that made the job: providers echo keys.

        Only a failure has words. Where the key cannot be opened any more, nobody can tell what they share with it.
        """
        if update.failure is None:
            return update
        try:
            return update_without_key(update, self.parts.credential(provider, version))
        except ConfigurationError as error:
            self.parts.journal.note("key_not_opened", code=error.code)
            return replace(update, failure=replace(update.failure, message=WORDS_WITHHELD))

    def not_sent(self, message: Mapping[str, Any]) -> None:
        """The record was away when it was to hear that an attempt was not sent: it fails, or is to be sent again.

        A claim that was given back, or lost since, is no claim any more: this message may come twice.
        """
        parts, now, job_id = self.parts, self.parts.clock(), str(message["jobId"])
        failure = message.get("failure")
        if failure is not None:
            of = int(message.get("attempt", 1))
            parts.after_commit(parts.record.fail_job(job_id, now=now, attempt=of, **failure), now)
            return
        attempt, claim = int(message["attempt"]), str(message["claim"])
        reason = "It was not sent, and the record was away."
        given_back = parts.record.defer_submit(
            *(job_id, attempt),
            retry_at=now,
            reason=reason,
            now=now,
            claim=claim,
            doubtful=bool(message.get("doubtful")),
        )
        parts.after_commit(given_back, now)
        if given_back.outcome == "unchanged":  # it was never won: the attempt waits for whoever looks
            self.check({"kind": "check", "jobId": job_id})

    def cancel_remote(self, message: Mapping[str, Any]) -> None:
        """Cancel a prediction that no job waits for any more; what the provider answers ends its attempt."""
        job_id, attempt = str(message["jobId"]), int(message["attempt"])
        job = self.parts.record.find_job(job_id)
        if job is None:
            return
        name = str(message.get("provider", job.data["provider"]))
        remote = RemoteJob(str(message["providerJobId"]), str(message.get("modelRef", "")))
        version = str(message.get("credentialVersion", PLATFORM_VERSION))
        try:
            credential = self.parts.credential(name, version)
        except ConfigurationError as error:
            self.parts.journal.note("key_not_opened", job_id, code=error.code)
            return
        try:
            update = self.parts.provider(name).cancel(remote, credential)
        except ProviderError as error:
            self.parts.heard(error, credential, job.user_id)
            self._cancel_later(name, error, message)
            return
        if update.status.final:
            self.event(
                job_id, attempt, replace(update, provider_job_id=remote.provider_job_id), source="cancel"
            )

    def place(
        self, provider: str, provider_job_id: str, message: Mapping[str, Any]
    ) -> tuple[str, int] | None:
        """(job id, attempt) of a webhook that names neither; the answer that records its id may still be on its way."""
        found = self.parts.record.find_job_by_provider(provider, provider_job_id)
        tries = int(message.get("tries", 0))
        if found is None and tries < MAX_TRIES_TO_PLACE_A_WEBHOOK:
            reason = "no job has this provider job id yet"
            raise TryLaterError(backoff_seconds(tries), reason, tried_again(message))
        return found

    def _turn(self, message: Mapping[str, Any], now: datetime, *, also_over: bool = False) -> Work | None:
        """What is to be looked at; `also_over`: even if only an attempt is left of it, and the job has ended."""
        parts = self.parts
        turn = parts.record.begin_check(
            str(message["jobId"]),
            poll_seq=message.get("pollSeq"),
            now=now,
            due_at=Timing.after(now, parts.timing.poll_after + parts.timing.sweep_grace),
        )
        if turn.outcome == "work" or (also_over and "work" in turn.extra):
            return Work.from_json(turn.job, turn.extra["work"])
        parts.after_commit(turn, now)
        return None

    def _do(self, work: Work, now: datetime, *, overdue: bool) -> None:
        """`overdue`: the sweep asks, so nobody is at it. Otherwise a worker may be storing at this moment."""
        parts, due = self.parts, what_is_due(work, now, self.parts.timing)
        match due:
            case Due.SUBMIT if parts.waits(work):
                parts.pass_on(work, "submit", now)
            case Due.SUBMIT:
                SendQueued(parts)(work, now)
            case Due.WAIT:
                parts.record.set_due(work.job.job_id, now + timedelta(seconds=wait_seconds(work, now)))
            case Due.WAIT_TO_SUBMIT:
                parts.look_again(work, wait_seconds(work, now), now)
            case Due.MARK_UNKNOWN:
                self._mark_unknown(work, now)
                self.ask.recover(work, now)
            case Due.RECOVER:
                self.ask.recover(work, now)
            case Due.FAIL_UNKNOWN if parts.waits(work):  # its result may lie in the bucket
                self.ask.recover(work, now)
            case Due.POLL:
                self.ask.poll(work, now)
            case Due.CANCEL:
                self.ask.cancel(work, now)
            case Due.STORE:
                if overdue:
                    parts.pass_on(work, "store", now)
            case Due.FAIL_DEADLINE | Due.FAIL_UNKNOWN | Due.FAIL_STORING:
                parts.fail(work, *_GIVEN_UP[due], now)

    def _wait_for_key(self, work: Work, error: ConfigurationError, now: datetime) -> None:
        self.parts.journal.note("key_not_opened", work.job.job_id, code=error.code)
        self.parts.look_again(work, LOST_KEY_SECONDS, now)

    def _mark_unknown(self, work: Work, now: datetime) -> None:
        due_at = Timing.after(now, self.parts.timing.recover_again)
        marked = self.parts.record.mark_submit_unknown(
            work.job.job_id, work.attempt.attempt, due_at=due_at, now=now
        )
        self.parts.after_commit(marked, now)

    def _cancel_later(self, name: str, error: ProviderError, message: Mapping[str, Any]) -> None:
        """A cancel that was not heard is repeated, for as long as the provider may still be at it."""
        if error.code == FailureKind.NOT_FOUND.value:
            return
        tries = int(message.get("tries", 0))
        if tries >= MAX_TRIES_TO_CANCEL:
            self.parts.journal.count("CancelGivenUp", provider=name)
            return
        wait = error.retry_after_seconds or backoff_seconds(tries)
        raise TryLaterError(wait, f"cancel: {error.code}", tried_again(message)) from error
