"""1,000 jobs of 100 users over two providers: the outage of one does not slow the jobs of the other down."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.figures import Figure, Measurement
from benchmarks.outage.crowd import make_users
from benchmarks.outage.outage_run import Outage, OutageRun, Plan, run_crowd
from benchmarks.timing import percentile
from local.cloud import LocalCloud
from local.settings import CloudSettings, Part

JOBS, USERS, CALLERS = 1_000, 100, 10
OUTAGE_AFTER = 100
JOBS_PER_SECOND = 15.0
"""Half of them at each provider: less than the limit of Replicate's key, 10 a second. On two cores jobs begin to queue
at 18 a second: the 95th percentile is 0.44 to 0.46 s at 12, 14 and 16, and 0.76 s there.
"""
PROCESSES = 2 * CALLERS
"""Of each function at most: enough for all callers at once, as Lambda has, so that no call waits for another's."""
WARM_UP = Plan(jobs=120, callers=CALLERS, per_second=60)
ALONE = Plan(jobs=20, callers=CALLERS, per_second=2)
P95_LIMIT = 1.1
QUEUEING_LIMIT = 2.0
"""Beyond it the run without an outage was slow itself, and nothing that is compared with it says anything."""
MODELS = "benchmarks/outage/models.json"


def measure(bench: Bench) -> Measurement:
    """Run the same crowd three times: both providers well, one that stops answering, and one that answers 503."""
    alone, calm = _run(bench.directory / "outage-none", ALONE, _plan(None))
    outages = {kind: _run(bench.directory / f"outage-{kind.name.lower()}", _plan(kind))[0] for kind in Outage}
    well = [calm.failing, *(run.well for run in (calm, *outages.values()))]
    queueing = percentile(calm.well.job_seconds, 95) / percentile(alone.well.job_seconds, 50)
    return Measurement(
        f"One provider of two in outage, {JOBS:,} jobs of {USERS} users",
        [
            *(figure for outage, run in outages.items() for figure in _figures(outage, run, calm)),
            Figure(
                "outage: jobs of providers that were well, not completed",
                sum(ended.jobs - ended.completed for ended in well),
                0,
            ),
            Figure("outage: p95 without it to the median at two jobs a second", queueing, QUEUEING_LIMIT),
        ],
        [
            (
                f"{JOBS_PER_SECOND:g} jobs a second, half of them each provider's, each user has jobs at both; three "
                f"runs, each in a local cloud of its own. From the {OUTAGE_AFTER}th job on one provider takes "
                "connections and never answers, or answers 503 at once, until all jobs of the other have ended."
            ),
            (
                "Jobs are texts, which cost the machine least: without an outage they are not to wait for it. "
                f"Two jobs a second: {_described(alone)}"
            ),
            f"Both well: {_described(calm)}",
            *(f"One {outage}: {_described(run)} {_waited(run)}" for outage, run in outages.items()),
        ],
    )


def _plan(outage: Outage | None) -> Plan:
    return Plan(JOBS, CALLERS, JOBS_PER_SECOND, outage, OUTAGE_AFTER)


def _run(directory: Path, *plans: Plan) -> list[OutageRun]:
    """These runs in a cloud of their own: its catalogue has two models that differ in little but their provider, and no
    job of an outage before waits there.
    """
    settings = CloudSettings(
        port=0,
        directory=directory,
        parameters={"RateLimitPerHour": "1000000", "ModelsConfig": MODELS},
        parts=frozenset(Part) - {Part.COG},
        max_workers=PROCESSES,
        warm=True,
    )
    with LocalCloud(settings) as cloud:
        keys = make_users(cloud, USERS)
        run_crowd(cloud, keys, WARM_UP)
        return [run_crowd(cloud, keys, plan) for plan in plans]


def _figures(outage: Outage, run: OutageRun, calm: OutageRun) -> list[Figure]:
    """The p95 of the well provider's jobs to that without an outage: of the job, and from its caller's turn on."""
    jobs = percentile(run.well.job_seconds, 95) / percentile(calm.well.job_seconds, 95)
    callers = percentile(run.well.caller_seconds, 95) / percentile(calm.well.caller_seconds, 95)
    return [
        Figure(f"outage, {outage}: p95 of the other provider's jobs to that without", jobs, P95_LIMIT),
        Figure(f"outage, {outage}: the same from the caller's turn on", callers, P95_LIMIT),
    ]


def _described(run: OutageRun) -> str:
    return (
        f"created to completed, median {_at(run.well.job_seconds, 50)}, 95 % {_at(run.well.job_seconds, 95)}; "
        f"from the caller's turn on, 95 % {_at(run.well.caller_seconds, 95)}; all jobs created after "
        f"{run.create_seconds:.0f} s, all of the well provider's completed after {run.well_seconds:.0f} s."
    )


def _waited(run: OutageRun) -> str:
    return (
        f"Of its own {run.failing.jobs} jobs {run.failing.completed} were done before; the others waited, after "
        f"{run.failing.submits} turns to be submitted in all."
    )


def _at(seconds: Sequence[float], percent: float) -> str:
    return f"{percentile(seconds, percent):.2f} s"
