"""What rang since the last look. A doorbell is no news: anybody may ring, and who hears it must be allowed to look."""

from typing import Self
from uuid import UUID

JOBS = "vsl_jobs"
STEPS = "vsl_steps"
MOST = 10_000


class Doorbells:
    """The jobs that were named, by channel; of the listener's thread alone. Ones that name no job are ignored."""

    CHANNELS = (JOBS, STEPS)

    def __init__(self) -> None:
        self.count = 0
        self.jobs: set[str] = set()
        self.steps: set[str] = set()
        self.too_many = False

    def __bool__(self) -> bool:
        return bool(self.jobs or self.steps or self.too_many)

    def ring(self, channel: str, payload: str) -> None:
        """Keep what rang; beyond the most that is kept, everything is to be looked at."""
        rung = self.jobs if channel == JOBS else self.steps
        try:
            job_id = str(UUID(payload))
        except ValueError:
            return
        self.count += 1
        if len(rung) < MOST or job_id in rung:
            rung.add(job_id)
        else:
            self.too_many = True

    def take(self) -> Self:
        """What rang until now; from here on it is kept anew."""
        taken = type(self)()
        taken.__dict__, self.__dict__ = self.__dict__, taken.__dict__
        return taken
