"""How long a migration may make others wait, and how often it tries."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds.

    A statement that waits for a lock keeps everybody behind it waiting too: it gives up after `lock_seconds`,
    lets them pass, and tries again after the next of `pauses`. What runs outside a transaction blocks nobody
    while it waits, so that it may wait, and work, for `concurrent_seconds`.
    """

    lock_seconds: float = 3
    statement_seconds: float = 120
    concurrent_seconds: float = 240
    pauses: tuple[float, ...] = (1, 2, 4, 8)
    other_migrator_seconds: float = 280
    sleep: Callable[[float], None] = time.sleep


def milliseconds(seconds: float) -> str:
    """As Postgres reads it."""
    return f"{int(seconds * 1000)}ms"
