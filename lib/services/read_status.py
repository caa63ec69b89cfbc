"""The tiered read of a job's status: the fastest tier that can be trusted answers, and the mirrors heal by it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from lib.domain.actor import Actor
from lib.domain.errors import NotFoundError, RecordUnavailableError
from lib.domain.snapshot import JobSnapshot
from lib.ports.tier import Tier, TierEntry, TierUnavailableError

RETRY_AFTER_SECONDS = 2


@dataclass(frozen=True)
class StatusAnswer:
    """A job as tier `tier` knows it; `stale` if it is too old to be trusted and the record could not be asked."""

    snapshot: JobSnapshot
    tier: str
    stale: bool = False


class StatusReader:
    """Reads through the mirrors, fastest first, down to the record.

    A tier that is away is told to `on_outage` by its name and never fails the read while another one knows.
    """

    def __init__(self, mirrors: Sequence[Tier], record: Tier, *, on_outage: Callable[[str], None]) -> None:
        self._mirrors = tuple(mirrors)
        self._record = record
        self._on_outage = on_outage

    def read(
        self, job_id: str, now: datetime, *, owner: Actor | None = None, missed: Collection[str] = ()
    ) -> StatusAnswer:
        """The job's status, of the record or of a mirror that is fresh; stale only if the record is away.

        `owner` hides the jobs of other users, and of other guests. `missed` names tiers that were asked by other
        means in this request and had nothing: they are not asked again, but healed.

        Raises:
            NotFoundError: the record says that there is no such job, or it is not the owner's.
            RecordUnavailableError: no tier that answers knows the job, and the record is away.
        """
        answer = self._find(job_id, now, missed)
        if owner is not None and not answer.snapshot.belongs_to(owner):
            raise _not_found(job_id)
        return answer

    def _find(self, job_id: str, now: datetime, missed: Collection[str]) -> StatusAnswer:
        answered: list[Tier] = []
        stale: list[StatusAnswer] = []
        for tier in (*self._mirrors, self._record):
            try:
                entry = None if tier.name in missed else tier.read(job_id, now)
            except TierUnavailableError:
                self._on_outage(tier.name)
                continue
            if entry is not None and entry.fresh:
                self._heal(answered, entry, now)
                return StatusAnswer(entry.snapshot, tier.name)
            if tier is self._record:
                raise _not_found(job_id)
            if entry is not None:
                stale.append(StatusAnswer(entry.snapshot, tier.name, stale=True))
            answered.append(tier)
        if not stale:
            msg = "the job cannot be looked up now; try again"
            raise RecordUnavailableError(msg, retry_after_seconds=RETRY_AFTER_SECONDS)
        return max(stale, key=lambda answer: answer.snapshot.version)

    def _heal(self, tiers: Sequence[Tier], entry: TierEntry, now: datetime) -> None:
        """Give the entry to those above that answered; those that failed would only cost their limits again."""
        for tier in tiers:
            try:
                tier.write(entry.snapshot, now)
            except TierUnavailableError:
                self._on_outage(tier.name)


def _not_found(job_id: str) -> NotFoundError:
    return NotFoundError(f"there is no job {job_id}")
