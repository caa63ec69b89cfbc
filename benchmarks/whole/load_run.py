"""Many callers at once on a local cloud, and the check afterwards that nothing was lost and nothing done twice."""

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import psycopg

from benchmarks.bench import BenchmarkError
from benchmarks.callers import Caller, small_image
from benchmarks.functions.invocation import endpoints_of
from local.cloud import LocalCloud
from local.endpoints import Endpoints

LOOK_EVERY_SECONDS = 0.25
_OPEN = "select count(*) from jobs where completed_at is null and job_id = any(%s::uuid[])"
_JOBS = """
select job_id::text, status, provider_job_id, extract(epoch from completed_at - created_at)::float8,
       (select count(*) from job_transitions t
        where t.job_id = j.job_id and t.status in ('completed', 'failed', 'canceled')),
       (select count(*) from attempts a where a.job_id = j.job_id)
from jobs j where job_id = any(%s::uuid[])
"""


@dataclass(frozen=True)
class LoadResult:
    """What became of the jobs. Durations in seconds; the sequences have one entry for each job.

    The numbers after them count jobs with which something is wrong; all are 0 when all is well.
    """

    jobs: int
    callers: int
    seconds: float
    create_seconds: Sequence[float]
    job_seconds: Sequence[float]
    not_completed: int
    not_submitted_once: int
    not_stored_once: int
    not_ended_once: int

    @property
    def jobs_per_second(self) -> float:
        """From the first request to the last job's end."""
        return self.jobs / self.seconds


def run_load(cloud: LocalCloud, jobs: int, callers: int, *, patience_seconds: float = 300) -> LoadResult:
    """Create `jobs` jobs by `callers` concurrent callers and wait until all have ended.

    Raises BenchmarkError if a job is refused, or if some have not ended after `patience_seconds`.
    """
    there = endpoints_of(cloud)
    with Caller(there) as caller:
        submitted_before = len(_submit_log(caller))
        begun = time.perf_counter()
        created = _create_all(there, jobs, callers)
        with psycopg.connect(there.postgres_url, autocommit=True) as record:
            ids = [job_id for job_id, _ in created]
            _wait(record, ids, patience_seconds)
            seconds = time.perf_counter() - begun
            rows = record.execute(_JOBS, [ids]).fetchall()
        log = _submit_log(caller)[submitted_before:]
    stored = _stored_objects(cloud)
    return LoadResult(
        jobs=jobs,
        callers=callers,
        seconds=seconds,
        create_seconds=[taken for _, taken in created],
        job_seconds=[row[3] for row in rows],
        not_completed=jobs - sum(row[1] == "completed" for row in rows),
        not_submitted_once=_not_submitted_once(log, {row[2] for row in rows}, jobs),
        not_stored_once=sum(stored.get(job_id) != Counter(output=1, thumbnail=1) for job_id in ids),
        not_ended_once=sum(ends != 1 or attempts != 1 for *_, ends, attempts in rows),
    )


def _create_all(there: Endpoints, jobs: int, callers: int) -> list[tuple[str, float]]:
    """The ids of the created jobs, with how long each creating took."""
    own = threading.local()
    opened: list[Caller] = []

    def create(_: None) -> tuple[str, float]:
        if not hasattr(own, "caller"):
            own.caller = Caller(there)
            opened.append(own.caller)
        begun = time.perf_counter()
        created = own.caller.create(small_image("a crowd"))
        return str(created["jobId"]), time.perf_counter() - begun

    with ThreadPoolExecutor(callers) as pool:
        try:
            return list(pool.map(create, repeat(None, jobs)))
        finally:
            pool.shutdown(cancel_futures=True)
            for caller in opened:
                caller.__exit__(None, None, None)


def _wait(record: "psycopg.Connection[Any]", ids: Sequence[str], patience_seconds: float) -> None:
    give_up = time.monotonic() + patience_seconds
    while left := _count(record, ids):
        if time.monotonic() > give_up:
            raise BenchmarkError(f"{left} of {len(ids)} jobs have not ended after {patience_seconds:g} s")
        time.sleep(LOOK_EVERY_SECONDS)


def _count(record: "psycopg.Connection[Any]", ids: Sequence[str]) -> int:
    found = record.execute(_OPEN, [list(ids)]).fetchone()
    return int(found[0]) if found else 0


def _submit_log(caller: Caller) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = caller.simulator.get("/_sim/log").raise_for_status().json()["creates"]
    return entries


def _not_submitted_once(log: Sequence[Mapping[str, Any]], predictions: set[str], jobs: int) -> int:
    """Jobs submitted twice or never, by the provider's own log; each job's input is different from all others."""
    accepted = [entry for entry in log if entry["accepted"]]
    inputs = Counter(entry["inputHash"] for entry in accepted)
    twice = sum(number > 1 for number in inputs.values())
    strangers = {entry["predictionId"] for entry in accepted} ^ predictions
    return twice + abs(jobs - len(inputs)) + len(strangers)


def _stored_objects(cloud: LocalCloud) -> dict[str, Counter[str]]:
    """How many outputs and thumbnails the bucket has, by job."""
    client = cloud.aws().client("s3")
    found: dict[str, Counter[str]] = {}
    for bucket in client.list_buckets()["Buckets"]:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"], Prefix="media/")
        for page in pages:
            for item in page.get("Contents", ()):
                *_, job_id, name = item["Key"].split("/")
                found.setdefault(job_id, Counter())["thumbnail" if "-thumb." in name else "output"] += 1
    return found
