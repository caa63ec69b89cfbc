"""A standard request: one shape for every model of a media type, checked as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from lib.domain.errors import FieldError, InvalidError
from lib.domain.media_type import MediaType
from lib.domain.parameter_limits import limit_errors
from lib.domain.resolution_names import shape_differs
from lib.domain.standard_field import StandardField, ratio_of
from lib.domain.standard_fields import FIELDS


class InvalidStandardRequestError(InvalidError):
    """A standard request that is wrong in itself, or that a model cannot honour; `errors` names each field."""

    code = "invalid_standard_request"


@dataclass(frozen=True)
class StandardRequest:
    """A valid standard request: its media type, and the fields that were given, by their names in snake_case."""

    media_type: MediaType
    values: Mapping[str, Any]

    @property
    def given(self) -> tuple[StandardField, ...]:
        """The fields that were given, in the order of the table."""
        return tuple(one for one in FIELDS[self.media_type] if one.name in self.values)

    @property
    def ratio(self) -> float | None:
        """Width by height, where a shape was asked for."""
        text = self.values.get("aspect_ratio")
        return ratio_of(text) if isinstance(text, str) else None


def read_standard_request(media_type: MediaType, request: Any, prompt: str | None = None) -> StandardRequest:
    """The request with field names in camelCase or snake_case; null says that a field is not given.

    `prompt` is short for `request.prompt`. Raises InvalidStandardRequestError naming all that is wrong at once, each
    with its path `request.<field>`.
    """
    if not isinstance(request, Mapping):
        raise refused([FieldError("request", "must be an object of field -> value")])
    errors = [
        FieldError(f"request{error.path.removeprefix('parameters')}", error.message)
        for error in limit_errors(request)
    ]
    if errors:
        raise refused(errors)
    values, errors = _named(FIELDS[media_type], request)
    if prompt is not None:
        if values.get("prompt", prompt) != prompt:
            errors.append(FieldError("prompt", "differs from request.prompt: give one of them"))
        values.setdefault("prompt", prompt)
    errors += _value_errors(FIELDS[media_type], values)
    if not errors:
        errors = _contradictions(values)
    if errors:
        raise refused(errors)
    ordered = {one.name: _whole(values[one.name]) for one in FIELDS[media_type] if one.name in values}
    return StandardRequest(media_type, ordered)


def refused(errors: list[FieldError]) -> InvalidStandardRequestError:
    """The error for all that is wrong with a request."""
    listed = "; ".join(f"{error.path}: {error.message}" for error in errors[:10])
    return InvalidStandardRequestError(f"The request is wrong: {listed}", errors=errors)


def request_schema(media_type: MediaType) -> dict[str, Any]:
    """The JSON Schema of the `request` object of a media type, with the names that answers use."""
    fields = FIELDS[media_type]
    return {
        "title": f"A standard {media_type} request",
        "type": "object",
        "properties": {one.wire: one.schema() for one in fields},
        "required": [one.wire for one in fields if one.required],
        "additionalProperties": False,
    }


def _named(
    fields: tuple[StandardField, ...], request: Mapping[str, Any]
) -> tuple[dict[str, Any], list[FieldError]]:
    known = {name: one for one in fields for name in (one.name, one.wire)}
    values: dict[str, Any] = {}
    errors = []
    for name, value in request.items():
        one = known.get(name)
        if one is None:
            errors.append(FieldError(f"request.{name[:64]}", _unknown(name, [f.wire for f in fields])))
        elif one.name in values:
            errors.append(FieldError(one.path, f"stands twice, as {one.wire} and {one.name}; send one"))
        elif value is not None:
            values[one.name] = value
    return values, errors


def _unknown(name: str, known: list[str]) -> str:
    close = get_close_matches(name[:100], known, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    return f"is no field of this request.{hint} Known: {', '.join(known)}"


def _value_errors(fields: tuple[StandardField, ...], values: Mapping[str, Any]) -> list[FieldError]:
    errors = []
    for one in fields:
        if one.name in values:
            found = one.problems(values[one.name])
            errors += [FieldError(f"{one.path}{where}", words) for where, words in found]
        elif one.required:
            errors.append(FieldError(one.path, one.missing))
    return errors


def _contradictions(values: Mapping[str, Any]) -> list[FieldError]:
    """Pixels of another shape than the one asked for: no model can honour both."""
    shape, resolution = values.get("aspect_ratio"), values.get("resolution")
    ratio = ratio_of(shape) if isinstance(shape, str) else None
    if ratio is None or not isinstance(resolution, str) or not shape_differs(resolution, ratio):
        return []
    return [FieldError("request.resolution", f"Resolution {resolution} has not the aspect ratio {shape}")]


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
