"""1,000 jobs of 100 users over two providers: the outage of one does not slow the jobs of the other down."""

from collections.abc import Sequence

from benchmarks.bench import Bench
from benchmarks.figures import Figure, Measurement
from benchmarks.outage.crowd import make_users
from benchmarks.outage.outage_run import OutageRun, run_crowd
from benchmarks.timing import percentile
from local.cloud import LocalCloud
from local.settings import CloudSettings, Part

JOBS, USERS, CALLERS = 1_000, 100, 20
OUTAGE_AFTER = 100
P95_LIMIT = 1.1
MODELS = "benchmarks/outage/models.json"


def measure(bench: Bench) -> Measurement:
    """Run the crowd with both providers well, and with one that stops answering while the jobs are made.

    A cloud of its own, since the catalogue has two models that differ in nothing but their provider.
    """
    settings = CloudSettings(
        port=0,
        directory=bench.directory / "outage",
        parameters={"RateLimitPerHour": "1000000", "ModelsConfig": MODELS},
        parts=frozenset(Part) - {Part.COG},
        warm=True,
    )
    with LocalCloud(settings) as cloud:
        keys = make_users(cloud, USERS)
        run_crowd(cloud, keys, 40, CALLERS)
        calm = run_crowd(cloud, keys, JOBS, CALLERS)
        outage = run_crowd(cloud, keys, JOBS, CALLERS, outage_after=OUTAGE_AFTER)
    before, during = percentile(calm.well.job_seconds, 95), percentile(outage.well.job_seconds, 95)
    waited = percentile(outage.well.caller_seconds, 95) / percentile(calm.well.caller_seconds, 95)
    lost = [run.jobs - run.completed for run in (calm.well, calm.failing, outage.well)]
    return Measurement(
        f"One provider of two in outage, {JOBS:,} jobs of {USERS} users",
        [
            Figure("outage: p95 of the other provider's jobs to that without", during / before, P95_LIMIT),
            Figure("outage: the same from the caller's call on", waited, P95_LIMIT),
            Figure("outage: jobs of providers that were well, not completed", sum(lost), 0),
        ],
        [
            (
                "Half of the jobs are each provider's, each user has jobs at both. From the "
                f"{OUTAGE_AFTER}th job on one provider takes connections and never answers, until all jobs of "
                "the other have ended."
            ),
            f"Both well: {_described(calm)}",
            f"One in outage: {_described(outage)}",
            (
                f"Of the provider in outage {outage.failing.completed} of {outage.failing.jobs} jobs were done "
                f"before; the others waited, after {outage.failing.submits} turns to be submitted in all."
            ),
        ],
    )


def _described(run: OutageRun) -> str:
    return (
        f"created to completed, median {_at(run.well.job_seconds, 50)}, 95 % {_at(run.well.job_seconds, 95)}; "
        f"from the caller's call on, 95 % {_at(run.well.caller_seconds, 95)}; all jobs created after "
        f"{run.create_seconds:.0f} s, all of the well provider's completed after {run.well_seconds:.0f} s."
    )


def _at(seconds: Sequence[float], percent: float) -> str:
    return f"{percentile(seconds, percent):.2f} s"
