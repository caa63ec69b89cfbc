"""What is wrong with a search, before the record is asked."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from lib.domain.address import is_address
from lib.domain.errors import FieldError, InvalidError
from lib.domain.job import JobStatus
from lib.domain.job_row import JobKind
from lib.domain.media_type import MediaType
from lib.domain.page import limit_problems
from lib.domain.storage_log import StorageKind
from lib.ports.repositories import JobSearch, StorageSearch


def check_search(wanted: JobSearch) -> None:
    """Raises InvalidError naming all that is wrong at once, except the cursor."""
    errors = [
        *_one_of("status", wanted.statuses, JobStatus),
        *_one_of("mediaType", _given(wanted.media_type), MediaType),
        *_one_of("kind", _given(wanted.kind), JobKind),
        *_address(wanted.client_ip),
        *_moment("from", wanted.created_from),
        *_moment("to", wanted.created_to),
        *limit_problems(wanted.limit),
    ]
    _raise(errors)


def check_storage_search(wanted: StorageSearch) -> None:
    """Raises InvalidError naming all that is wrong at once, except the cursor."""
    _raise([*_one_of("operation", _given(wanted.operation), StorageKind), *limit_problems(wanted.limit)])


def check_one_of(path: str, value: str | None, known: type[StrEnum]) -> None:
    """Raises InvalidError unless the value is None or one of the known."""
    _raise(_one_of(path, _given(value), known))


def _given(value: str | None) -> Collection[str]:
    return () if value is None else (value,)


def _one_of(path: str, values: Collection[str], known: type[StrEnum]) -> list[FieldError]:
    wrong = any(value not in [*known] for value in values)
    return [FieldError(path, f"must be one of {', '.join(known)}")] if wrong else []


def _address(text: str | None) -> list[FieldError]:
    wrong = text is not None and not is_address(text)
    return [FieldError("clientIp", "must be an IPv4 or IPv6 address")] if wrong else []


def _moment(path: str, moment: datetime | None) -> list[FieldError]:
    naive = moment is not None and moment.tzinfo is None
    return [FieldError(path, "must have an offset from UTC")] if naive else []


def _raise(errors: list[FieldError]) -> None:
    if errors:
        listed = "; ".join(f"{error.path} {error.message}" for error in errors)
        raise InvalidError(f"the query is wrong: {listed}", errors=errors)
