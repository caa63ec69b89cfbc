"""A short memory of failures: a frozen store costs its time limit once a second, not once per request."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lib.ports.tier import TierUnavailableError

PAUSE_SECONDS = 1.5


class Outage:
    """Down-marker of one store, shared by everything in this process that uses it.

    After a failure the store is left alone for `pause_seconds`; then the next call tries it again.
    """

    def __init__(
        self,
        name: str,
        *,
        pause_seconds: float = PAUSE_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._pause_seconds = pause_seconds
        self._monotonic = monotonic
        self._down_until = float("-inf")

    @property
    def down(self) -> bool:
        """Whether the store failed a moment ago."""
        return self._monotonic() < self._down_until

    @contextmanager
    def watch(self, *failures: type[Exception]) -> Iterator[None]:
        """Run the block unless the store is down; one of `failures` in it marks the store as down.

        Raises:
            TierUnavailableError: the block was not run, or it failed with one of `failures`.
        """
        if self.down:
            raise TierUnavailableError(f"{self.name} failed a moment ago and is left alone")
        try:
            yield
        except failures as error:
            self._down_until = self._monotonic() + self._pause_seconds
            raise TierUnavailableError(f"{self.name}: {type(error).__name__}: {error}") from error
