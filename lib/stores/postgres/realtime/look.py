"""One look at the record: what is new for those who are to know, all of one snapshot."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from lib.stores.postgres.realtime.feed import Moment, Place, read_page
from lib.stores.postgres.realtime.line import Fetch, Line
from lib.stores.postgres.realtime.rows import job_change
from lib.stores.postgres.realtime.steps import STEPS, AllStepsWatch, JobStepsWatch
from lib.stores.postgres.realtime.tally import Tally
from lib.stores.postgres.realtime.watch import FeedWatch, JobWatch, Watch

JOBS_AT_ONCE = 200

_NEXT = """
select t.job_id::text, t.version, t.attempt, t.status, t.step, t.event, t.at, t.details, w.number
from unnest(%s::int[], %s::uuid[], %s::int[]) as w(number, job_id, after)
cross join lateral (
    select * from job_transitions t where t.job_id = w.job_id and t.version > w.after order by t.version limit %s) t
order by w.number, t.version"""
_NEWEST = """
select t.job_id::text, t.version, t.attempt, t.status, t.step, t.event, t.at, t.details, w.number
from unnest(%s::int[], %s::uuid[]) as w(number, job_id)
cross join lateral (
    select * from job_transitions t where t.job_id = w.job_id order by t.version desc limit 1) t"""


class Look:
    """Reads for watches that want more, and hands them what was found.

    Args:
        tally: counts `looks`, `rows` and `rewinds`.
        page: rows of one reading.
    """

    def __init__(self, tally: Tally, page: int) -> None:
        self._tally = tally
        self._page = page

    def once(self, line: Line, watches: Sequence[Watch]) -> None:
        """One page for each of them that wants more; with none of them it still asks the server whether it is there.

        Raises psycopg.Error or TimeoutError; then nothing is lost, and what was told is not told again.
        """
        self._tally.add(looks=1)
        wanting = [watch for watch in watches if watch.wants_more()]
        with line.reading() as fetch:
            moment = Moment.take(fetch)
            self._jobs(fetch, [watch for watch in wanting if isinstance(watch, JobWatch)])
            self._feeds(fetch, moment, [watch for watch in wanting if isinstance(watch, FeedWatch)])
            self._steps(
                fetch, [watch for watch in wanting if isinstance(watch, JobStepsWatch | AllStepsWatch)]
            )

    def _jobs(self, fetch: Fetch, watches: Sequence[JobWatch]) -> None:
        for some in _portions(watches):
            known = [
                (number, watch.job_id, watch.after)
                for number, watch in enumerate(some)
                if watch.after is not None
            ]
            new = [(number, watch.job_id) for number, watch in enumerate(some) if watch.after is None]
            rows = fetch(_NEXT, [*_columns(known, 3), self._page]) if known else []
            rows += fetch(_NEWEST, _columns(new, 2)) if new else []
            found = defaultdict(list)
            for row in rows:
                found[row[-1]].append(job_change(row))
            for number, watch in enumerate(some):
                watch.found(found[number], more=len(found[number]) == self._page)
            self._tally.add(rows=len(rows))

    def _feeds(self, fetch: Fetch, now: Moment, watches: Sequence[FeedWatch]) -> None:
        together: dict[Place, list[FeedWatch]] = defaultdict(list)
        for watch in watches:
            if watch.place is None:
                watch.begin(Place.at(now))
            elif not isinstance(watch, AllStepsWatch) or watch.wants_feed():
                together[self._checked(watch.place, now)].append(watch)
        for place, group in together.items():
            changes, after, more = read_page(fetch, place, now, self._page)
            self._tally.add(rows=len(changes))
            for watch in group:
                watch.found(changes, after, more=more)

    def _checked(self, place: Place, now: Moment) -> Place:
        if not place.is_ahead_of(now):
            return place
        self._tally.add(rewinds=1)
        return place.rewound(now)

    def _steps(self, fetch: Fetch, watches: Sequence[JobStepsWatch | AllStepsWatch]) -> None:
        wanted = [(watch, watch.jobs_to_read(JOBS_AT_ONCE)) for watch in watches]
        for some in _portions(sorted({job_id for _, job_ids in wanted for job_id in job_ids})):
            rows = fetch(STEPS, [some])
            self._tally.add(rows=len(rows))
            by_job = defaultdict(list)
            for row in rows:
                by_job[row[0]].append(row)
            asked = set(some)
            for watch, job_ids in wanted:
                for job_id in job_ids:
                    if job_id in asked:
                        watch.read(by_job[job_id], job_id)


def _portions(everything: Sequence[Any]) -> Iterable[list[Any]]:
    for start in range(0, len(everything), JOBS_AT_ONCE):
        yield list(everything[start : start + JOBS_AT_ONCE])


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [[row[column] for row in rows] for column in range(width)]
