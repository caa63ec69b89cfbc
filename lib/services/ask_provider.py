"""Asks providers about attempts that they have, or may have: how they stand, to stop, whether there is one at all."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lib.domain.due import Work, poll_delay_seconds
from lib.domain.errors import InvalidError, ProviderError
from lib.domain.provider import (
    Credential,
    FailureKind,
    ProviderUpdate,
    RecoveredPrediction,
    RemoteJob,
    RemoteStatus,
)
from lib.services.advance_parts import AdvanceParts, remote_of
from lib.services.apply_event import ApplyEvent

VERDICT_CHECK_SECONDS = 15
CLOCK_SKEW = timedelta(seconds=60)


@dataclass(frozen=True)
class AskProvider:
    """Each question ends in an event, a next look, or the job's end. All raise ConfigurationError for a lost key."""

    parts: AdvanceParts
    apply: ApplyEvent

    def poll(self, work: Work, now: datetime) -> None:
        """Ask how it stands; a provider that cannot be asked is waited for."""
        parts, attempt = self.parts, work.attempt
        if not parts.client(work).adapter.traits.polls:
            if not self._took_answer(work):
                parts.look_again(work, parts.timing.poll_after, now)
            return
        credential = parts.key(work)
        try:
            update = parts.client(work).poll(remote_of(work), credential)
        except ProviderError as error:
            self._trouble(work, error, now, credential)
            return
        update = replace(update, provider_job_id=attempt.provider_job_id)
        transition = self.apply(work.job.job_id, attempt.attempt, update, source="poll")
        if not update.status.final and transition.snapshot and not transition.job.final:
            parts.poll_again(work, now)

    def claim(self, work: Work, provider_job_id: str, now: datetime) -> None:
        """A submit without an answer may have made this job there: if the attempt's own key can see it, it has."""
        remote = RemoteJob(provider_job_id, work.attempt.model_ref)
        try:
            update = self.parts.client(work).poll(remote, self.parts.key(work))
        except (ProviderError, InvalidError) as error:
            self.parts.journal.note("hint_not_confirmed", work.job.job_id, code=error.code)
            self.parts.look_again(work, self.parts.timing.recover_again, now)
            return
        update = replace(update, provider_job_id=provider_job_id)
        transition = self.apply(work.job.job_id, work.attempt.attempt, update, source="poll")
        if not update.status.final and transition.snapshot and not transition.job.final:
            self.parts.poll_again(work, now)

    def cancel(self, work: Work, now: datetime) -> None:
        """Ask the provider to cancel; only its evidence ends the job.

        A provider that refuses may have ended already, and one that says nothing may too: then it is asked.
        """
        parts, attempt = self.parts, work.attempt
        if not parts.client(work).adapter.traits.cancels:
            self._without_cancel(work, now)
            return
        credential = parts.key(work)
        try:
            update = self._canceled(work, credential)
        except ProviderError as error:
            if error.retryable or error.code == FailureKind.NOT_FOUND.value:
                self._trouble(work, error, now, credential)
            else:
                self.poll(work, now)
            return
        update = replace(update, provider_job_id=attempt.provider_job_id)
        if update.status.final:
            self.apply(work.job.job_id, attempt.attempt, update, source="cancel")
        elif update.status is RemoteStatus.UNKNOWN:
            self.poll(work, now)
        else:
            parts.look_again(work, VERDICT_CHECK_SECONDS, now)

    def _canceled(self, work: Work, credential: Credential) -> ProviderUpdate:
        """What the provider says to the wish; a result that a cancel would remove is taken instead."""
        client, remote = self.parts.client(work), remote_of(work)
        if client.adapter.traits.cancel_removes:
            stands = client.poll(remote, credential)
            if stands.status.final:
                return stands
        return client.cancel(remote, credential)

    def recover(self, work: Work, now: datetime) -> None:
        """Look for what a submit that nobody answered came to: here, at the provider, or nowhere."""
        parts, attempt, job_id = self.parts, work.attempt, work.job.job_id
        if self._took_answer(work):
            return
        if not parts.client(work).adapter.traits.claimable:
            words = "The provider never answered the submit, and cannot be asked what came of it. It is not sent again."
            parts.fail(work, "submit_unknown", words, now)
            return
        found = self._found(work, now)
        if found is None:
            parts.look_again(work, parts.timing.recover_again, now)
            return
        parts.journal.note("recovered", job_id, providerJobId=found.provider_job_id)
        transition = self.apply(job_id, attempt.attempt, found.update, source="recover")
        if not found.update.status.final and not transition.job.final:
            parts.poll_again(work, now)

    def _found(self, work: Work, now: datetime) -> RecoveredPrediction | None:
        parts, attempt = self.parts, work.attempt
        after, before = attempt.created_at - CLOCK_SKEW, now + CLOCK_SKEW
        claimed = parts.record.claimed_predictions(attempt.provider, after, before)
        credential = parts.key(work)
        try:
            return parts.client(work).recover(
                parts.submission(work, 0),
                credential,
                parts.callback(work),
                created_after=after,
                created_before=before,
                claimed=claimed,
            )
        except ProviderError as error:
            parts.heard(error, credential, work.job.user_id)
            parts.journal.note("recover_failed", work.job.job_id, code=error.code)
            return None

    def _took_answer(self, work: Work) -> bool:
        """Take what a provider answered to a worker that did not live to record it; whether there was something."""
        parts, job_id, attempt = self.parts, work.job.job_id, work.attempt.attempt
        left = parts.submit.take_outputs.left_behind(job_id, attempt) if parts.waits(work) else None
        if left is not None:
            self.apply(job_id, attempt, left, source="recover")
        return left is not None

    def _without_cancel(self, work: Work, now: datetime) -> None:
        """A provider that cannot be stopped is given up, but not one that has answered with the result.

        worker A   is answered   records the submit               records the result
        worker B                                   told to cancel
        """
        if self._took_answer(work):
            return
        if self.parts.waits(work) and now < work.deadline_at:
            self.parts.look_again(work, VERDICT_CHECK_SECONDS, now)
            return
        self._give_up(work, now)

    def _give_up(self, work: Work, now: datetime) -> None:
        """A provider that cannot be stopped is not waited for: the job ends, whatever comes of it there."""
        self.parts.journal.note("provider_cannot_cancel", work.job.job_id, provider=work.attempt.provider)
        if work.job.data["cancelRequested"]:
            ended = ProviderUpdate(RemoteStatus.CANCELED, work.attempt.provider_job_id)
            self.apply(work.job.job_id, work.attempt.attempt, ended, source="gateway")
        else:
            self.parts.fail(work, "deadline_exceeded", "The job was not finished before its deadline.", now)

    def _trouble(self, work: Work, error: ProviderError, now: datetime, credential: Credential) -> None:
        """A provider that does not know the prediction has lost it; everything else is waited out."""
        parts = self.parts
        parts.heard(error, credential, work.job.user_id)
        if error.code == FailureKind.NOT_FOUND.value:
            parts.fail(work, error.code, error.message, now)
            return
        parts.journal.note("provider_trouble", work.job.job_id, code=error.code)
        wait = error.retry_after_seconds or poll_delay_seconds(work, now, parts.jitter())
        parts.look_again(work, min(max(wait, 2.0), 300.0), now)
