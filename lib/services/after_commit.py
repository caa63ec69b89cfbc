"""What follows a committed transition: the mirrors are told, and the outbox is sent."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from lib.domain.errors import RecordUnavailableError, UnavailableError
from lib.domain.snapshot import JobSnapshot
from lib.ports.journal import Journal
from lib.ports.queue import WorkQueue
from lib.ports.record import JobRecord, OutboxMessage, Transition
from lib.services.attempt_log import log_ended_attempt

HEAL_AFTER_SECONDS = 5


class AfterCommit:
    """Publishes and sends. Dying anywhere in it loses nothing: mirrors heal by reading, the sweep sends the rest.

    Args:
        record: where sent messages are forgotten.
        publish: writes a snapshot to all mirrors and names those that missed it; never raises.
        queues: the work queue of each outbox topic.
        journal: is told of each transition.
    """

    def __init__(
        self,
        record: JobRecord,
        publish: Callable[[JobSnapshot, datetime], Sequence[str]],
        queues: Mapping[str, WorkQueue],
        journal: Journal,
    ) -> None:
        self._record = record
        self._publish = publish
        self._queues = queues
        self._journal = journal

    def __call__(self, transition: Transition, now: datetime) -> Transition:
        """Follow up on one transition and return it."""
        if transition.changed:
            self._journal.transition(transition.outcome, transition.job)
            self.mirror(transition.job, now)
        log_ended_attempt(self._journal, transition)
        self.send(transition.outbox)
        return transition

    def mirror(self, job: JobSnapshot, now: datetime) -> None:
        """Tell the mirrors of a job as it stands; a mirror that knows more keeps what it knows."""
        if self._publish(job, now):
            self._heal_later(job)

    def _heal_later(self, job: JobSnapshot) -> None:
        """A mirror missed this version: once it is back and its trust in the old one is over, it is told again."""
        message = {"kind": "heal", "jobId": job.job_id}
        try:
            self._queues["advance"].send(message, group=job.user_id, delay_seconds=HEAL_AFTER_SECONDS)
        except UnavailableError:
            self._journal.count("HealSendFailed")

    def announce(self, created: Transition) -> None:
        """Tell of a job that the next transition, already under way, will publish."""
        if created.changed:
            self._journal.transition(created.outcome, created.job)

    def send(self, messages: Sequence[OutboxMessage], stop: Callable[[], bool] = lambda: False) -> int:
        """Send what the outbox holds and forget it there; returns how many were sent. The rest waits for the sweep."""
        sent = []
        for message in messages:
            if stop():
                break
            try:
                self._queues[message.topic].send(
                    message.payload, group=message.group, delay_seconds=min(message.delay_seconds, 900)
                )
            except UnavailableError:
                self._journal.count("OutboxSendFailed", topic=message.topic)
                continue
            sent.append(message.outbox_id)
        if sent:
            try:
                self._record.forget_sent(sent)
            except RecordUnavailableError:
                self._journal.count("OutboxForgetFailed")
        return len(sent)
