"""Every version of every job exactly once, whatever commits in what order.

A place in the feed is a snapshot: what it sees was told. New is what the next snapshot sees and that one did not:
transactions that began later, and those that were under way then.

    seen      ends before xmax ---------|  (two were under way: 14, 17)
    next                  14      17    |  20  21        23    (22 is under way)
    told now              14      17       20  21        23
    and 22 with a later snapshot, although 23 was told before

A writer that takes its number early and commits late is thus told late and never lost, and nothing needs to be
remembered of what was told. Rows of a restored backup bear numbers of another server: the upper bound keeps those out
that are still to come here, and the time those whose number passes by one day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from lib.domain.job_change import JobChange
from lib.stores.postgres.realtime.line import Fetch, Row
from lib.stores.postgres.realtime.rows import CHANGE_WIDTH, job_change, utc
from lib.stores.postgres.realtime.snapshot import Snapshot

FOREIGN_AFTER = timedelta(days=1)
"""A row that is so much older than the last look was not written since then; clocks differ by less."""

REWIND_MARGIN = timedelta(minutes=1)
REWIND_TRANSACTIONS = 1_000_000

_NOW = "select pg_current_snapshot()::text, now()"
_PAGE = """
select t.job_id::text, t.version, t.attempt, t.status, t.step, t.event, t.at, t.details, t.xid
from (
    (select * from job_transitions t where t.xid = any(%(late)s::xid8[])
     and t.xid <> all(%(running)s::xid8[]) and t.at > %(not_before)s
     and (t.xid, t.job_id, t.version) > (%(xid)s::xid8, %(job_id)s::uuid, %(version)s)
     order by t.xid, t.job_id, t.version limit %(size)s)
    union all
    (select * from job_transitions t where t.xid >= greatest(%(xmax)s::xid8, %(xid)s::xid8) and t.xid < %(goal)s::xid8
     and t.xid <> all(%(running)s::xid8[]) and t.at > %(not_before)s
     and (t.xid, t.job_id, t.version) > (%(xid)s::xid8, %(job_id)s::uuid, %(version)s)
     order by t.xid, t.job_id, t.version limit %(size)s)
) t order by t.xid, t.job_id, t.version limit %(size)s"""
_EARLIER = """
select t.job_id::text, t.version, t.attempt, t.status, t.step, t.event, t.at, t.details, t.xid
from unnest(%(job_ids)s::uuid[], %(versions)s::int[]) as page(job_id, version)
join job_transitions t on t.job_id = page.job_id and t.version < page.version
where (t.xid = any(%(late)s::xid8[]) or t.xid >= %(xmax)s::xid8 and t.xid < %(goal)s::xid8)
  and t.xid <> all(%(running)s::xid8[]) and t.at > %(not_before)s
  and (t.xid, t.job_id, t.version) > (%(xid)s::xid8, %(job_id)s::uuid, %(version)s)"""

Key = tuple[int, str, int]
"""Transaction, job and version: the order of a feed."""

START: Key = (0, "00000000-0000-0000-0000-000000000000", 0)


@dataclass(frozen=True)
class Moment:
    """One look at the record: what it sees, and its time."""

    snapshot: Snapshot
    at: datetime

    @classmethod
    def take(cls, fetch: Fetch) -> Self:
        """That of the transaction in which it is fetched."""
        [(snapshot, at)] = fetch(_NOW, ())
        return cls(Snapshot.parse(snapshot), utc(at))


@dataclass(frozen=True)
class Place:
    """Where a feed stands: all that `seen` sees was told, and of what `goal` sees beyond it all up to `last`.

    `ahead` was told before its turn, because a later version of the same job bears a lower number.
    """

    seen: Snapshot
    seen_at: datetime
    grace: timedelta = FOREIGN_AFTER
    goal: Moment | None = None
    last: Key = START
    ahead: frozenset[tuple[str, int]] = frozenset()

    @classmethod
    def at(cls, moment: Moment) -> Self:
        """All until that moment was told."""
        return cls(moment.snapshot, moment.at)

    @property
    def not_before(self) -> datetime:
        """What happened earlier was not written since `seen`."""
        return self.seen_at - self.grace

    def is_ahead_of(self, moment: Moment) -> bool:
        """Whether the record is another one than before: one server's numbers never go back."""
        return moment.snapshot.xmax < (self.goal.snapshot if self.goal else self.seen).xmax

    def rewound(self, moment: Moment) -> Self:
        """The place from which nothing is lost in a record that went back; the last minute may be told again."""
        least = max(0, moment.snapshot.xmin - REWIND_TRANSACTIONS)
        return type(self)(Snapshot(least, least, frozenset()), self.seen_at, REWIND_MARGIN)


def read_page(fetch: Fetch, place: Place, now: Moment, size: int) -> tuple[list[JobChange], Place, bool]:
    """The next changes after a place, about `size` at most, the place after them, and whether there may be more.

    In the order of transactions, but that versions of one job are always in theirs.
    """
    goal = place.goal or now
    rows = fetch(_PAGE, {**_bounds(place, goal), "size": size})
    after, more = Place.at(goal), goal != now  # what rang meanwhile is beyond an older goal
    if len(rows) == size:
        more = True
        last = (int(rows[-1][CHANGE_WIDTH]), rows[-1][0], rows[-1][1])
        after = replace(place, goal=goal, last=last)
        earlier = _earlier(fetch, after, goal, rows)
        after = replace(after, ahead=place.ahead | {(row[0], row[1]) for row in earlier})
        rows = rows + earlier
    return _in_order([row for row in rows if (row[0], row[1]) not in place.ahead]), after, more


def _bounds(place: Place, goal: Moment) -> dict[str, Any]:
    xid, job_id, version = place.last
    return {
        "late": _texts(place.seen.running),
        "xmax": str(place.seen.xmax),
        "goal": str(goal.snapshot.xmax),
        "running": _texts(goal.snapshot.running),
        "not_before": place.not_before,
        "xid": str(xid),
        "job_id": job_id,
        "version": version,
    }


def _earlier(fetch: Fetch, after: Place, goal: Moment, page: Sequence[Row]) -> list[Row]:
    """Versions that belong before those of the page and bear a higher number than its last row.

    A transaction that took its number for another job may make a later version than one that began after it:

        11  ------ job A ----------------- job B, version 3 -- commit
        12          job B, version 2 -- commit
    """
    newest: dict[str, int] = {}
    for row in page:
        newest[row[0]] = max(row[1], newest.get(row[0], 0))
    jobs = {"job_ids": list(newest), "versions": list(newest.values())}
    return fetch(_EARLIER, {**_bounds(after, goal), **jobs})


def _in_order(rows: Sequence[Row]) -> list[JobChange]:
    """By transaction; where a job's versions contradict that, the earlier version comes as early as the later."""
    turn: dict[str, int] = {}
    keyed = []
    for row in sorted(rows, key=lambda row: row[1], reverse=True):
        turn[row[0]] = min(turn.get(row[0], int(row[CHANGE_WIDTH])), int(row[CHANGE_WIDTH]))
        keyed.append(((turn[row[0]], row[0], row[1]), row))
    return [job_change(row) for _, row in sorted(keyed, key=lambda pair: pair[0])]


def _texts(xids: frozenset[int]) -> list[str]:
    return [str(xid) for xid in xids]
