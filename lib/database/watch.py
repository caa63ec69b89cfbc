"""Changes of jobs as lines, for an operator who looks on."""

import json
from collections.abc import Iterator
from queue import Queue

from lib.domain.job_change import JobChange
from lib.ports.subscriptions import Subscriptions

MOST_WAITING = 1000
"""Changes that wait to be printed; with more, reading the record stops until there is room."""


def changes(subscriptions: Subscriptions, job_id: str | None) -> Iterator[JobChange]:
    """All versions of the job until it has ended; without a job, every version of every job from now on, for ever.

    A job that is not there is waited for. Raises RecordUnavailableError if it cannot begin.
    """
    arrived: Queue[JobChange] = Queue(MOST_WAITING)
    if job_id is None:
        subscriptions.subscribe_to_all_jobs(arrived.put)
    else:
        subscriptions.subscribe_to_job(job_id, arrived.put, after_version=0)
    return _read(arrived, to_its_end=job_id is not None)


def _read(arrived: "Queue[JobChange]", *, to_its_end: bool) -> Iterator[JobChange]:
    while True:
        change = arrived.get()
        yield change
        if to_its_end and change.status.final:
            return


def line(change: JobChange) -> str:
    """When (UTC), which job, its version, status and step, the attempt, what happened, and what is known beyond."""
    details = f"  {json.dumps(dict(change.details))}" if change.details else ""
    return (
        f"{change.at:%Y-%m-%d %H:%M:%S}.{change.at.microsecond // 1000:03}  {change.job_id}  v{change.version}"
        f"  {change.status}/{change.step}  attempt {change.attempt}  {change.event}{details}"
    )
