"""The status of one job for its owner: in one round trip where Redis has everything, else the long way."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from lib.domain.api_key import CachedKey, hash_key
from lib.domain.caller import Caller
from lib.domain.errors import NotFoundError
from lib.domain.ids import parse_job_id
from lib.domain.progress import Progress
from lib.domain.snapshot import JobSnapshot
from lib.ports.tier import TierUnavailableError
from lib.services.authenticate import Authenticator
from lib.services.progress import ProgressStore
from lib.services.read_status import StatusReader


class Found(Protocol):
    """What the fast path has of the three; None for each that it lacks."""

    @property
    def key(self) -> CachedKey | None:
        """The caller's key."""

    @property
    def snapshot(self) -> JobSnapshot | None:
        """The job."""

    @property
    def progress(self) -> Progress | None:
        """Its progress."""


class FastPath(Protocol):
    """Asks the first tier for key, job and progress at once."""

    def read(self, key_hash: str, job_id: str) -> Found:
        """What it has. Raises TierUnavailableError."""


@dataclass(frozen=True)
class JobStatusFound:
    """A job with its progress, as the caller may see it."""

    snapshot: JobSnapshot
    progress: Progress | None


@dataclass(frozen=True)
class LookUpStatus:
    """The use case of `GET /status/{jobId}`; `fast` is None where there is no Redis, `tier` is its tier's name."""

    fast: FastPath | None
    authenticator: Authenticator
    reader: StatusReader
    progress: ProgressStore
    clock: Callable[[], datetime]
    on_outage: Callable[[str], None]
    tier: str = "redis"

    def look_up(
        self, presented: str | None, job_id: str, act_for: Callable[[Caller], None]
    ) -> JobStatusFound:
        """The caller's job; `act_for` is told of the caller before anything is read on the caller's behalf.

        Raises:
            UnauthenticatedError: no key, or a wrong one.
            NotFoundError: an id that is none, no such job, or somebody else's.
            RecordUnavailableError: nothing that answers knows the key or the job.
        """
        wanted, key_hash = parse_job_id(job_id), hash_key(presented)
        found = self._ask_fast(key_hash, wanted) if wanted and key_hash else None
        caller = self._believed(key_hash, found) or self.authenticator.identify(
            presented, allow_stale=True, cached=found.key if found else None
        )
        act_for(caller)
        if wanted is None:
            msg = f"there is no job {job_id[:100]!r}: a job id is a UUID of 36 characters"
            raise NotFoundError(msg)
        if found is not None and found.snapshot is not None:
            if not found.snapshot.belongs_to(caller.actor):
                raise NotFoundError(f"there is no job {wanted}")
            return JobStatusFound(found.snapshot, found.progress)
        missed: Collection[str] = (self.tier,) if found is not None else ()
        now = self.clock()
        snapshot = self.reader.read(wanted, now, owner=caller.actor, missed=missed).snapshot
        return JobStatusFound(snapshot, self._progress(snapshot, found, now))

    def _believed(self, key_hash: str | None, found: Found | None) -> Caller | None:
        if key_hash is None or found is None or found.key is None:
            return None
        key = self.authenticator.believe(key_hash, found.key)
        return key.caller(key_hash) if key else None

    def _ask_fast(self, key_hash: str, job_id: str) -> Found | None:
        if self.fast is None:
            return None
        try:
            return self.fast.read(key_hash, job_id)
        except TierUnavailableError:
            self.on_outage(self.tier)
            return None

    def _progress(self, snapshot: JobSnapshot, found: Found | None, now: datetime) -> Progress | None:
        if snapshot.final:
            return None
        return found.progress if found is not None else self.progress.read(snapshot.job_id, now)
