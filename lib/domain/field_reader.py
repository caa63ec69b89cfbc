"""Reads the fields of a JSON object, and collects all that is wrong with them."""

import math
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from lib.domain.errors import FieldError
from lib.domain.kept_text import text_problem

MAX_UNKNOWN = 20
_HUMP = re.compile("_([a-z])")
_LENGTH = re.compile(r"(-?\d{1,6}(?:\.\d{1,3})?)(%|px)?", re.ASCII)

ChoiceT = TypeVar("ChoiceT", bound=StrEnum)


class FieldReader:
    """The fields of one object at `path`. A wrong field is told to `errors` and reads as None.

    Names are camelCase; a name in snake_case stands for the same field. null is as good as nothing.
    """

    def __init__(self, values: Mapping[str, Any], path: str, errors: list[FieldError]) -> None:
        self._values: dict[str, Any] = {}
        self._prefix = f"{path}." if path else ""
        self._errors = errors
        self._asked: set[str] = set()
        for name, value in values.items():
            known = (
                _HUMP.sub(lambda found: found.group(1).upper(), name) if isinstance(name, str) else str(name)
            )
            if known in self._values:
                self.wrong(known, "is given twice")
            self._values[known] = value

    def wrong(self, name: str, problem: str) -> None:
        """Note what is wrong with a field."""
        printable = name[:64].encode("utf-8", "replace").decode().replace("\x00", "?")
        self._errors.append(FieldError(self._prefix + printable, problem))

    def refuse_unknown(self) -> None:
        """Every field that was not read is one too many."""
        unknown = [name for name in self._values if name not in self._asked]
        for name in unknown[:MAX_UNKNOWN]:
            self.wrong(name, f"is no field. Known: {', '.join(sorted(self._asked))}")

    def raw(self, name: str) -> Any:
        """The value as it is; None if it is not given."""
        self._asked.add(name)
        return self._values.get(name)

    def text(self, name: str, *, longest: int, required: bool = False) -> str | None:
        """Text of 1 to `longest` characters."""
        value = self._given(name, required=required)
        if value is None:
            return None
        if not isinstance(value, str) or not 1 <= len(value) <= longest:
            self.wrong(name, f"must be text of 1 to {longest} characters")
            return None
        problem = text_problem(value)
        if problem:
            self.wrong(name, problem)
            return None
        return value

    def choice(self, name: str, known: type[ChoiceT], *, required: bool = False) -> ChoiceT | None:
        """One of a closed set."""
        value = self._given(name, required=required)
        if value is None:
            return None
        if not isinstance(value, str) or value not in [*known]:
            self.wrong(name, f"must be one of {', '.join(known)}")
            return None
        return known(value)

    def whole(self, name: str, least: int, most: int) -> int | None:
        """A whole number; `2.0` is one, true is not."""
        value = self._given(name)
        if value is None:
            return None
        number = _number(value)
        if number is None or not least <= number <= most or number != int(number):
            self.wrong(name, f"must be a whole number of {least} to {most}")
            return None
        return int(number)

    def number(self, name: str, least: float, most: float, *, above: bool = False) -> float | None:
        """A number, rounded to thousandths; with `above` more than `least`."""
        value = self._given(name)
        if value is None:
            return None
        number = _number(value)
        number = number if number is None else round(number, 3)
        if number is None or not least <= number <= most or (above and number == least):
            words = f"more than {least:g}, at most {most:g}" if above else f"{least:g} to {most:g}"
            self.wrong(name, f"must be a number: {words}")
            return None
        return float(number)

    def length(self, name: str, *, positive: bool = False) -> str | None:
        """Pixels or percent: `10%`, `120`, `120px` or the number 120; pixels are given back without unit."""
        value = self._given(name)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            value = f"{value:g}" if abs(value) < 1_000_000 else ""
        found = _LENGTH.fullmatch(value) if isinstance(value, str) else None
        if found is None or (positive and float(found[1]) <= 0):
            sign = " positive" if positive else ""
            self.wrong(name, f"must be{sign} pixels such as 120, or percent such as 10%")
            return None
        return found[1] + ("%" if found[2] == "%" else "")

    def _given(self, name: str, *, required: bool = False) -> Any:
        value = self.raw(name)
        if value is None and required:
            self.wrong(name, "is required")
        return value


def _number(value: Any) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None
