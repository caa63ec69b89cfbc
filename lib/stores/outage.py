"""A short memory of failures: a frozen store costs its time limit once a second, not once per request."""

import time
from collections.abc import Callable
from types import TracebackType

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

    def watch(self, *failures: type[Exception]) -> "Watch":
        """Run the block unless the store is down; one of `failures` in it marks the store as down.

        Raises:
            TierUnavailableError: the block was not run, or it failed with one of `failures`.
        """
        return Watch(self, failures)

    def mark(self) -> None:
        """The store failed now."""
        self._down_until = self._monotonic() + self._pause_seconds


class Watch:
    """The context of `Outage.watch`: a class, since a generator costs more than the answer of a warm Redis."""

    __slots__ = ("_failures", "_outage")

    def __init__(self, outage: Outage, failures: tuple[type[Exception], ...]) -> None:
        self._outage = outage
        self._failures = failures

    def __enter__(self) -> None:
        if self._outage.down:
            raise TierUnavailableError(f"{self._outage.name} failed a moment ago and is left alone")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and isinstance(error, self._failures):
            self._outage.mark()
            message = f"{self._outage.name}: {type(error).__name__}: {error}"
            raise TierUnavailableError(message) from error
