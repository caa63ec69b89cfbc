"""Watching the steps of the work: rows that are compared with what was told of them."""

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from lib.domain.job_change import JobChange, StepChange, StepEvent
from lib.stores.postgres.realtime.delivery import Delivery
from lib.stores.postgres.realtime.doorbells import Doorbells
from lib.stores.postgres.realtime.mailbox import Mailbox
from lib.stores.postgres.realtime.rows import utc
from lib.stores.postgres.realtime.watch import FeedWatch, Watch

KNOWN_JOBS = 10_000
FINAL_SECONDS = 60.0
"""So long a job that has ended is remembered, so that a late doorbell does not begin it anew."""
TO_READ = 1000

STEPS = """
select j.job_id::text, status_is_final(j.status), t.timeline_id::text, t.attempt, t.step, t.step_order, t.started_at,
       t.ended_at, t.success, t.progress::double precision, t.details, t.cpu_usage::double precision, t.memory_usage
from jobs j left join processing_timeline t on t.job_id = j.job_id
where j.job_id = any(%s::uuid[])"""


class JobSteps:
    """The steps of one job as they were told, in few bytes each: whether it ended, and its progress."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[bool, float | None]] = {}

    def news(self, rows: Iterable[tuple[Any, ...]]) -> list[StepChange]:
        """What rows of `STEPS` say beyond what was told, in the order in which it happened."""
        found: list[tuple[tuple[datetime, int, int, str, int], StepChange]] = []
        for row in rows:
            if row[2] is None:
                continue  # no step yet
            for rank, event in enumerate(self._events(row)):
                change = _step_change(event, row)
                at = change.ended_at if event is StepEvent.ENDED and change.ended_at else change.started_at
                found.append(((at, change.attempt, change.step_order, change.timeline_id, rank), change))
        return [change for _, change in sorted(found, key=lambda pair: pair[0])]

    def _events(self, row: tuple[Any, ...]) -> list[StepEvent]:
        timeline_id, ended, progress = row[2], row[7] is not None, row[9]
        told = self._told.get(timeline_id)
        self._told[timeline_id] = (ended, progress)
        events = [] if told else [StepEvent.STARTED]
        if ended and not (told and told[0]):
            events.append(StepEvent.ENDED)
        elif told and progress != told[1]:
            events.append(StepEvent.PROGRESSED)
        return events


class JobStepsWatch(Watch):
    """The steps of one job."""

    def __init__(self, watch_id: str, mailbox: Mailbox, delivery: Delivery, job_id: str) -> None:
        super().__init__(watch_id, mailbox, delivery)
        self.job_id = job_id
        self._steps = JobSteps()
        self._ended = False

    def hear(self, doorbells: Doorbells) -> None:
        """See the base."""
        if doorbells.too_many or self.job_id in doorbells.steps or self.job_id in doorbells.jobs:
            self.doubt()

    def doubt(self) -> None:
        """See the base; a job that has ended has no new steps."""
        self.stale = not self._ended

    def jobs_to_read(self, most: int) -> Sequence[str]:
        """Whose steps are to be read now."""
        return [self.job_id][:most] if self.wants_more() else []

    def read(self, rows: Sequence[tuple[Any, ...]], _job_id: str) -> None:
        """The job as it was found; no rows where there is none."""
        self.tell(self._steps.news(rows))
        self._ended = bool(rows) and rows[0][1]
        self.stale = False
        self.begun.set()


class AllStepsWatch(FeedWatch):
    """The steps of all jobs: of those that rang, that have a new version, and in doubt that it knows and are open."""

    def __init__(self, watch_id: str, mailbox: Mailbox, delivery: Delivery) -> None:
        super().__init__(watch_id, mailbox, delivery)
        self._known: OrderedDict[str, JobSteps] = OrderedDict()
        self._ended: OrderedDict[str, float] = OrderedDict()
        self._to_read: dict[str, None] = {}

    def hear(self, doorbells: Doorbells) -> None:
        """See the base."""
        super().hear(doorbells)
        self._may_look_at(doorbells.steps)
        if doorbells.too_many:
            self._may_look_at(self._known)

    def doubt(self) -> None:
        """See the base."""
        super().doubt()
        self._may_look_at(self._known)

    def take(self, changes: Sequence[JobChange]) -> None:
        """Of jobs with a new version the steps are read."""
        self._look_at(change.job_id for change in changes)

    def wants_more(self) -> bool:
        """See the base; what is known to have changed is read first."""
        return (self.stale or bool(self._to_read)) and self._mailbox.has_room()

    def wants_feed(self) -> bool:
        """Whether it can take more jobs."""
        return self.stale and len(self._to_read) < TO_READ

    def jobs_to_read(self, most: int) -> Sequence[str]:
        """Whose steps are to be read now."""
        return list(self._to_read)[:most] if self._mailbox.has_room() else []

    def read(self, rows: Sequence[tuple[Any, ...]], job_id: str) -> None:
        """The job as it was found; no rows where there is none, or none to be seen."""
        self._to_read.pop(job_id, None)
        if not rows:
            self._known.pop(job_id, None)
            return
        steps = self._known.setdefault(job_id, JobSteps())
        self._known.move_to_end(job_id)
        self.tell(steps.news(rows))
        if rows[0][1]:
            del self._known[job_id]
            self._ended[job_id] = time.monotonic()
        self._forget()

    def _look_at(self, job_ids: Iterable[str]) -> None:
        self._to_read.update((job_id, None) for job_id in job_ids if job_id not in self._ended)

    def _may_look_at(self, job_ids: Iterable[str]) -> None:
        """As many as there is room for: the others come with their next version."""
        self._look_at(islice(job_ids, max(0, KNOWN_JOBS - len(self._to_read))))

    def _forget(self) -> None:
        while len(self._known) > KNOWN_JOBS:
            self._known.popitem(last=False)
        long_ago = time.monotonic() - FINAL_SECONDS
        while self._ended and (next(iter(self._ended.values())) < long_ago or len(self._ended) > KNOWN_JOBS):
            self._ended.popitem(last=False)


def _step_change(event: StepEvent, row: tuple[Any, ...]) -> StepChange:
    job_id, _, timeline_id, attempt, step, step_order, started_at, ended_at, *figures = row
    return StepChange(
        event,
        *(
            job_id,
            timeline_id,
            attempt,
            step,
            step_order,
            utc(started_at),
            ended_at and utc(ended_at),
            *figures,
        ),
    )
