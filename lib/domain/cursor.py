"""Where a list goes on: the sort key of the last row seen, as opaque text."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from lib.domain.errors import FieldError, InvalidError
from lib.domain.ids import parse_job_id

LONGEST_CURSOR = 500
PROBLEM = "must be the nextCursor of an earlier answer"

KeyT = TypeVar("KeyT")


def encode_time_and_id(at: datetime, row_id: str) -> str:
    """The cursor that goes on after the row with this time and this id."""
    return _encode([at.astimezone(UTC).isoformat(), row_id])


def decode_time_and_id(cursor: str, path: str = "cursor") -> tuple[datetime, str]:
    """(time, id) of the last row seen. Raises InvalidError for anything that we did not give out."""
    return _decode(cursor, path, _time_and_id)


def encode_ids(*row_ids: str) -> str:
    """The cursor that goes on after the row with these ids."""
    return _encode(list(row_ids))


def decode_ids(cursor: str, count: int, path: str = "cursor") -> tuple[str, ...]:
    """The `count` ids of the last row seen. Raises InvalidError for anything that we did not give out."""

    def read(parts: list[str]) -> tuple[str, ...]:
        if len(parts) != count:
            raise ValueError(parts)
        return tuple(_id(part) for part in parts)

    return _decode(cursor, path, read)


def _time_and_id(parts: list[str]) -> tuple[datetime, str]:
    at, row_id = parts
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None:
        raise ValueError(at)
    return moment.astimezone(UTC), _id(row_id)


def _id(text: str) -> str:
    canonical = parse_job_id(text)
    if canonical is None:
        raise ValueError(text)
    return canonical


def _encode(parts: list[str]) -> str:
    text = json.dumps(parts, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _decode(cursor: str, path: str, read: Callable[[list[str]], KeyT]) -> KeyT:
    try:
        if len(cursor) > LONGEST_CURSOR:
            raise ValueError(cursor[:20])
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return read(json.loads(base64.b64decode(padded, b"-_", validate=True)))
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise InvalidError(f"{path} {PROBLEM}", errors=[FieldError(path, PROBLEM)]) from None
