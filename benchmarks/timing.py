"""Compares durations fairly on a machine that is never quite idle: the sides take turns."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """Durations of two sides that took turns, in seconds, in the order of their turns."""

    ours: Sequence[float]
    theirs: Sequence[float]

    @property
    def medians(self) -> tuple[float, float]:
        """The median of each side, ours first."""
        return statistics.median(self.ours), statistics.median(self.theirs)

    @property
    def minima(self) -> tuple[float, float]:
        """The fastest of each side, ours first: what noise cannot make smaller."""
        return min(self.ours), min(self.theirs)

    @property
    def ratio_of_medians(self) -> float:
        """Ours as a multiple of theirs, by the medians."""
        ours, theirs = self.medians
        return ours / theirs

    @property
    def ratio_of_minima(self) -> float:
        """Ours as a multiple of theirs, by the minima."""
        ours, theirs = self.minima
        return ours / theirs


def interleave(turns: int, *sides: Callable[[], float]) -> list[list[float]]:
    """Run all sides `turns` times in turns; each call answers its own duration. The durations, side by side.

    Who goes first changes with each turn, so that none always follows the same other.
    """
    durations: list[list[float]] = [[] for _ in sides]
    for turn in range(turns):
        for step in range(len(sides)):
            side = (turn + step) % len(sides)
            durations[side].append(sides[side]())
    return durations


def take_turns(ours: Callable[[], float], theirs: Callable[[], float], turns: int) -> Pair:
    """Run both sides `turns` times, interleaved; each call answers its own duration in seconds."""
    return Pair(*interleave(turns, ours, theirs))


def timed(call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> Callable[[], float]:
    """`call` as a side: how long it took, in seconds of the clock; `time.thread_time` leaves all waiting out."""

    def run() -> float:
        begun = clock()
        call()
        return clock() - begun

    return run


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of the values lie, by the nearest rank."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * percent / 100))]
