"""What moving a job on takes, and the steps that its services share: looking again, giving up."""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from lib.domain.due import Work, poll_delay_seconds
from lib.domain.errors import ProviderError
from lib.domain.provider import Credential, FailureKind, RemoteJob, Submission, WebhookProof
from lib.domain.timing import Timing
from lib.ports.journal import Journal
from lib.ports.provider import ProviderClient
from lib.ports.record import JobRecord
from lib.services.after_commit import AfterCommit
from lib.services.submit_attempt import SubmitAttempt


class NoteProgress(Protocol):
    """Keeps a running job's progress beside the record; never raises."""

    def __call__(self, job_id: str, attempt: int, fraction: float, now: datetime) -> None:
        """`fraction` is 0.0 to 1.0."""


class LoadInput(Protocol):
    """Reads a large request's input back from the object that `request_ref` names."""

    def __call__(self, request_ref: str, attempt: int, model_id: str, /) -> Mapping[str, Any]:
        """The provider's input of this attempt; raises UnavailableError when the bucket is away."""


@dataclass(frozen=True)
class AdvanceParts:
    """The ports and services that move jobs on."""

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

    def client(self, work: Work) -> ProviderClient:
        """The provider of the job's attempt."""
        return self.provider(work.attempt.provider)

    def key(self, work: Work) -> Credential:
        """The very credential that the attempt is pinned to. Raises ConfigurationError where it cannot be opened."""
        return self.credential(work.attempt.provider, work.attempt.credential_version)

    def heard(self, error: ProviderError, credential: Credential, user_id: str) -> None:
        """A provider answered a question with an error: if it refuses the key, that makes no more jobs."""
        if error.code == FailureKind.AUTHENTICATION.value:
            self.submit.on_key_refused(credential, user_id)

    def waits(self, work: Work) -> bool:
        """Whether the answer to the submit is the result."""
        return self.client(work).adapter.is_synchronous(work.attempt.model_ref)

    def submission(self, work: Work, seconds: int) -> Submission:
        """The attempt as it is, or was, submitted; `seconds` are left until the deadline."""
        attempt = work.attempt
        given = attempt.input
        if given is None:
            given = self.load_input(str(work.request_ref), attempt.attempt, attempt.model_id)
        job = work.job
        return Submission(job.job_id, attempt.attempt, attempt.model_ref, given, seconds, user_id=job.user_id)

    def callback(self, work: Work) -> str | None:
        """Where the provider calls back about the attempt; None if it does not."""
        attempt = work.attempt
        if self.client(work).adapter.traits.webhooks is WebhookProof.NONE:
            return None
        return self.submit.callback(
            attempt.provider, work.job.job_id, attempt.attempt, attempt.credential_version
        )

    def look_again(self, work: Work, seconds: float, now: datetime) -> None:
        """Schedule the next look, at the job's deadline at the latest; the sweep looks if that message is lost."""
        to_deadline = (work.deadline_at - now).total_seconds()
        if to_deadline > 0:
            seconds = min(seconds, max(1.0, to_deadline))
        self._emit(work, "advance", work.poll_seq, math.ceil(seconds), now)

    def poll_again(self, work: Work, now: datetime) -> None:
        """Ask again, ever more slowly; a provider with webhooks is asked no sooner than after its usual silence."""
        least = self.client(work).adapter.traits.poll_seconds * (0.9 + 0.2 * self.jitter())
        seconds = max(least, poll_delay_seconds(work, now, self.jitter()))
        silence = 0.0 if self.callback(work) is None else self.timing.poll_after
        self.look_again(work, max(seconds, silence), now)

    def pass_on(self, work: Work, topic: str, now: datetime) -> None:
        """Another worker has the time for it: one of queue `submit` or `store`."""
        self._emit(work, topic, None, 0, now)

    def fail(self, work: Work, code: str, message: str, now: datetime) -> None:
        """The job fails; the same request may succeed later."""
        failed = self.record.fail_job(
            work.job.job_id,
            code=code,
            message=message,
            retryable=True,
            now=now,
            attempt=work.attempt.attempt,
        )
        self.after_commit(failed, now)

    def _emit(self, work: Work, topic: str, poll_seq: int | None, seconds: float, now: datetime) -> None:
        again = self.record.emit_next_check(
            work.job.job_id, topic=topic, poll_seq=poll_seq, delay_seconds=seconds, now=now
        )
        self.after_commit(again, now)


def remote_of(work: Work) -> RemoteJob:
    """The job as its provider knows it."""
    return RemoteJob(str(work.attempt.provider_job_id), work.attempt.model_ref)
