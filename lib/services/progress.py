"""Progress of running jobs in the shared cache: kept an hour, lost without harm."""

from collections.abc import Callable
from datetime import datetime

from lib.domain.progress import Progress, percent_of, progress_key
from lib.ports.cache import SharedCache
from lib.ports.tier import TierUnavailableError

LIFE_SECONDS = 3600


class ProgressStore:
    """Keeps and finds the progress of jobs. With the cache away nothing is kept and none is found."""

    def __init__(self, cache: SharedCache, *, on_outage: Callable[[str], None]) -> None:
        self._cache = cache
        self._on_outage = on_outage

    def record(self, job_id: str, attempt: int, fraction: float, now: datetime) -> None:
        """Keep what the provider said, `fraction` of 0.0 to 1.0, unless more was said already.

        Two workers at once may both write; the next word of the provider puts it right.
        """
        progress = Progress(attempt, percent_of(fraction), now)
        try:
            held = Progress.from_json(self._cache.get(progress_key(job_id), now))
            if progress.replaces(held):
                self._cache.put(progress_key(job_id), progress.as_json(), LIFE_SECONDS, now)
        except TierUnavailableError:
            self._on_outage(self._cache.name)

    def read(self, job_id: str, now: datetime) -> Progress | None:
        """What is known of the job's progress, or None."""
        try:
            return Progress.from_json(self._cache.get(progress_key(job_id), now))
        except TierUnavailableError:
            self._on_outage(self._cache.name)
            return None
