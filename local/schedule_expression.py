"""When a schedule runs next: `rate(...)` and `cron(...)` expressions of EventBridge, in UTC.

Reference: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_SEARCH_DAYS = 366 * 8  # a leap day on a given weekday is further away than that only by mistake


def next_run(expression: str, after: datetime) -> datetime:
    """The first time of `expression` after `after` (aware UTC); ValueError if it is not understood."""
    if found := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression.strip()):
        return after + timedelta(seconds=int(found.group(1)) * _UNITS[found.group(2)])
    if found := re.fullmatch(r"cron\(([^)]*)\)", expression.strip()):
        return _Cron.parse(found.group(1)).after(after)
    raise ValueError(f"{expression!r} is no rate(...) or cron(...) expression")


@dataclass(frozen=True, slots=True)
class _Cron:
    minutes: list[int]
    hours: list[int]
    days: set[int]
    months: set[int]
    weekdays: set[int]
    years: set[int]

    @classmethod
    def parse(cls, text: str) -> "_Cron":
        fields = text.split()
        if len(fields) != 6:
            raise ValueError(f"cron({text}) has {len(fields)} fields; it needs 6 (with the year)")
        minute, hour, day, month, weekday, year = fields
        return cls(
            minutes=sorted(_values(minute, 0, 59)),
            hours=sorted(_values(hour, 0, 23)),
            days=_values(day, 1, 31),
            months=_values(month, 1, 12, _MONTHS),
            weekdays=_values(weekday, 1, 7, _DAYS),
            years=_values(year, 1970, 2199),
        )

    def after(self, moment: datetime) -> datetime:
        start = moment.date()
        for offset in range(_SEARCH_DAYS):
            day = start + timedelta(days=offset)
            if self._on(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        candidate = datetime.combine(day, time(hour, minute), tzinfo=moment.tzinfo)
                        if candidate > moment:
                            return candidate
        raise ValueError("the cron expression has no further time")

    def _on(self, day: date) -> bool:
        weekday = day.isoweekday() % 7 + 1  # Sunday is 1
        return (
            day.year in self.years
            and day.month in self.months
            and day.day in self.days
            and weekday in self.weekdays
        )


def _values(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> set[int]:
    found: set[int] = set()
    for part in field.upper().split(","):
        span, _, step = part.partition("/")
        if span in {"*", "?"}:
            first, last = low, high
        else:
            begin, _, end = span.partition("-")
            first = _number(begin, names)
            last = _number(end, names) if end else (high if step else first)
        if not low <= first <= last <= high:
            raise ValueError(f"{part!r} in a cron expression is not between {low} and {high}")
        found.update(range(first, last + 1, int(step or 1)))
    return found


def _number(text: str, names: tuple[str, ...]) -> int:
    if text in names:
        return names.index(text) + 1
    if not text.isdigit():
        raise ValueError(f"{text!r} in a cron expression is not understood by the local cloud")
    return int(text)
