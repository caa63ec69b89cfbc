"""What a piece of work takes of this process: processor time, and the peak of memory.

A function works on one thing at a time, so what its process took meanwhile is what the work took.
"""

import resource
import sys
import time
from collections.abc import Callable

from lib.ports.work_report import Usage

SHORTEST_SECONDS = 0.001
MOST_PERCENT = 99_999.0
"""What the record has room for."""


class UsageMeter:
    """Measures from its making on. It costs two readings of clocks."""

    def __init__(
        self,
        cpu: Callable[[], float] = time.process_time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cpu, self._monotonic = cpu, monotonic
        self._cpu_begun, self._begun = cpu(), monotonic()

    def cpu_seconds(self) -> float:
        """Seconds of processors so far, of all threads."""
        return self._cpu() - self._cpu_begun

    def usage(self) -> Usage:
        """What was used so far."""
        return usage_of(self.cpu_seconds(), self._monotonic() - self._begun)


def usage_of(cpu_seconds: float, seconds: float) -> Usage:
    """So much processor time within so many seconds; beside it the peak of memory, which is the process's so far."""
    percent = 100 * max(0.0, cpu_seconds) / max(seconds, SHORTEST_SECONDS)
    return Usage(min(percent, MOST_PERCENT), peak_memory_bytes())


def peak_memory_bytes() -> int:
    """The most memory that this process ever had resident; Linux tells KiB, macOS bytes (getrusage(2))."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
