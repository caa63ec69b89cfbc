"""Sends an attempt that waits: claimed first, so that one worker sends it, once."""

from dataclasses import dataclass
from datetime import datetime

from lib.domain.due import Work
from lib.domain.errors import CommitUnknownError, ConfigurationError
from lib.domain.ids import uuid7
from lib.domain.timing import Timing
from lib.ports.record import Transition
from lib.services.advance_parts import AdvanceParts
from lib.services.submit_attempt import NOT_SENT_SECONDS
from lib.services.waiting import TryLaterError


@dataclass(frozen=True)
class SendQueued:
    """Whoever wins the claim sends. Everything that can fail without a send is done before it.

    worker A   begin_check   claim: won    send ........ record_submitted
    worker B     begin_check   claim: lost
    """

    parts: AdvanceParts

    def __call__(self, work: Work, now: datetime) -> None:
        """Send it, unless another did. A key that cannot be opened fails the job: nothing was sent."""
        parts = self.parts
        try:
            credential = parts.key(work)
        except ConfigurationError as error:
            parts.fail(work, error.code, error.message, now)
            return
        remaining = max(5, int((work.deadline_at - now).total_seconds()))
        submission = parts.submission(work, remaining)
        lease = parts.timing.generate_lease if parts.waits(work) else parts.timing.submit_lease
        claim = str(uuid7(now))
        claimed = self._claimed(work, claim, Timing.after(now, lease), now)
        if claimed.outcome != "claimed":
            return
        parts.after_commit(claimed, now)
        parts.submit.send(
            parts.client(work), submission, credential, claim=claim, submits=work.attempt.submits + 1
        )

    def _claimed(self, work: Work, claim: str, lease: datetime, now: datetime) -> Transition:
        job_id, attempt = work.job.job_id, work.attempt.attempt
        try:
            return self.parts.record.claim_attempt(job_id, attempt, claim=claim, lease_until=lease, now=now)
        except CommitUnknownError as lost:
            unsent = {"kind": "not_sent", "jobId": job_id, "attempt": attempt, "claim": claim}
            raise TryLaterError(NOT_SENT_SECONDS, "a claim was not answered", unsent) from lost
