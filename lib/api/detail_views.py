"""What the record holds of one job, as its owner and admins see it: no address or path of a provider's."""

from datetime import datetime
from typing import Any

from lib.api.views import JobView
from lib.domain.attempt_row import AttemptRow
from lib.domain.element import Element
from lib.domain.page import Page
from lib.domain.provider import PLATFORM_VERSION
from lib.domain.storage_log import StorageKind, StorageLogEntry
from lib.domain.timeline import TimelineStep
from lib.domain.wire_json import wire_json
from lib.ports.repositories import StorageSearch
from lib.services.job_details import JobWithProgress


def details_view(found: JobWithProgress, view: JobView, now: datetime) -> dict[str, Any]:
    """The job as its status shows it, with what was asked for, its elements, its steps, and what was moved, counted."""
    details, summary = found.details, found.details.summary
    shown = wire_json(summary)
    return {
        **view(details.snapshot, found.progress, now),
        **{name: shown[name] for name in _SUMMARY},
        "parameters": details.parameters,
        "attempts": [attempt_view(each) for each in details.attempts],
        "elements": [element_view(each) for each in details.elements],
        "timeline": [step_view(each) for each in details.timeline],
        "storage": {
            "operations": summary.storage_operations,
            "failures": summary.storage_failures,
            "bytes": summary.storage_bytes,
        },
    }


_SUMMARY = (
    *("kind", "userId", "attempt", "version", "responseType", "outputFormat", "clientIp", "userAgent"),
    *("submittedAt", "startedAt", "deadlineAt", "totalSeconds"),
)


def attempt_view(attempt: AttemptRow) -> dict[str, Any]:
    """One attempt at a provider; of its key no more is shown than whose it was."""
    shown: dict[str, Any] = wire_json(attempt)
    version = shown.pop("credentialVersion")
    return {**shown, "credential": "platform" if version == PLATFORM_VERSION else "own"}


def step_view(step: TimelineStep) -> dict[str, Any]:
    """One step of the work, with the seconds that it took."""
    return {**wire_json(step), "seconds": step.seconds}


def element_view(element: Element) -> dict[str, Any]:
    """One element of a composed job; where the worker keeps its file is nobody's business."""
    shown: dict[str, Any] = wire_json(element)
    del shown["localPath"]
    return shown


def storage_view(entry: StorageLogEntry) -> dict[str, Any]:
    """One thing that was moved. Of a download the host alone is shown: who has its path can fetch what lies there."""
    shown: dict[str, Any] = wire_json(entry)
    return {**shown, "objectKey": None} if entry.operation is StorageKind.DOWNLOAD else shown


def storage_page_view(page: Page[StorageLogEntry], wanted: StorageSearch) -> dict[str, Any]:
    """A page of what was moved; it goes on by cursor, and nobody counts the whole."""
    return {
        "success": True,
        "data": [storage_view(each) for each in page.items],
        "pagination": {
            "page": None,
            "limit": wanted.limit,
            "total": None,
            "totalPages": None,
            "hasNext": page.next_cursor is not None,
            "hasPrev": wanted.cursor is not None,
            "nextCursor": page.next_cursor,
        },
    }
