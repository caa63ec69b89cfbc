"""The safety net: what nobody did in time is found here and handed to a worker."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from lib.domain.errors import RecordUnavailableError
from lib.ports.journal import Journal
from lib.ports.queue import WorkQueue
from lib.ports.record import JobRecord
from lib.ports.work_report import Metric
from lib.services.after_commit import AfterCommit

BATCH = 200
PER_SEND = 10
LEASE_SECONDS = 120
ONCE_AN_HOUR_BEFORE_MINUTE = 5
IN_FLIGHT = timedelta(days=30)  # whatever is in flight is due by then


@dataclass(frozen=True)
class SweepReport:
    """What one sweep did; `asked_record` is False when the mirror said that nothing is due: then it only measured.

    `removed` is how many rows of which table were older than their period.
    """

    asked_record: bool
    jobs: int = 0
    messages: int = 0
    out_of_time: bool = False
    removed: Mapping[str, int] = field(default_factory=dict)

    def metrics(self, seconds: float) -> list[Metric]:
        """The figures of this sweep for the record, which took so long."""
        return [
            Metric("sweep_jobs", self.jobs, "count"),
            Metric("sweep_messages", self.messages, "count"),
            Metric("sweep_duration", seconds, "seconds"),
            Metric("sweep_out_of_time", int(self.out_of_time), "count"),
            *(
                Metric("rows_removed", rows, "count", {"table": table})
                for table, rows in self.removed.items()
            ),
        ]


class RemoveExpired(Protocol):
    """Removes what is older than its period; how many rows of which table."""

    def __call__(self, now: datetime, stop: Callable[[], bool]) -> Mapping[str, int]:
        """Until `stop()` at the latest; raises RecordUnavailableError."""


@dataclass(frozen=True)
class Sweep:
    """The use case of the schedule. Its cost grows with the jobs that are due, not with all jobs.

    After the due work it removes what has expired and measures the gateway. With nothing due it only measures, and with
    nothing in flight it leaves the record alone: a database that sleeps when idle goes on sleeping.

    Args:
        any_due: asks the mirror whether a job in flight is due by that moment; True when the mirror cannot say.
        heal_due: tells the mirror anew of jobs that it wrongly believes to be due.
        remove_expired: removes what is older than its period.
    """

    record: JobRecord
    after_commit: AfterCommit
    advance_queue: WorkQueue
    any_due: Callable[[datetime], bool]
    heal_due: Callable[[datetime], int]
    remove_expired: RemoveExpired
    journal: Journal
    clock: Callable[[], datetime]

    def run(self, stop: Callable[[], bool] = lambda: False) -> SweepReport:
        """Send what is left in the outbox and enqueue a check for each due job, batch by batch until `stop()`.

        A sweep that dies leaves leases that expire; two sweeps never take the same job.
        """
        now = self.clock()
        if not self.any_due(now) and now.minute >= ONCE_AN_HOUR_BEFORE_MINUTE:
            report = SweepReport(asked_record=False)
            if self.any_due(now + IN_FLIGHT):
                self._measure(report, now)
            return report
        report = self._due_work(stop)
        report = replace(report, removed=self.remove_expired(self.clock(), stop))
        self._measure(report, now)
        return report

    def _due_work(self, stop: Callable[[], bool]) -> SweepReport:
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

    def _measure(self, report: SweepReport, begun: datetime) -> None:
        """Figures that cannot be kept are counted, and cost the sweep nothing."""
        now = self.clock()
        try:
            self.record.record_metrics(report.metrics((now - begun).total_seconds()), now)
        except RecordUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - the due work is done, and is not to be done again for figures
            self.journal.count("MetricsNotRecorded")
            self.journal.note("metrics_not_recorded", reason=f"{type(error).__name__}: {error}")
