"""The limits that hold for the parameters of every model, checked before anything looks into them."""

import math
from collections.abc import Mapping
from typing import Any

from lib.domain.errors import FieldError

MAX_DEPTH = 16
MAX_VALUES = 10_000
MAX_BYTES = 1024 * 1024
MAX_INTEGER_BITS = 63


def limit_errors(parameters: Mapping[str, Any]) -> list[FieldError]:
    """What cannot be taken whatever the model: too deep, too large, or nothing that a database can keep.

    Sizes are those of the texts, keys included, in UTF-8. It walks without recursion and stops at the first
    limit of depth or size, so that a hostile value costs no more than one of the largest allowed.
    """
    errors: list[FieldError] = []
    size = count = 0
    waiting: list[tuple[str, Any, int]] = [("parameters", parameters, 0)]
    while waiting:
        path, value, depth = waiting.pop()
        count += 1
        if depth > MAX_DEPTH:
            return [FieldError("parameters", f"nested deeper than {MAX_DEPTH} levels")]
        if isinstance(value, Mapping):
            for key in value:
                size += _utf8_length(key)
                errors.extend(_text_errors(path, key, "has a name that contains"))
            waiting.extend((f"{path}.{_shortened(key)}", item, depth + 1) for key, item in value.items())
        elif isinstance(value, list):
            waiting.extend((f"{path}[{index}]", item, depth + 1) for index, item in enumerate(value))
        elif isinstance(value, str):
            size += _utf8_length(value)
            errors.extend(_text_errors(path, value, "contains"))
        elif isinstance(value, float) and not math.isfinite(value):
            errors.append(FieldError(path, f"{value} is not a JSON number"))
        elif isinstance(value, int) and value.bit_length() > MAX_INTEGER_BITS:
            errors.append(FieldError(path, f"an integer of more than {MAX_INTEGER_BITS} bits"))
        elif not isinstance(value, int | float | None):
            errors.append(FieldError(path, f"a {type(value).__name__} is not a JSON value"))
        if count + len(waiting) > MAX_VALUES:
            return [FieldError("parameters", f"more than {MAX_VALUES} values")]
        if size > MAX_BYTES:
            return [FieldError("parameters", f"larger than {MAX_BYTES} bytes: give large media by address")]
    return errors


def _utf8_length(text: object) -> int:
    return len(text.encode("utf-8", "surrogatepass")) if isinstance(text, str) else 0


def _text_errors(path: str, text: object, what: str) -> list[FieldError]:
    if not isinstance(text, str):
        return [FieldError(path, "has a name that is no text")]
    if "\x00" in text:
        return [FieldError(path, f"{what} the character U+0000")]
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return [FieldError(path, f"{what} half of a surrogate pair, which is no character")]
    return []


def _shortened(key: object) -> str:
    return str(key)[:64].encode("utf-8", "replace").decode("utf-8")
