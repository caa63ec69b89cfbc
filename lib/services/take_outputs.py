"""Takes over what a provider made that is with us already: inside its answer, or put into our bucket by itself."""

from dataclasses import dataclass
from typing import Protocol

from lib.domain.provider import ProviderUpdate, UploadPolicy
from lib.services.park_outputs import ParkOutputs


class DirectUploads(Protocol):
    """Lets providers put outputs into our bucket, and knows them again."""

    def policy(self, job_id: str, attempt: int, /) -> UploadPolicy:
        """A form for objects below the attempt's own prefix."""

    def recognized(self, update: ProviderUpdate, job_id: str, attempt: int, /) -> ProviderUpdate:
        """The update whose outputs below that prefix are objects, and all others as they were."""


@dataclass(frozen=True)
class TakeOwnOutputs:
    """`TakeOutputs` over the bucket. `uploads` is None where providers may not put anything there."""

    park: ParkOutputs
    uploads: DirectUploads | None

    def __call__(
        self, job_id: str, attempt: int, update: ProviderUpdate, *, patient: bool = False
    ) -> ProviderUpdate:
        """The update whose outputs can be recorded; raises UnavailableError when the bucket is away.

        `patient`: what came is nowhere else, so a bucket that is away is asked again and again.
        """
        if self.uploads is not None:
            update = self.uploads.recognized(update, job_id, attempt)
        return self.park(job_id, attempt, update, stop=lambda: not patient)

    def policy(self, job_id: str, attempt: int) -> UploadPolicy | None:
        """Lets a provider put its outputs below the attempt's own prefix for a while."""
        return self.uploads.policy(job_id, attempt) if self.uploads is not None else None

    def left_behind(self, job_id: str, attempt: int) -> ProviderUpdate | None:
        """What a worker parked and did not live to record; None if there is nothing."""
        return self.park.find_parked(job_id, attempt)
