"""1,000 jobs by 20 concurrent callers: all end, none twice."""

from collections.abc import Sequence

from benchmarks.bench import Bench
from benchmarks.figures import Figure, Measurement
from benchmarks.timing import percentile
from benchmarks.whole.load_run import LoadResult, run_load

JOBS = 1_000
CALLERS = 20


def measure(bench: Bench) -> Measurement:
    """Run the load; the figures count jobs with which something is wrong."""
    result = run_load(bench.cloud(), JOBS, CALLERS)
    return Measurement(
        f"{JOBS:,} jobs by {CALLERS} concurrent callers",
        [
            Figure(f"{JOBS:,} jobs: not completed", result.not_completed, 0),
            Figure(f"{JOBS:,} jobs: submitted twice or never", result.not_submitted_once, 0),
            Figure(f"{JOBS:,} jobs: not exactly one stored object set", result.not_stored_once, 0),
            Figure(f"{JOBS:,} jobs: not exactly one final transition", result.not_ended_once, 0),
        ],
        _notes(result),
    )


def _notes(result: LoadResult) -> list[str]:
    return [
        (
            f"All ended after {result.seconds:.0f} s: {result.jobs_per_second:.1f} jobs per second, the simulator's "
            "drawing, all stores and all functions on this one machine."
        ),
        f"Creating: {_percentiles(result.create_seconds)}.",
        f"Created to completed: {_percentiles(result.job_seconds)}.",
    ]


def _percentiles(seconds: Sequence[float]) -> str:
    return ", ".join(f"{name} {percentile(seconds, percent):.2f} s" for name, percent in _PERCENTILES)


_PERCENTILES = (("median", 50), ("90 %", 90), ("99 %", 99), ("at most", 100))
