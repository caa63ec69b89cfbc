"""Waiting for what happens elsewhere, with an end."""

import time
from collections.abc import Callable
from typing import TypeVar

SECONDS = 20.0
ValueT = TypeVar("ValueT")


def until(read: Callable[[], ValueT], is_so: Callable[[ValueT], bool]) -> ValueT:
    """Reads until it is so, and returns what was read; fails after twenty seconds."""
    end = time.monotonic() + SECONDS
    while not is_so(value := read()):
        assert time.monotonic() < end, value
        time.sleep(0.01)
    return value
