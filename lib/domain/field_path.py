"""A small language for places in a JSON document, as configured providers name them.

| path | means |
|---|---|
| `.` | the whole document |
| `state` | the member of that name |
| `assets.video` | a member of a member |
| `images[].url` | that member of each element of a list, in order |
| `images[0].url` | that of one element |

Names are of letters, digits, `_` and `-`. What is not there is nothing, never an error.
"""

import re
from dataclasses import dataclass
from typing import Any

_NAME = r"[A-Za-z0-9_-]+"
_STEP = re.compile(rf"(?P<name>{_NAME})(?P<lists>(\[\d*\])*)")
_PATH = re.compile(rf"\.|{_NAME}(\[\d{{0,4}}\])*(\.{_NAME}(\[\d{{0,4}}\])*)*")
_INDEX = re.compile(r"\[(\d*)\]")

Step = str | int | None
"""A member's name, an element's number, or None for every element."""


@dataclass(frozen=True)
class FieldPath:
    """A parsed path; `text` is what was written."""

    text: str
    steps: tuple[Step, ...]

    @classmethod
    def parse(cls, text: str) -> "FieldPath":
        """Read a path. Raises ValueError saying what would be right."""
        if not _PATH.fullmatch(text):
            raise ValueError(f"{text!r} is no path: it is like state, assets.video or images[].url")
        steps: list[Step] = []
        for part in text.split(".") if text != "." else ():
            match = _STEP.fullmatch(part)
            if match is None:
                raise ValueError(f"{part!r} in {text!r} is no step of a path")
            steps.append(match["name"])
            steps += [int(index) if index else None for index in _INDEX.findall(match["lists"])]
        return cls(text, tuple(steps))

    def all_in(self, document: Any) -> list[Any]:
        """Everything that stands there, in order; null counts as nothing."""
        found = [document]
        for step in self.steps:
            found = [inner for value in found for inner in _taken(value, step)]
        return [value for value in found if value is not None]

    def first_in(self, document: Any) -> Any:
        """The first of these; None if there is none."""
        return next(iter(self.all_in(document)), None)


def put(document: dict[str, Any], path: FieldPath, value: Any) -> None:
    """Put a value at a path of members; `.` merges an object into the document.

    Raises ValueError where something else stands in the way, and for a path with lists.
    """
    if not path.steps:
        document.update(value)
        return
    *outer, last = path.steps
    for step in outer:
        inner = document.setdefault(_member(step, path), {})
        if not isinstance(inner, dict):
            raise ValueError(f"{path.text} leads through {step!r}, which is no object")
        document = inner
    document[_member(last, path)] = value


def _taken(value: Any, step: Step) -> list[Any]:
    if isinstance(step, str):
        return [value[step]] if isinstance(value, dict) and step in value else []
    if not isinstance(value, list):
        return []
    return value if step is None else value[step : step + 1]


def _member(step: Step, path: FieldPath) -> str:
    if not isinstance(step, str):
        raise ValueError(f"{path.text} must lead through members alone")
    return step
