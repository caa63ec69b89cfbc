"""Measures the sweep: 100 due jobs among few and among many, and 100,000 due at once."""

import time
from collections.abc import Callable
from contextlib import closing

from benchmarks.bench import Bench, BenchmarkError
from benchmarks.figures import Figure, Measurement
from benchmarks.sweep.filled_record import FilledRecord
from benchmarks.timing import Pair, take_turns
from lib.services.sweep import BATCH
from local.backing import Postgres

FEW, MANY = 1_000, 100_000
DUE = 100
TURNS = 15
RATIO_LIMIT = 2.0
FUNCTION_SECONDS = 60


def measure(bench: Bench) -> Measurement:
    """Sweep two records in turns; then let everything be due in the larger one."""
    with (
        Postgres(bench.directory / "postgres") as server,
        closing(FilledRecord(server, FEW)) as few,
        closing(FilledRecord(server, MANY)) as many,
    ):
        swept(few, DUE)()
        swept(many, DUE)()
        pair = take_turns(swept(many, DUE), swept(few, DUE), TURNS)
        many.make_due(DUE)
        before = many.sequential_scans()
        many.sweep.run()
        scans = many.sequential_scans() - before
        return _measurement(pair, scans, swept(many, MANY)())


def swept(record: FilledRecord, due: int) -> Callable[[], float]:
    """A side of `take_turns`: one sweep with so many due jobs, in seconds; the making due is not counted.

    Raises BenchmarkError unless each due job, and no other, was enqueued once.
    """

    def run() -> float:
        record.make_due(due)
        begun = time.perf_counter()
        report = record.sweep.run()
        seconds = time.perf_counter() - begun
        enqueued = record.queue.jobs
        if report.jobs != due or len(enqueued) != due or len(set(enqueued)) != due:
            raise BenchmarkError(
                f"{due} jobs were due; {report}, {len(set(enqueued))} different jobs enqueued"
            )
        return seconds

    return run


def _measurement(pair: Pair, scans: int, all_seconds: float) -> Measurement:
    many, few = pair.medians
    return Measurement(
        "The sweep",
        [
            Figure(
                f"sweep: {DUE} due among {MANY:,} to {DUE} among {FEW:,}", pair.ratio_of_medians, RATIO_LIMIT
            ),
            Figure(f"sweep: scans of all jobs, {MANY:,} in flight", scans, 0),
            Figure(f"sweep: all {MANY:,} due, the record's part", all_seconds, FUNCTION_SECONDS, "s"),
        ],
        [
            f"{DUE} due jobs take {many * 1000:.1f} ms among {MANY:,}, {few * 1000:.1f} among {FEW:,}; {TURNS} turns.",
            f"{MANY:,} due jobs in batches of {BATCH}: {MANY / all_seconds:,.0f} jobs per second of the record's time.",
            "The record is real, the queue only counts: the sends to SQS come on top.",
            "A sweep that runs out of time is continued by the next one.",
        ],
    )
