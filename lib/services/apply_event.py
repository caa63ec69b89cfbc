"""Applies what a provider said of an attempt: webhook, poll, cancel and recovery all come through here."""

from dataclasses import dataclass

from lib.domain.provider import ProviderUpdate, RemoteStatus
from lib.domain.timing import Timing
from lib.ports.record import Transition
from lib.services.advance_parts import AdvanceParts


@dataclass(frozen=True)
class ApplyEvent:
    """One mouth for all ears."""

    parts: AdvanceParts

    def __call__(self, job_id: str, attempt: int, update: ProviderUpdate, *, source: str) -> Transition:
        """The transition that it makes, if it makes one; repeated or late news change nothing."""
        parts, now = self.parts, self.parts.clock()
        timing = parts.timing
        if update.status is RemoteStatus.UNKNOWN:
            parts.journal.count("UnknownRemoteStatus", status=update.raw_status[:64])
        update = parts.submit.take_outputs(job_id, attempt, update)
        transition = parts.record.apply_update(
            job_id,
            attempt,
            update,
            source=source,
            now=now,
            due_at=Timing.after(now, timing.poll_after + timing.sweep_grace),
            storing_deadline_at=Timing.after(now, timing.storing_deadline),
            storing_due_at=Timing.after(now, timing.storing_lease),
        )
        if transition.outcome == "other_prediction":
            parts.journal.note("event_of_another_prediction", job_id, attempt=attempt)
        parts.after_commit(transition, now)
        if update.progress is not None and transition.snapshot and not transition.job.final:
            parts.note_progress(job_id, attempt, update.progress, now)
        return transition
