"""A tier in a dict."""

from datetime import datetime, timedelta
from threading import Lock

from lib.domain.snapshot import JobSnapshot
from lib.ports.tier import TierEntry, TierUnavailableError


class FakeTier:
    """`entries` is its state: job id -> (snapshot, when written); set `down` to make it fail."""

    def __init__(self, name: str = "fake", *, fresh_seconds: float = 30) -> None:
        self.name = name
        self.entries: dict[str, tuple[JobSnapshot, datetime]] = {}
        self.down = False
        self.reads = 0
        self._fresh = timedelta(seconds=fresh_seconds)
        self._lock = Lock()

    def read(self, job_id: str, now: datetime) -> TierEntry | None:
        """See the port."""
        self.reads += 1
        self._must_be_up()
        if job_id not in self.entries:
            return None
        snapshot, written_at = self.entries[job_id]
        return TierEntry(snapshot, fresh=snapshot.final or now - written_at <= self._fresh)

    def write(self, snapshot: JobSnapshot, now: datetime) -> bool:
        """See the port."""
        self._must_be_up()
        with self._lock:
            held = self.entries.get(snapshot.job_id)
            if held and (held[0].version, held[1]) > (snapshot.version, now):
                return False
            self.entries[snapshot.job_id] = (snapshot, now)
            return True

    def version_of(self, job_id: str) -> int | None:
        """The version that it holds of this job, or None."""
        held = self.entries.get(job_id)
        return held[0].version if held else None

    def _must_be_up(self) -> None:
        if self.down:
            raise TierUnavailableError(f"{self.name} is down")
