"""How long a migration may make others wait, and how often it tries."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds.

    A statement that waits for a lock keeps everybody behind it waiting too: it gives up after `lock_seconds`,
    lets them pass, and tries again after the next of `pauses`. What is done concurrently blocks nobody while it
    waits for old transactions to end, so that it may wait for `concurrent_lock_seconds`, and outside a transaction
    a statement may work for `concurrent_seconds`.
    """

    lock_seconds: float = 3
    statement_seconds: float = 120
    concurrent_lock_seconds: float = 120
    concurrent_seconds: float = 240
    pauses: tuple[float, ...] = (1, 2, 4, 8)
    other_migrator_seconds: float = 280
    sleep: Callable[[float], None] = time.sleep


def milliseconds(seconds: float) -> str:
    """As Postgres reads it."""
    return f"{int(seconds * 1000)}ms"
