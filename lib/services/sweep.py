"""The safety net: what nobody did in time is found here and handed to a worker."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from lib.ports.journal import Journal
from lib.ports.queue import WorkQueue
from lib.ports.record import JobRecord
from lib.services.after_commit import AfterCommit

BATCH = 200
PER_SEND = 10
LEASE_SECONDS = 120
ONCE_AN_HOUR_BEFORE_MINUTE = 5


@dataclass(frozen=True)
class SweepReport:
    """What one sweep did; `asked_record` is False when the mirror said that nothing is due."""

    asked_record: bool
    jobs: int = 0
    messages: int = 0
    out_of_time: bool = False


@dataclass(frozen=True)
class Sweep:
    """The use case of the schedule. Its cost grows with the jobs that are due, not with all jobs.

    Args:
        any_due: asks the mirror whether a job in flight is due; True when the mirror cannot say.
        heal_due: tells the mirror anew of jobs that it wrongly believes to be due.
    """

    record: JobRecord
    after_commit: AfterCommit
    advance_queue: WorkQueue
    any_due: Callable[[datetime], bool]
    heal_due: Callable[[datetime], int]
    journal: Journal
    clock: Callable[[], datetime]

    def run(self, stop: Callable[[], bool] = lambda: False) -> SweepReport:
        """Send what is left in the outbox and enqueue a check for each due job, batch by batch until `stop()`.

        A sweep that dies leaves leases that expire; two sweeps never take the same job.
        """
        now = self.clock()
        if not self.any_due(now) and now.minute >= ONCE_AN_HOUR_BEFORE_MINUTE:
            return SweepReport(asked_record=False)
        messages = self._empty_outbox(stop)
        jobs = 0
        while not stop():
            taken = self._enqueue_due_jobs(stop)
            jobs += taken
            if taken < BATCH and not stop():
                self.heal_due(self.clock())
                return SweepReport(asked_record=True, jobs=jobs, messages=messages)
        return SweepReport(asked_record=True, jobs=jobs, messages=messages, out_of_time=True)

    def _empty_outbox(self, stop: Callable[[], bool]) -> int:
        sent = 0
        while not stop():
            now = self.clock()
            left = self.record.take_outbox(
                now=now, limit=BATCH, lease_until=now + timedelta(seconds=LEASE_SECONDS)
            )
            sent += self.after_commit.send(left, stop)
            if len(left) < BATCH:
                break
        return sent

    def _enqueue_due_jobs(self, stop: Callable[[], bool]) -> int:
        now = self.clock()
        lease = now + timedelta(seconds=LEASE_SECONDS)
        due = self.record.take_due_jobs(now=now, limit=BATCH, lease_until=lease)
        for first in range(0, len(due), PER_SEND):
            if stop():  # a queue that answers slowly; the leases of the others expire
                break
            some = [
                ({"kind": "check", "jobId": job_id, "overdue": True}, user_id)
                for job_id, user_id in due[first : first + PER_SEND]
            ]
            for _ in range(self.advance_queue.send_many(some)):
                self.journal.count("SweepSendFailed")
        return len(due)
