"""Where users' keys are kept: sealed, in versions, each seen by its owner alone and by the workers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from lib.domain.credential import StoredCredential
from lib.domain.envelope import Sealed


class Credentials(Protocol):
    """The record of users' keys.

    Each method acts for the current actor, whose own rows alone it sees (a guest has none; an admin sees no more),
    or as a worker for everybody. Raises RecordUnavailableError when the record is away; then nothing was changed.
    """

    def next_version(self, user_id: str, provider: str) -> int:
        """The version that a new key gets."""
        ...

    def put(self, sealed: Sealed, masked: Mapping[str, str], now: datetime) -> StoredCredential | None:
        """Keep a new version, which takes the place of the former; None if another came first with this version.

        Putting the same one again changes nothing. Raises ForbiddenError for a guest.
        """
        ...

    def list(self, user_id: str) -> Sequence[StoredCredential]:
        """A user's keys, by provider: one of each at most."""
        ...

    def current(self, user_id: str, provider: str) -> tuple[StoredCredential, Sealed] | None:
        """A user's key at a provider: what may be shown of it, and what opens it; None where there is none."""
        ...

    def delete(self, user_id: str, provider: str, now: datetime) -> StoredCredential | None:
        """Take it away from new jobs; those that it made keep it. None: there was none."""
        ...

    def find(self, credential_id: str) -> Sealed | None:
        """A version, replaced or not; None if there is none such, or it was wiped."""
        ...

    def mark(
        self, credential_id: str, *, is_valid: bool, code: str | None, account: str | None, now: datetime
    ) -> bool:
        """Keep what a provider said of this version; False if it is not the current one, or newer is known."""
        ...


class Rewrapping(Protocol):
    """What re-wrapping takes: the owner's own view of all rows."""

    def by_key(self) -> Sequence[tuple[str, int]]:
        """How many versions each master key wrapped, wiped ones left out."""
        ...

    def wrapped_otherwise(self, key_id: str, after: str | None, limit: int) -> Sequence[Sealed]:
        """Versions that another master key wrapped, in the order of their ids, after that one."""
        ...

    def rewrap(self, sealed: Sealed, key_id: str, wrapped_key: bytes) -> bool:
        """Replace what wraps the data key; False if the row changed meanwhile."""
        ...
