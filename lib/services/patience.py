"""Asks again what must not be lost because a store was away for a moment."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from lib.domain.errors import UnavailableError

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How often is asked, the first time included, and with what pauses between; they double."""

    tries: int = 6
    first_pause: float = 0.5
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def keep_trying(self, call: Callable[[], ResultT], stop: Callable[[], bool]) -> ResultT:
        """What `call` returns; UnavailableError when it raised that each time, or `stop` said so after it did."""
        for tried in range(self.tries - 1):
            try:
                return call()
            except UnavailableError:
                if stop():
                    raise
            self.sleep(self.first_pause * 2**tried * (0.5 + self.jitter() / 2))
        return call()
