"""What text and notes must be like to be kept."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from lib.domain.errors import FieldError, InvalidError, TooLargeError

NOTE_BYTES = 64 * 1024
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


def text_problem(text: str) -> str | None:
    """Why this is no text that can be kept, or None."""
    found = _NO_TEXT.search(text)
    if found is None:
        return None
    nul = found.group() == "\x00"
    return (
        "contains the character U+0000" if nul else "contains half of a surrogate pair, which is no character"
    )


def check_note(path: str, note: Mapping[str, Any] | None) -> None:
    """What is noted beside work must be a JSON object of at most 64 KB.

    Raises InvalidError, or TooLargeError, with the path.
    """
    if note is None:
        return
    problem = "must be a JSON object"
    try:
        size = len(json.dumps(note, allow_nan=False)) if isinstance(note, Mapping) else 0
    except (TypeError, ValueError, RecursionError):
        size = 0
    if size > NOTE_BYTES:
        problem = f"must be at most {NOTE_BYTES} bytes of JSON, not {size}"
        raise TooLargeError(f"{path} {problem}", errors=[FieldError(path, problem)])
    wrong = problem if size == 0 else next(filter(None, map(text_problem, _texts(note))), None)
    if wrong:
        raise InvalidError(f"{path} {wrong}", errors=[FieldError(path, wrong)])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
