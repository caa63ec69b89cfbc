"""A measured figure beside its budget: plain values, no measuring."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Bound(StrEnum):
    """On which side of its limit a figure is within budget."""

    AT_MOST = "<="
    AT_LEAST = ">="


@dataclass(frozen=True)
class Figure:
    """One number and its limit, both in `unit` ("" for ratios)."""

    name: str
    measured: float
    limit: float
    unit: str = ""
    bound: Bound = Bound.AT_MOST

    @property
    def ok(self) -> bool:
        """Whether the figure is within its budget; what is not a number is over every budget."""
        if self.bound is Bound.AT_LEAST:
            return self.measured >= self.limit
        return self.measured <= self.limit

    @property
    def share(self) -> float | None:
        """The measured part of the limit; None where the limit is nothing at all."""
        return self.measured / self.limit if self.limit else None


@dataclass(frozen=True)
class Measurement:
    """What one budget's measuring gave; `notes` are sentences on how and what else was seen."""

    title: str
    figures: Sequence[Figure] = ()
    notes: Sequence[str] = field(default=())
    failure: str | None = None

    @property
    def ok(self) -> bool:
        """Within budget: it was measured, and every figure is."""
        return self.failure is None and bool(self.figures) and all(figure.ok for figure in self.figures)
