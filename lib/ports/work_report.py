"""What was done for jobs, as it is told to the record: steps, what was moved, what it took, figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Usage:
    """What a piece of work took of our side: percent of one processor, and the peak of memory in bytes."""

    cpu_percent: float
    memory_bytes: int

    def as_json(self) -> dict[str, Any]:
        """`{"cpuUsage", "memoryUsage"}`, as the SQL functions take it."""
        return {"cpuUsage": round(self.cpu_percent, 2), "memoryUsage": self.memory_bytes}


@dataclass(frozen=True)
class StepEnd:
    """The end of a step of the work that `begin_storing` began; `timeline_id` is the id that it gave."""

    timeline_id: str
    success: bool
    ended_at: datetime
    progress: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    usage: Usage | None = None


@dataclass(frozen=True)
class StorageOperation:
    """Something that was moved to or from the bucket; told twice with the same id, it is kept once.

    `operation` is download, upload, delete, copy or read; of a download `bucket` is the host. Sizes in bytes.
    """

    operation_id: str
    operation: str
    bucket: str
    key: str
    success: bool
    at: datetime
    duration_ms: float
    file_size: int | None = None
    output_index: int | None = None
    region: str | None = None
    error_code: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class WorkReport:
    """What a worker did for a job, for its timeline and the storage log."""

    steps: Sequence[StepEnd] = ()
    operations: Sequence[StorageOperation] = ()


@dataclass(frozen=True)
class Metric:
    """One figure of the system at one moment; `unit` such as count, seconds, bytes, percent."""

    name: str
    value: float
    unit: str
    dimensions: Mapping[str, Any] = field(default_factory=dict)
