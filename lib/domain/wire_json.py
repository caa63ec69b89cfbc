"""Rows and figures as they go over the wire: camelCase names, times in ISO 8601, money as a number."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from lib.domain.snapshot import JobSnapshot, format_time


def wire_json(value: Any) -> Any:
    """The JSON of a dataclass of rows or figures, and of what it holds; mappings keep their own names.

    A name that ends in `_s` loses that: seconds are the wire's unit (`estimatedTime`); so does `from_` its `_`.
    """
    if isinstance(value, JobSnapshot):
        return dict(value.data)
    if is_dataclass(value) and not isinstance(value, type):
        return {wire_name(field.name): wire_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, list | tuple):
        return [wire_json(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return value.value if isinstance(value, Enum) else value


def wire_name(name: str) -> str:
    """`estimated_time_s` -> `estimatedTime`, `from_` -> `from`, `p95_ms` -> `p95Ms`."""
    first, *rest = name.removesuffix("_s").rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)
