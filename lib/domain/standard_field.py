"""One field of a standard request: what its value must be, and the words for one that is not."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lib.domain.parameter_schema import MEDIA_URI, schema_problems, shown

LONGEST_TEXT = 100_000

_RATIO = re.compile(r"([1-9]\d{0,4}(?:\.\d{1,3})?):([1-9]\d{0,4}(?:\.\d{1,3})?)")
_RESOLUTION = re.compile(r"[1-9]\d{1,4}x[1-9]\d{1,4}|[1-9]\d{2,3}p|[1-8]k", re.IGNORECASE)


class FieldKind(StrEnum):
    """What a value is."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    CHOICE = "choice"
    RATIO = "ratio"
    RESOLUTION = "resolution"
    IMAGE = "image"
    IMAGES = "images"


_ADDRESS: Mapping[str, Any] = {"type": "string", "format": MEDIA_URI}
"""What the parameters of models that take media are checked by."""


@dataclass(frozen=True)
class StandardField:
    """A field; `name` is in snake_case as in the catalogue, `wire` in camelCase as callers see it.

    A `hint` may be left aside by a model that has nothing like it, with a warning; all else is honoured or refused.
    `unit` follows a value in messages, `units` the range: "15 s", "between 1 and 120 seconds". Of images `maximum` is
    how many there may be.
    """

    name: str
    label: str
    kind: FieldKind
    description: str
    required: bool = False
    hint: bool = False
    minimum: float = 0
    maximum: float = 0
    choices: tuple[str, ...] = ()
    unit: str = ""
    units: str = ""
    longest: int = LONGEST_TEXT

    @property
    def wire(self) -> str:
        """The name that callers send and see."""
        head, *tail = self.name.split("_")
        return head + "".join(part.capitalize() for part in tail)

    @property
    def path(self) -> str:
        """Where the field stands in the body of a request."""
        return f"request.{self.wire}"

    @property
    def is_number(self) -> bool:
        """Whether its values can be compared by size."""
        return self.kind in (FieldKind.NUMBER, FieldKind.INTEGER)

    @property
    def is_image(self) -> bool:
        """Whether its value is a picture, or a list of them."""
        return self.kind in (FieldKind.IMAGE, FieldKind.IMAGES)

    @property
    def missing(self) -> str:
        """What is said where a required field is not given: a number's message is that of its range."""
        return self.range_words if self.is_number else f"{self.label} is required"

    @property
    def range_words(self) -> str:
        """What a number must be, in the words of the source document."""
        return f"{self.label} must be between {self.minimum:g} and {self.maximum:.12g}{self.units}"

    def problem(self, value: Any) -> str | None:
        """What is wrong with a value that was given; None where it is right."""
        return next((words for _, words in self.problems(value)), None)

    def problems(self, value: Any) -> Iterator[tuple[str, str]]:
        """All that is wrong with a value, each with where in it: `""`, or `[1]` for the second of a list."""
        if self.kind is FieldKind.IMAGES and isinstance(value, list) and 1 <= len(value) <= self.maximum:
            found = [(f"[{index}]", _image(self, item)) for index, item in enumerate(value)]
        else:
            found = [("", _JUDGES[self.kind](self, value))]
        yield from ((where, words) for where, words in found if words is not None)

    def schema(self) -> dict[str, Any]:
        """The field as JSON Schema."""
        shape: dict[FieldKind, dict[str, Any]] = {
            FieldKind.TEXT: {"type": "string", "maxLength": self.longest},
            FieldKind.NUMBER: {"type": "number", "minimum": self.minimum, "maximum": self.maximum},
            FieldKind.INTEGER: {"type": "integer", "minimum": self.minimum, "maximum": self.maximum},
            FieldKind.CHOICE: {"type": "string", "enum": list(self.choices)},
            FieldKind.RATIO: {"type": "string", "pattern": f"^{_RATIO.pattern}$"},
            FieldKind.RESOLUTION: {
                "type": "string",
                "pattern": r"^([1-9]\d{1,4}x[1-9]\d{1,4}|[1-9]\d{2,3}p|[1-8]k)$",
            },
            FieldKind.IMAGE: dict(_ADDRESS),
            FieldKind.IMAGES: {
                "type": "array",
                "items": dict(_ADDRESS),
                "minItems": 1,
                "maxItems": self.maximum,
            },
        }
        return {**shape[self.kind], "description": self.description}


def ratio_of(text: str) -> float | None:
    """Width by height of `16:9`; None for what is no such text."""
    found = _RATIO.fullmatch(text)
    return float(found[1]) / float(found[2]) if found else None


def _text(one: StandardField, value: Any) -> str | None:
    if not isinstance(value, str):
        return f"{one.label} must be a text"
    if one.required and not value.strip():
        return one.missing
    if not value:
        return f"{one.label} must not be empty; leave it out"
    if len(value) > one.longest:
        return f"{one.label} must have at most {one.longest} characters, not {len(value)}"
    return None


def _number(one: StandardField, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return f"{one.range_words}, as a number"
    if not one.minimum <= value <= one.maximum:
        return one.range_words
    if one.kind is FieldKind.INTEGER and value != int(value):
        return f"{one.label} must be a whole number"
    return None


def _choice(one: StandardField, value: Any) -> str | None:
    if isinstance(value, str) and value in one.choices:
        return None
    if one.required and value == "":
        return one.missing
    return f"{one.label} must be one of {', '.join(one.choices)}"


def _ratio(one: StandardField, value: Any) -> str | None:
    if one.required and value == "":
        return one.missing
    if isinstance(value, str) and _RATIO.fullmatch(value):
        return None
    return f"{one.label} must be width:height, such as 16:9"


def _resolution(one: StandardField, value: Any) -> str | None:
    if isinstance(value, str) and _RESOLUTION.fullmatch(value):
        return None
    return f"{one.label} must be such as 1280x720, 720p or 4k"


def _image(one: StandardField, value: Any) -> str | None:
    for problem in schema_problems(_ADDRESS, "", value):
        return f"{one.label} {problem.message}"
    if value.startswith("data:") and not value.startswith("data:image/"):
        return f"{one.label} must be a picture, data:image/..., not {shown(value)}"
    return None


def _images(one: StandardField, _value: Any) -> str | None:
    return f"{one.label} must be given as a list of 1 to {one.maximum} addresses"


_JUDGES: Mapping[FieldKind, Callable[[StandardField, Any], str | None]] = {
    FieldKind.TEXT: _text,
    FieldKind.NUMBER: _number,
    FieldKind.INTEGER: _number,
    FieldKind.CHOICE: _choice,
    FieldKind.RATIO: _ratio,
    FieldKind.RESOLUTION: _resolution,
    FieldKind.IMAGE: _image,
    FieldKind.IMAGES: _images,
}
