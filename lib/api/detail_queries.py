"""The queries of `GET /jobs/{jobId}/storage`, `GET /media/{outputId}` and `GET /analytics/...`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from lib.domain.errors import FieldError, InvalidError
from lib.domain.page import limit_problems
from lib.domain.storage_log import StorageKind
from lib.domain.time_range import read_day_range, read_time_range
from lib.ports.repositories import StorageSearch
from lib.services.analytics import LONGEST_MODEL_ID

_TRUTHS = {"true": True, "false": False}


@dataclass(frozen=True)
class ReportQuery:
    """Which range a report is asked for, as text that can be read, and which model, if only one."""

    from_: str | None = None
    to: str | None = None
    model_id: str | None = None


def read_storage_query(query: Mapping[str, str]) -> StorageSearch:
    """Which operations to list. Raises InvalidError naming everything that is wrong; a cursor is read by its owner."""
    errors = _unknown(query, ("operation", "success", "limit", "cursor"))
    limit: object = query.get("limit", StorageSearch.limit)
    if isinstance(limit, str) and limit.isascii() and limit.isdigit() and len(limit) <= 9:
        limit = int(limit)
    errors += limit_problems(limit)
    operation = query.get("operation")
    if operation is not None and operation not in [*StorageKind]:
        errors.append(FieldError("operation", f"must be one of {', '.join(StorageKind)}"))
    success = _truth("success", query, errors)
    _raise(errors)
    return StorageSearch(
        operation=operation,
        success=success,
        cursor=query.get("cursor"),
        limit=limit if isinstance(limit, int) else StorageSearch.limit,
    )


def read_media_query(query: Mapping[str, str]) -> bool:
    """Whether the small picture is wanted. Raises InvalidError for another query."""
    errors = _unknown(query, ("thumbnail",))
    thumbnail = _truth("thumbnail", query, errors)
    _raise(errors)
    return thumbnail is True


def read_report_query(
    query: Mapping[str, str], now: datetime, *, days: bool = False, of_model: bool = False
) -> ReportQuery:
    """The range in days or in time. Raises InvalidError naming everything that is wrong, and computes nothing."""
    errors = _unknown(query, ("from", "to", *(("modelId",) if of_model else ())))
    try:
        (read_day_range if days else read_time_range)(query.get("from"), query.get("to"), now)
    except InvalidError as error:
        errors += error.errors
    model_id = query.get("modelId") if of_model else None
    if model_id is not None and not 1 <= len(model_id) <= LONGEST_MODEL_ID:
        errors.append(FieldError("modelId", f"must be 1 to {LONGEST_MODEL_ID} characters"))
    _raise(errors)
    return ReportQuery(query.get("from"), query.get("to"), model_id)


def refuse_query(query: Mapping[str, str]) -> None:
    """Raises InvalidError for any query at all."""
    _raise(_unknown(query, ()))


def _unknown(query: Mapping[str, str], known: Iterable[str]) -> list[FieldError]:
    listed = ", ".join(known) or "none"
    return [
        FieldError(name[:100], f"is not known; known are {listed}") for name in query if name not in known
    ]


def _truth(name: str, query: Mapping[str, str], errors: list[FieldError]) -> bool | None:
    text = query.get(name)
    if text is not None and text not in _TRUTHS:
        errors.append(FieldError(name, "must be true or false"))
    return _TRUTHS.get(text) if text is not None else None


def _raise(errors: list[FieldError]) -> None:
    if errors:
        raise InvalidError("the query is wrong", errors=errors)
