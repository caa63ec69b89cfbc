"""What processes share of the query cache: values that an invalidation makes unreadable at once, everywhere."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from lib.domain.cache_keys import Target


@dataclass(frozen=True)
class Look:
    """What the store holds of one key.

    Args:
        value: the JSON text, or None where there is none that is still good.
        life_seconds: how long the value has yet to live.
        stamp: the generations of all targets that cover the key; changes with each invalidation, never back.
        leads: whether this caller shall compute the value, because nobody else is at it.
    """

    value: str | None
    life_seconds: float = 0.0
    stamp: str = ""
    leads: bool = False


class QueryStore(Protocol):
    """Values with a life in seconds, shared by processes. Every method is one round trip and atomic, and raises
    TierUnavailableError when the store is away."""

    name: str

    def read(self, key: str) -> Look:
        """The value if there is a good one. The look has no stamp to keep a value with."""

    def begin(self, key: str, *, token: str, lock_seconds: float, life_seconds: float) -> Look:
        """The value if there is a good one; otherwise a stamp for `keep`, and who computes.

        With an empty token nobody is asked to wait and nobody leads. `life_seconds` is that of the value to come.
        """

    def keep(self, key: str, value: str, life_seconds: float, *, stamp: str, token: str) -> bool:
        """Keep the value unless something that covers the key was forgotten since the stamp; whether it was kept.

        The lead that `token` holds ends either way.
        """

    def release(self, key: str, token: str) -> None:
        """The caller with this token leads no longer."""

    def forget(self, targets: Collection[Target]) -> None:
        """No value that these cover can be read, and no stamp taken before can be used, from now on."""
