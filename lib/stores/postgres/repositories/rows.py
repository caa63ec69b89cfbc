"""Rows as Postgres writes them in JSON, read into dataclasses whose fields have the names of the columns."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from lib.domain.page import Page
from lib.domain.snapshot import parse_time

RowT = TypeVar("RowT")


def read_row(kind: type[RowT], row: Mapping[str, Any]) -> RowT:
    """The row as a `kind`; columns that it has no field for are left out. KeyError: a field without its column."""
    readers = _readers(cast("Hashable", kind))
    return kind(**{name: None if row[name] is None else read(row[name]) for name, read in readers.items()})


def read_rows(kind: type[RowT], rows: Iterable[Mapping[str, Any]]) -> tuple[RowT, ...]:
    """Each row as a `kind`."""
    return tuple(read_row(kind, row) for row in rows)


def read_page(
    kind: type[RowT], rows: Iterable[Mapping[str, Any]], limit: int, cursor_of: Callable[[RowT], str]
) -> Page[RowT]:
    """A page of `limit` rows, read from one row more where there are more."""
    items = read_rows(kind, rows)
    return Page(items[:limit], cursor_of(items[limit - 1]) if len(items) > limit else None)


@cache
def _readers(kind: Hashable) -> dict[str, Callable[[Any], Any]]:
    return {name: _reader(hint) for name, hint in get_type_hints(kind).items()}


def _reader(hint: Any) -> Callable[[Any], Any]:
    if _optional(hint):
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
    if get_origin(hint) is not None:
        return dict
    return cast("type[Enum]", hint) if issubclass(hint, Enum) else _READERS[hint]


def _optional(hint: Any) -> bool:
    return NoneType in get_args(hint)


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value))


_READERS: dict[type, Callable[[Any], Any]] = {
    str: str,
    bool: bool,
    int: int,
    float: float,  # what JSON cannot say comes as text: "NaN"
    Decimal: _decimal,  # exact: a float shows all digits of numeric(14, 6)
    datetime: parse_time,
    date: date.fromisoformat,
}
