"""Progress of a running job: a hint beside the record, no transition."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from lib.domain.job import JobStatus
from lib.domain.snapshot import JobSnapshot, format_time, parse_time


@dataclass(frozen=True)
class Progress:
    """How far one attempt has come: whole percent, 0 to 100, as the provider said at `at`."""

    attempt: int
    percent: int
    at: datetime

    def as_json(self) -> dict[str, Any]:
        """`{"attempt", "percent", "at"}`."""
        return {"attempt": self.attempt, "percent": self.percent, "at": format_time(self.at)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Self | None:
        """The reverse of `as_json`; None for nothing and for what this version cannot read."""
        if value is None:
            return None
        try:
            return cls(int(value["attempt"]), int(value["percent"]), parse_time(value["at"]))
        except (KeyError, TypeError, ValueError):
            return None

    def replaces(self, held: "Progress | None") -> bool:
        """Whether this is news: progress never falls within an attempt, and a new attempt begins anew."""
        return held is None or (self.attempt, self.percent) > (held.attempt, held.percent)


def progress_key(job_id: str) -> str:
    """Under which name a cache holds the progress of this job."""
    return f"job:progress:{job_id}"


def percent_of(fraction: float) -> int:
    """Whole percent of a provider's 0.0 to 1.0, held within 0 to 99: only a completed job shows 100."""
    return min(99, max(0, int(fraction * 100)))


def merge_progress(snapshot: JobSnapshot, progress: Progress | None) -> dict[str, Any]:
    """The snapshot's data with its `progress` in percent: 100 once completed, null where nothing is known.

    A failed or canceled job shows none, and neither does one whose progress is of an earlier attempt.
    """
    return {**snapshot.data, "progress": _percent(snapshot, progress)}


def _percent(snapshot: JobSnapshot, progress: Progress | None) -> int | None:
    if snapshot.final:
        return 100 if snapshot.status is JobStatus.COMPLETED else None
    if progress is None or progress.attempt != snapshot.data.get("attempt"):
        return None
    return progress.percent
