"""Removes what is older than its period, a few rows at a time, so that nobody who writes has to wait."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from lib.domain.errors import RecordUnavailableError
from lib.domain.retention import Expiring, Expiry, RetentionPeriods, expiries
from lib.ports.journal import Journal
from lib.ports.record import JobRecord

ROWS = 500
BATCHES = 200
"""Of so many rows, and so many in one sweep: what is left is removed by the next."""


def _nothing() -> None:
    """Nobody keeps anything."""


@dataclass(frozen=True)
class Retention:
    """Each batch is a transaction of its own; the tables take turns, so that a large one holds up no other.

    `on_jobs_removed` is called after jobs went, for those who keep what belonged to them; it never raises.
    """

    record: JobRecord
    journal: Journal
    periods: RetentionPeriods
    rows: int = ROWS
    batches: int = BATCHES
    on_jobs_removed: Callable[[], None] = _nothing

    def remove_expired(self, now: datetime, stop: Callable[[], bool] = lambda: False) -> Mapping[str, int]:
        """Remove what is due until nothing is, or `stop()`, or the batches are used up; rows by table, zeros left out.

        What fails for one table is counted, and the others go on. Raises RecordUnavailableError.
        """
        removed: dict[str, int] = {}
        turns = deque(expiries(self.periods, now))
        for _ in range(self.batches):
            if not turns or stop():
                break
            turn = turns.popleft()
            count = self._remove(turn)
            if count:
                removed[turn.table.value] = removed.get(turn.table.value, 0) + count
            if count >= self.rows:
                turns.append(turn)
        if removed:
            self.journal.note("expired_removed", None, **removed)
        if Expiring.JOBS.value in removed:
            self.on_jobs_removed()
        return removed

    def _remove(self, due: Expiry) -> int:
        try:
            return self.record.remove_expired(due.table.value, due.before, self.rows)
        except RecordUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one table, the others are tidied
            self.journal.count("RetentionFailed", table=due.table.value)
            self.journal.note(
                "retention_failed", table=due.table.value, reason=f"{type(error).__name__}: {error}"
            )
            return 0
