"""A thousand jobs over two providers, one of which may stop answering while they are made."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from benchmarks.bench import BenchmarkError
from benchmarks.functions.invocation import endpoints_of
from benchmarks.outage.crowd import FAILING, WELL, Asked, Crowd
from local.cloud import LocalCloud
from local.settings import Part

JOBS_PER_SECOND = 18
"""Half of them at each provider: less than the limit of Replicate's key, 10 a second, which would be measured else."""
LOOK_EVERY_SECONDS = 0.25
PATIENCE_SECONDS = 150
_OPEN = "select count(*) from jobs where completed_at is null and job_id = any(%s::uuid[])"
_JOBS = """
select j.job_id::text, j.status, extract(epoch from j.completed_at)::float8,
       extract(epoch from j.completed_at - j.created_at)::float8,
       (select sum(a.submits) from attempts a where a.job_id = j.job_id)::int
from jobs j where j.job_id = any(%s::uuid[])
"""


@dataclass(frozen=True)
class Ended:
    """What became of the jobs at one provider: seconds from created, and from the caller's call, to completed."""

    jobs: int
    completed: int
    job_seconds: Sequence[float]
    caller_seconds: Sequence[float]
    submits: int


@dataclass(frozen=True)
class OutageRun:
    """The jobs of the provider that was well and of the other; the seconds until all were created, and until those
    of the well one had ended.
    """

    well: Ended
    failing: Ended
    create_seconds: float
    well_seconds: float


def run_crowd(
    cloud: LocalCloud, keys: Sequence[str], jobs: int, callers: int, *, outage_after: int | None = None
) -> OutageRun:
    """Create the jobs, and wait for those of both providers; with an outage for those of the well one.

    From `outage_after` jobs on the failing provider takes connections and never answers. It goes on in the end.
    """
    crowd, begun = Crowd(cloud, keys, callers, JOBS_PER_SECOND), time.monotonic()
    with (
        _outage(cloud, crowd, outage_after),
        psycopg.connect(endpoints_of(cloud).postgres_url, autocommit=True) as record,
    ):
        asked = crowd.create(jobs)
        create_seconds = time.monotonic() - begun
        _wait(record, asked, WELL)
        well_seconds = time.monotonic() - begun
        if outage_after is None:
            _wait(record, asked, FAILING)
        well, failing = (_ended(record, asked, model) for model in (WELL, FAILING))
        return OutageRun(well, failing, create_seconds, well_seconds)


@contextmanager
def _outage(cloud: LocalCloud, crowd: Crowd, after: int | None) -> Iterator[None]:
    if after is None:
        yield
        return
    outage = threading.Thread(target=_freeze, args=(cloud, crowd, after))
    outage.start()
    try:
        yield
    finally:
        crowd.count = after  # lets the thread end where the crowd never came so far
        outage.join()
        cloud.backing(Part.PROVIDERS, "thaw")


def _freeze(cloud: LocalCloud, crowd: Crowd, after: int) -> None:
    while crowd.count < after:
        time.sleep(0.02)
    cloud.backing(Part.PROVIDERS, "freeze")


def _wait(record: "psycopg.Connection[Any]", asked: Sequence[Asked], model: str) -> None:
    ids, give_up = _ids(asked, model), time.monotonic() + PATIENCE_SECONDS
    while left := _count(record, ids):
        if time.monotonic() > give_up:
            raise BenchmarkError(f"{left} of {len(ids)} jobs have not ended after {PATIENCE_SECONDS:g} s")
        time.sleep(LOOK_EVERY_SECONDS)


def _count(record: "psycopg.Connection[Any]", ids: Sequence[str]) -> int:
    found = record.execute(_OPEN, [list(ids)]).fetchone()
    return int(found[0]) if found else 0


def _ended(record: "psycopg.Connection[Any]", asked: Sequence[Asked], model: str) -> Ended:
    called = {job.job_id: job.called_at for job in asked}
    rows = record.execute(_JOBS, [_ids(asked, model)]).fetchall()
    return Ended(
        jobs=len(rows),
        completed=sum(status == "completed" for _, status, *_ in rows),
        job_seconds=[seconds for *_, seconds, _ in rows if seconds is not None],
        caller_seconds=[at - called[job_id] for job_id, _, at, *_ in rows if at is not None],
        submits=sum(submits for *_, submits in rows),
    )


def _ids(asked: Sequence[Asked], model: str) -> list[str]:
    return [job.job_id for job in asked if job.model == model]
