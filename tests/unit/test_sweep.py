"""The sweep's time: it stops when it is told to, and what it leaves comes back by itself."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, cast

import pytest

from lib.domain.errors import InvalidError, RecordUnavailableError
from lib.ports.journal import Journal
from lib.ports.record import JobRecord, OutboxMessage
from lib.ports.work_report import Metric
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


class QuietRecord:
    """A record in which nothing is due; `fault` is what happens to figures."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.calls: list[str] = []
        self.metrics: list[Metric] = []
        self.fault = fault

    def take_outbox(self, **_: Any) -> list[OutboxMessage]:
        self.calls.append("take_outbox")
        return []

    def take_due_jobs(self, **_: Any) -> list[tuple[str, str]]:
        self.calls.append("take_due_jobs")
        return [("job-1", "alice")]

    def record_metrics(self, metrics: Sequence[Metric], now: datetime) -> int:
        self.calls.append("record_metrics")
        if self.fault:
            raise self.fault
        self.metrics += metrics
        return len(metrics)


class Counts:
    """A journal that counts."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.names: list[str] = []

    def count(self, name: str, **_: str) -> None:
        self.names.append(name)

    def note(self, event: str, **_: str) -> None:
        self.notes.append(event)


def quiet_sweep(
    record: QuietRecord, counts: Counts, *, due: bool = True, in_flight: bool = False, minute: int = 30
) -> Sweep:
    def remove_expired(now: datetime, stop: Callable[[], bool]) -> dict[str, int]:
        record.calls.append("remove_expired")
        return {"jobs": 7}

    typed, journal, queue = cast("JobRecord", record), cast("Journal", counts), FakeQueue()
    return Sweep(
        record=typed,
        after_commit=AfterCommit(typed, lambda *_: (), {"advance": queue}, journal),
        advance_queue=queue,
        any_due=lambda by: due or (in_flight and by > NOW + timedelta(days=1)),
        heal_due=lambda _: 0,
        remove_expired=remove_expired,
        journal=journal,
        clock=lambda: NOW.replace(minute=minute),
    )


def test_after_the_due_work_what_has_expired_is_removed_and_all_of_it_is_measured() -> None:
    record = QuietRecord()
    report = quiet_sweep(record, Counts()).run()
    assert record.calls == ["take_outbox", "take_due_jobs", "remove_expired", "record_metrics"]
    assert (report.jobs, report.removed) == (1, {"jobs": 7})
    figures = {(metric.name, metric.value, metric.unit) for metric in record.metrics}
    assert {
        ("sweep_jobs", 1, "count"),
        ("rows_removed", 7, "count"),
        ("sweep_duration", 0, "seconds"),
    } <= figures
    assert [metric.dimensions for metric in record.metrics if metric.name == "rows_removed"] == [
        {"table": "jobs"}
    ]


def test_a_sweep_to_which_the_mirror_says_that_nothing_is_due_leaves_the_record_asleep() -> None:
    record = QuietRecord()
    report = quiet_sweep(record, Counts(), due=False).run()
    assert (report.asked_record, record.calls) == (False, [])


def test_with_jobs_in_flight_of_which_none_is_due_the_gateway_is_measured_and_no_more() -> None:
    record = QuietRecord()
    report = quiet_sweep(record, Counts(), due=False, in_flight=True).run()
    assert (report.asked_record, record.calls) == (False, ["record_metrics"])


def test_once_an_hour_the_record_is_asked_whatever_the_mirror_says() -> None:
    record = QuietRecord()
    assert quiet_sweep(record, Counts(), due=False, minute=4).run().asked_record
    assert "remove_expired" in record.calls


def test_figures_that_cannot_be_kept_are_counted_and_cost_nothing() -> None:
    record, counts = QuietRecord(InvalidError("no such figure")), Counts()
    assert quiet_sweep(record, counts).run().jobs == 1
    assert counts.names == ["MetricsNotRecorded"]
    assert counts.notes == ["metrics_not_recorded"]


def test_a_record_that_goes_away_before_the_figures_ends_the_sweep_as_before_them() -> None:
    with pytest.raises(RecordUnavailableError):
        quiet_sweep(QuietRecord(RecordUnavailableError("away")), Counts()).run()
