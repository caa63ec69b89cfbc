"""The query cache in several processes over one shared store, with a row that changes below them."""

import threading
from typing import Any

import pytest

from lib.services.query_cache import QueryCache
from tests.fakes.query_store import FakeQueryStore

WAIT_SECONDS = 10


class Slow:
    """A computation that the test holds: it gives the row as it was when it began."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.calls = 0
        self.error: BaseException | None = None
        self.begun, self.go_on = threading.Event(), threading.Event()
        self._row = row

    def __call__(self) -> Any:
        self.calls += 1
        value = self._row["value"]
        self.begun.set()
        assert self.go_on.wait(WAIT_SECONDS)
        if self.error is not None:
            raise self.error
        return value


class House:
    """A row, and as many processes as the test wants, above one shared store."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0
        self.store = FakeQueryStore(self.clock)
        self.row: dict[str, Any] = {"value": "old"}
        self.outages: list[str] = []
        self.pauses: list[float] = []

    def clock(self) -> float:
        """The time of all processes, in seconds."""
        return self.seconds

    def process(self, **settings: Any) -> QueryCache:
        """Another process's cache."""
        settings = {"pause": self.pauses.append, **settings}
        return QueryCache(self.store, clock=self.clock, on_outage=self.outages.append, **settings)

    def read(self) -> Any:
        """What stands in the row."""
        return self.row["value"]


def never() -> Any:
    """A computation that is not to run."""
    pytest.fail("somebody else computes it")


def not_found() -> Any:
    """A computation that finds no row."""
    raise LookupError("no such row")
