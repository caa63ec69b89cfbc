"""The sweep's time: it stops when it is told to, and what it leaves comes back by itself."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any, cast

from lib.ports.journal import Journal
from lib.ports.record import JobRecord, Metric, OutboxMessage
from lib.services.after_commit import AfterCommit
from lib.services.sweep import BATCH, PER_SEND, Sweep
from tests.fakes.queue import FakeQueue

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class BusyRecord:
    """A record in which more jobs are due than can be enqueued; `outbox` is what is left there."""

    def __init__(self, outbox: int) -> None:
        self.outbox = [OutboxMessage(number, "advance", "alice", {}, 0) for number in range(outbox)]
        self.forgotten: list[int] = []
        self.metrics: list[Metric] = []

    def take_outbox(self, **_: Any) -> list[OutboxMessage]:
        return self.outbox

    def forget_sent(self, outbox_ids: list[int]) -> None:
        self.forgotten += outbox_ids

    def record_metrics(self, metrics: Sequence[Metric], now: datetime) -> int:
        self.metrics += metrics
        return len(metrics)

    def take_due_jobs(self, **_: Any) -> list[tuple[str, str]]:
        return [(f"job-{number}", "alice") for number in range(BATCH)]


class Swept:
    """A sweep over such a record whose time is up after so many looks at the clock."""

    def __init__(self, *, looks: int, outbox: int = 0) -> None:
        self.record, self.queue, self.healed = BusyRecord(outbox), FakeQueue(), 0
        record, journal = cast("JobRecord", self.record), cast("Journal", None)
        after_commit = AfterCommit(record, lambda *_: (), {"advance": self.queue}, journal)
        sweep = Sweep(
            record=record,
            after_commit=after_commit,
            advance_queue=self.queue,
            any_due=lambda _: True,
            heal_due=self._heal,
            remove_expired=lambda _now, _stop: {},
            journal=journal,
            clock=lambda: NOW,
        )
        self.report = sweep.run(_up_after(looks))

    def _heal(self, _now: datetime) -> int:
        self.healed += 1
        return 0


def _up_after(looks: int) -> Callable[[], bool]:
    looked = count(1)
    return lambda: next(looked) > looks


def test_an_outbox_that_a_slow_queue_takes_too_long_for_is_left_to_its_leases() -> None:
    swept = Swept(looks=5, outbox=BATCH)  # one look before the batch, one before each message
    assert (swept.report.messages, swept.report.jobs, swept.report.out_of_time) == (4, 0, True)
    assert swept.record.forgotten == [0, 1, 2, 3]
    assert len(swept.queue.sent) == 4


def test_due_jobs_that_a_slow_queue_takes_too_long_for_are_left_to_their_leases() -> None:
    swept = Swept(looks=4)  # one before the outbox, one before the jobs, one before each send
    assert [sent.message["jobId"] for sent in swept.queue.sent] == [f"job-{n}" for n in range(2 * PER_SEND)]
    assert swept.report.out_of_time
    assert swept.healed == 0
