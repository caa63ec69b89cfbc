"""Figures worked out from rows in Python, to compare those of SQL with."""

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from lib.domain.time_range import TimeRange

Row = dict[str, Any]
KeyT = TypeVar("KeyT", bound=Hashable)


def percentile(values: Iterable[float], fraction: float) -> float | None:
    """By linear interpolation between the two nearest ranks; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    place = fraction * (len(ordered) - 1)
    below, above = math.floor(place), math.ceil(place)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def mean(values: Sequence[float]) -> float | None:
    """The average; None of nothing."""
    return math.fsum(values) / len(values) if values else None


def share(part: int, whole: int) -> float | None:
    """A rate; None of nothing."""
    return part / whole if whole else None


def grouped(rows: Iterable[Row], key: Callable[[Row], KeyT]) -> dict[KeyT, list[Row]]:
    """Rows by what `key` says of them."""
    groups: defaultdict[KeyT, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)


def seconds(begin: datetime, end: datetime) -> float:
    """From one moment to the other."""
    return (end - begin).total_seconds()


def day(moment: datetime) -> date:
    """The day in UTC."""
    return moment.astimezone(UTC).date()


def storage_figures(rows: list[Row]) -> Row:
    """What the view and the report say of storage operations."""
    good = [row for row in rows if row["success"]]
    sized = [row for row in good if row["file_size"] is not None]
    timed = [row for row in sized if row["duration_ms"]]
    took = [float(row["duration_ms"]) for row in rows if row["duration_ms"] is not None]
    total_ms = sum(float(row["duration_ms"]) for row in timed)
    return {
        "operations": len(rows),
        "failures": len(rows) - len(good),
        "success_rate": share(len(good), len(rows)),
        "bytes": sum(row["file_size"] for row in sized),
        "average_ms": mean(took),
        "p50_ms": percentile(took, 0.5),
        "p95_ms": percentile(took, 0.95),
        "p99_ms": percentile(took, 0.99),
        "bytes_per_second": sum(row["file_size"] for row in timed) / total_ms * 1000 if total_ms else None,
    }


def job_counts(rows: list[Row]) -> Row:
    """How many jobs came to which end."""
    fates = [row["status"] for row in rows]
    completed, failed = fates.count("completed"), fates.count("failed")
    return {
        "jobs": len(rows),
        "completed": completed,
        "failed": failed,
        "canceled": fates.count("canceled"),
        "in_flight": fates.count("pending") + fates.count("processing"),
        "success_rate": share(completed, completed + failed),
    }


def took(rows: list[Row]) -> list[float]:
    """Seconds from the making to the end, of those that completed."""
    return [seconds(row["created_at"], row["completed_at"]) for row in rows if row["status"] == "completed"]


def made_in(rows: list[Row], wanted: TimeRange) -> list[Row]:
    """The rows that were made in this time."""
    return [row for row in rows if wanted.start <= row["created_at"] < wanted.end]
