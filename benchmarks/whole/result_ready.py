"""From the provider's being done to the result's being ready for its caller, for a small file."""

import statistics
from datetime import UTC, datetime

from benchmarks.bench import Bench, BenchmarkError
from benchmarks.callers import Caller, small_image
from benchmarks.figures import Figure, Measurement
from benchmarks.functions.invocation import endpoints_of
from benchmarks.timing import percentile

JOBS = 15
LIMIT_SECONDS = 1.0
LOOK_EVERY_SECONDS = 0.02


def measure(bench: Bench) -> Measurement:
    """One job after another; ready is when a caller, who asks again and again, is told so over HTTP."""
    with Caller(endpoints_of(bench.cloud())) as caller:
        caller.completed(small_image("warming up"))
        waits = [seconds_to_ready(caller) for _ in range(JOBS)]
    return Measurement(
        "Provider done to result ready",
        [Figure("provider done to result ready: median", statistics.median(waits), LIMIT_SECONDS, "s")],
        [
            (
                f"{JOBS} images, one after another: median {statistics.median(waits):.2f} s, "
                f"90 % within {percentile(waits, 90):.2f} s, at most {max(waits):.2f} s."
            ),
            (
                "Webhook, queue, copy, probe, thumbnail and transition lie between; the clock stops when the status "
                f"over HTTP says completed, asked every {1000 * LOOK_EVERY_SECONDS:.0f} ms."
            ),
        ],
    )


def seconds_to_ready(caller: Caller) -> float:
    """One job: from `completed_at` of its prediction until its status is completed."""
    created = caller.create(small_image("a mill"))
    job = caller.ended(created["jobId"], pause=LOOK_EVERY_SECONDS)
    ready = datetime.now(UTC)
    if job["status"] != "completed":
        raise BenchmarkError(f"a job was not completed: {job}")
    done = datetime.fromisoformat(caller.prediction(job["providerJobId"])["completed_at"])
    return (ready - done).total_seconds()
