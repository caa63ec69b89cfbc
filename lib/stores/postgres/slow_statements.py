"""Times statements, and tells of those that took too long when their transaction is over."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from lib.stores.postgres.faults import FAULTS
from lib.stores.postgres.lease import Lease
from lib.stores.postgres.one_trip import dollar_form, fetch_rows

PLAN_SECONDS = 0.25
"""How long a plan may take; a connection that has not given one by then is given up."""
GENERIC_PLANS_SINCE = 160000


class OnSlow(Protocol):
    """Is told of each slow statement."""

    @property
    def threshold_seconds(self) -> float:
        """From how long on a statement is slow."""

    def __call__(self, statement: str, seconds: float, plan: Callable[[], str | None]) -> None:
        """A statement took `seconds`; `plan()` asks the server how it would run it, and is None if it cannot say."""


class SlowStatements:
    """What was slow on one lease; `tell` is for when the lease's transaction is over. None watches nothing."""

    def __init__(self, on_slow: OnSlow | None) -> None:
        self._on_slow = on_slow
        self._threshold = float("inf") if on_slow is None else on_slow.threshold_seconds
        self._found: list[tuple[str, Any, float]] = []
        self._watched: tuple[str, Any] = ("", ())
        self._start = 0.0

    def watch(self, sql: str, params: Any) -> "SlowStatements":
        """Time the block, which runs this statement."""
        self._watched = (sql, params)
        return self

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        seconds = time.perf_counter() - self._start
        if seconds >= self._threshold:
            self._found.append((*self._watched, seconds))

    def tell(self, lease: Lease) -> None:
        """Tell of each slow statement. Never raises."""
        if self._on_slow is None:
            return
        for sql, params, seconds in self._found:
            self._on_slow(sql, seconds, partial(_plan, lease, sql, params))


def _plan(lease: Lease, sql: str, params: Any) -> str | None:
    """The generic plan: one for the parameters' values would show them. Asked only between transactions."""
    connection = lease.connection
    if not lease.good or connection.info.server_version < GENERIC_PLANS_SINCE:
        return None
    statement_seconds, connection.statement_seconds = connection.statement_seconds, PLAN_SECONDS
    try:
        with suppress(*FAULTS):
            explain = b"explain (generic_plan, format text) " + dollar_form(connection, sql, params).strip()
            return "\n".join(str(row[0]) for row in fetch_rows(connection, explain))
    finally:
        connection.statement_seconds = statement_seconds
    return None
