"""A thousand jobs over two providers, one of which may fail while they are made."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

import httpx
import psycopg

from benchmarks.bench import BenchmarkError
from benchmarks.functions.invocation import endpoints_of
from benchmarks.outage.crowd import FAILING, FAILING_PROVIDER, WELL, Asked, Crowd
from local.cloud import LocalCloud
from local.settings import Part

LOOK_EVERY_SECONDS = 0.25
PATIENCE_SECONDS = 150
_OPEN = "select count(*) from jobs where completed_at is null and job_id = any(%s::uuid[])"
_JOBS = """
select j.job_id::text, j.status, extract(epoch from j.completed_at)::float8,
       extract(epoch from j.completed_at - j.created_at)::float8,
       (select sum(a.submits) from attempts a where a.job_id = j.job_id)::int
from jobs j where j.job_id = any(%s::uuid[])
"""


class Outage(StrEnum):
    """How a provider fails: it takes connections and never answers, or it answers 503 to everything, at once."""

    HANGING = "hanging"
    REFUSING = "answering 503"


@dataclass(frozen=True)
class Plan:
    """What is created: how many jobs, by how many callers at once, how many begun a second; `outage_after` so many
    jobs the failing provider fails as `outage` says.
    """

    jobs: int
    callers: int
    per_second: float
    outage: Outage | None = None
    outage_after: int = 0


@dataclass(frozen=True)
class Ended:
    """What became of the jobs at one provider: seconds from created, and from the caller's turn, to completed."""

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


def run_crowd(cloud: LocalCloud, keys: Sequence[str], plan: Plan) -> OutageRun:
    """Create the jobs, and wait for those of both providers; with an outage for those of the well one."""
    crowd, begun = Crowd(cloud, keys, plan.callers, plan.per_second), time.monotonic()
    with (
        _outage(cloud, crowd, plan),
        psycopg.connect(endpoints_of(cloud).postgres_url, autocommit=True) as record,
    ):
        asked = crowd.create(plan.jobs)
        create_seconds = time.monotonic() - begun
        _wait(record, asked, WELL)
        well_seconds = time.monotonic() - begun
        if plan.outage is None:
            _wait(record, asked, FAILING)
        well, failing = (_ended(record, asked, model) for model in (WELL, FAILING))
        return OutageRun(well, failing, create_seconds, well_seconds)


@contextmanager
def _outage(cloud: LocalCloud, crowd: Crowd, plan: Plan) -> Iterator[None]:
    """The outage begins once the crowd has come so far, and ends with the block."""
    if plan.outage is None:
        yield
        return
    fail, recover = _switch(cloud, plan.outage)
    outage = threading.Thread(target=_fail_once, args=(fail, crowd, plan.outage_after))
    outage.start()
    try:
        yield
    finally:
        crowd.count = plan.outage_after  # lets the thread end where the crowd never came so far
        outage.join()
        recover()


def _switch(cloud: LocalCloud, outage: Outage) -> tuple[Callable[[], None], Callable[[], None]]:
    """What makes the failing provider fail, and what makes it well again."""
    match outage:
        case Outage.HANGING:
            return partial(cloud.backing, Part.PROVIDERS, "freeze"), partial(
                cloud.backing, Part.PROVIDERS, "thaw"
            )
        case Outage.REFUSING:
            shares = {"503": 1.0, "get-503": 1.0, "cancel-503": 1.0}
            return partial(_dial, cloud, shares), partial(_dial, cloud, {})


def _dial(cloud: LocalCloud, shares: dict[str, float]) -> None:
    url = f"{endpoints_of(cloud).provider_urls[FAILING_PROVIDER]}/_sim/faults"
    httpx.put(url, json={"faults": shares}, trust_env=False).raise_for_status()


def _fail_once(fail: Callable[[], None], crowd: Crowd, after: int) -> None:
    while crowd.count < after:
        time.sleep(0.02)
    fail()


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
