"""How fast the listener goes: what it waits for, and for how long at most."""

import random
from dataclasses import dataclass

SHORTEST_BACKOFF_SECONDS = 0.1
LONGEST_BACKOFF_SECONDS = 10.0
_DOUBLINGS = 10


@dataclass(frozen=True)
class Pace:
    """Limits in seconds, but for the first and the last.

    Args:
        events_per_second: readings of the record because of doorbells, at most; each brings all that is new
            (REALTIME_EVENTS_PER_SECOND).
        collect_seconds: after the first doorbell, so long is waited for more of them.
        fallback_seconds: so often the record is read without a doorbell. It is the only way where NOTIFY is
            switched off or does not pass, and it notices a server that is silent.
        begin_seconds: limit for the first reading of a subscription.
        connect_seconds: limit for connecting.
        statement_seconds: limit for each statement.
        page: rows of one reading; twice as many may wait for a slow subscriber.
    """

    events_per_second: float = 10.0
    collect_seconds: float = 0.05
    fallback_seconds: float = 5.0
    begin_seconds: float = 10.0
    connect_seconds: float = 2.0
    statement_seconds: float = 5.0
    page: int = 500


def backoff_seconds(failures: int) -> float:
    """How long to wait after so many failures in a row, from 1: doubling, with jitter, so that not all come at once."""
    longest = min(LONGEST_BACKOFF_SECONDS, SHORTEST_BACKOFF_SECONDS * 2.0 ** min(failures - 1, _DOUBLINGS))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter is no secret
