"""Ranges of time that reports are asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from lib.domain.errors import FieldError, InvalidError

LONGEST_DAYS = 92
DEFAULT_HOURS = 24
DEFAULT_DAYS = 30
_LONGEST_TEXT = 40

MomentT = TypeVar("MomentT", datetime, date)


@dataclass(frozen=True)
class TimeRange:
    """From `start` until before `end`, both aware UTC."""

    start: datetime
    end: datetime

    @property
    def hours(self) -> float:
        """How long it is."""
        return (self.end - self.start).total_seconds() / 3600


@dataclass(frozen=True)
class DayRange:
    """Days in UTC, both included."""

    first: date
    last: date


def read_time_range(from_: str | None, to: str | None, now: datetime) -> TimeRange:
    """The range of `from` until before `to`; by default the 24 hours before `to`, and `to` is now.

    Now is the end of the present minute, so that reports of the same minute are the same report.

    Raises InvalidError with the paths `from` and `to`: no ISO 8601 time with an offset, not in order, or longer
    than 92 days.
    """
    errors: list[FieldError] = []
    start, end = _read("from", from_, _moment, errors), _read("to", to, _moment, errors)
    _raise(errors)
    end = end or now.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    start = start or _back(end, timedelta(hours=DEFAULT_HOURS))
    if start >= end:
        errors.append(FieldError("from", "must be before to"))
    elif end - start > timedelta(days=LONGEST_DAYS):
        errors.append(FieldError("from", f"must be at most {LONGEST_DAYS} days before to"))
    _raise(errors)
    return TimeRange(start, end)


def read_day_range(from_: str | None, to: str | None, now: datetime) -> DayRange:
    """The days from `from` to `to`, both included; by default the 30 days up to `to`, and `to` is today (UTC).

    Raises InvalidError with the paths `from` and `to`: no ISO 8601 date, not in order, or more than 92 days.
    """
    errors: list[FieldError] = []
    first, last = _read("from", from_, _day, errors), _read("to", to, _day, errors)
    _raise(errors)
    last = last or now.astimezone(UTC).date()
    first = first or _back(last, timedelta(days=DEFAULT_DAYS - 1))
    if first > last:
        errors.append(FieldError("from", "must not be after to"))
    elif last - first >= timedelta(days=LONGEST_DAYS):
        errors.append(FieldError("from", f"must be at most {LONGEST_DAYS - 1} days before to"))
    _raise(errors)
    return DayRange(first, last)


def _read(
    path: str, text: str | None, read: Callable[[str], MomentT], errors: list[FieldError]
) -> MomentT | None:
    if text is None:
        return None
    try:
        if len(text) > _LONGEST_TEXT:
            raise ValueError(text[:_LONGEST_TEXT])
        return read(text)
    except (ValueError, OverflowError):
        example = "2026-11-20T12:00:00Z" if read is _moment else "2026-11-20"
        errors.append(FieldError(path, f"must be ISO 8601 such as {example}"))
        return None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or not 1970 <= moment.year < 9999:
        raise ValueError(text)
    return moment.astimezone(UTC)


def _day(text: str) -> date:
    day = date.fromisoformat(text)
    if not 1970 <= day.year < 9999:
        raise ValueError(text)
    return day


def _back(end: MomentT, span: timedelta) -> MomentT:
    return end - span


def _raise(errors: list[FieldError]) -> None:
    if errors:
        listed = "; ".join(f"{error.path} {error.message}" for error in errors)
        raise InvalidError(f"the range is wrong: {listed}", errors=errors)
