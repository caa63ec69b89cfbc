"""What was moved to and from the media bucket."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class StorageKind(StrEnum):
    """What was done; a download is one from the provider."""

    DOWNLOAD = "download"
    UPLOAD = "upload"
    DELETE = "delete"
    COPY = "copy"
    READ = "read"


@dataclass(frozen=True, kw_only=True)
class StorageLogEntry:
    """A row of table `storage_operations`; each field is the column of its name. `file_size` is bytes."""

    job_id: str
    operation_id: str
    output_index: int | None
    operation: StorageKind
    bucket: str
    object_key: str
    region: str | None
    success: bool
    file_size: int | None
    duration_ms: float | None
    error_code: str | None
    metadata: Mapping[str, Any]
    at: datetime
