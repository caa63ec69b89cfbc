"""The number that a parameter can have and that is nearest to one that it cannot."""

import math
from collections.abc import Mapping
from typing import Any


def nearest_value(schema: Mapping[str, Any], value: float) -> Any:
    """The nearest allowed value, as the parameter writes it: of two as near, the lower. None where none is known.

    Values of an enum may be texts of numbers, as "8".
    """
    members = [member for member in schema.get("enum", ()) if is_numeric(member)]
    if members:
        return min(members, key=lambda member: (abs(numeric(member) - value), numeric(member)))
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None or high is None:
        return None
    step = schema.get("multipleOf", 1 if schema.get("type") == "integer" else None)
    nearest = min(max(value, low), high)
    if step is not None:
        nearest = min(
            max(math.ceil(nearest / step - 0.5) * step, math.ceil(low / step) * step),
            math.floor(high / step) * step,
        )
    return int(nearest) if float(nearest).is_integer() else nearest


def has_nearest(schema: Mapping[str, Any]) -> bool:
    """Whether `nearest_value` finds one for every number."""
    return nearest_value(schema, 0) is not None


def is_numeric(value: Any) -> bool:
    """Whether it is a number, or the text of one."""
    if isinstance(value, bool):
        return False
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def numeric(value: Any) -> float:
    """The number of a value that `is_numeric`."""
    return float(value)
