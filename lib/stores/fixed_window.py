"""Arithmetic of fixed windows: every use between two multiples of the window's length counts together."""

import math
from datetime import datetime

from lib.ports.cache import RateDecision

HOUR_SECONDS = 3600


def window_start(now: datetime, window_seconds: int) -> int:
    """The epoch second at which the window began that `now` lies in."""
    return int(now.timestamp()) // window_seconds * window_seconds


def reset_seconds(now: datetime, window_seconds: int) -> int:
    """Whole seconds until the next window, at least 1."""
    return max(1, math.ceil(window_start(now, window_seconds) + window_seconds - now.timestamp()))


def decide(*, allowed: bool, uses: int, limit: int, window_seconds: int, now: datetime) -> RateDecision:
    """The limiter's answer after `uses` counted uses of this window."""
    return RateDecision(
        allowed=allowed,
        limit=limit,
        remaining=max(0, limit - uses),
        reset_seconds=reset_seconds(now, window_seconds),
    )
