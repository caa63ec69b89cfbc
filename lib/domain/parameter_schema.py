"""One parameter against its JSON Schema: what is wrong, said in words, and the value as its type wants it."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lib.domain.errors import FieldError

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, FormatChecker, ValidationError

MEDIA_URI = "media-uri"
_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+(;[\w.+-]+=[\w.+-]+)*;base64,[A-Za-z0-9+/_-]+={0,2}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def schema_problems(schema: Mapping[str, Any], path: str, value: Any) -> list[FieldError]:
    """All that is wrong with the value, each with its path and what would be right."""
    return [
        FieldError(path + _tail(error), _message(error))
        for error in sorted(_errors(schema, value), key=lambda error: error.json_path)
    ]


def matches(schema: Mapping[str, Any], value: Any) -> bool:
    """Whether the value is right by the schema."""
    return next(_errors(schema, value), None) is None


def normalized(schema: Mapping[str, Any], value: Any) -> Any:
    """The value as its type wants it: a whole float where an integer is asked for becomes an int."""
    if isinstance(value, float) and value.is_integer() and _wants_integer(schema):
        return int(value)
    if isinstance(value, list) and "items" in schema:
        return [normalized(schema["items"], item) for item in value]
    if isinstance(value, Mapping) and "properties" in schema:
        properties = schema["properties"]
        return {key: normalized(properties.get(key, {}), item) for key, item in value.items()}
    return value


def is_media_uri(value: object) -> bool:
    """Whether a provider could fetch it: https, a base64 data URL, or http on this very machine."""
    if not isinstance(value, str):
        return True  # JSON Schema's way: a format says nothing of other types
    if value.startswith("data:"):
        return _DATA_URL.fullmatch(value) is not None
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        return False
    if not host or value != value.strip() or not value.isprintable() or " " in value:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)


def shown(value: Any, limit: int = 60) -> str:
    """A value as JSON, short enough for a message."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def _errors(schema: Mapping[str, Any], value: Any) -> Iterator["ValidationError"]:
    return _validator(json.dumps(schema, sort_keys=True)).iter_errors(value)


@lru_cache(maxsize=1024)
def _validator(schema: str) -> "Draft202012Validator":
    # Imported here: it takes longer than all else that an answer about a status needs.
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    return Draft202012Validator(json.loads(schema), format_checker=_formats())


@cache
def _formats() -> "FormatChecker":
    from jsonschema import FormatChecker  # noqa: PLC0415 - as above

    checker = FormatChecker(formats=())
    checker.checks(MEDIA_URI)(is_media_uri)
    return checker


def _wants_integer(schema: Mapping[str, Any]) -> bool:
    types = schema.get("type", ())
    types = (types,) if isinstance(types, str) else types
    return "integer" in types and "number" not in types


def _tail(error: "ValidationError") -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{str(part)[:64]}" for part in error.absolute_path)
    return "".join(parts)


_BOUNDS = {
    "minimum": "must be at least {right}, not {value}",
    "maximum": "must be at most {right}, not {value}",
    "exclusiveMinimum": "must be more than {right}, not {value}",
    "exclusiveMaximum": "must be less than {right}, not {value}",
    "multipleOf": "must be a multiple of {right}, not {value}",
    "minLength": "must have at least {right} character(s), not {length}",
    "maxLength": "must have at most {right} character(s), not {length}",
    "minItems": "must have at least {right} item(s), not {length}",
    "maxItems": "must have at most {right} item(s), not {length}",
    "format": "must be an https:// address or a base64 data: URL, not {value}",
    "pattern": "must match {right}, not {value}",
}


def _message(error: "ValidationError") -> str:
    rule, value = str(error.validator), error.instance
    right: Any = error.validator_value
    if rule == "type":
        wanted = right if isinstance(right, str) else " or ".join(right)
        hint = "; leave it out to take the default" if value is None else ""
        return f"must be {_article(wanted)}, not {shown(value)}{hint}"
    if rule == "enum":
        return f"must be one of {', '.join(shown(member) for member in right)}, not {shown(value)}"
    if rule == "pattern" and _takes_media(error.schema) and not str(value).startswith("data:"):
        return f"must be a data: URL, for the provider fetches no addresses, not {shown(value)}"
    if rule in _BOUNDS:
        length = len(value) if isinstance(value, str | list) else 0
        return _BOUNDS[rule].format(right=right, value=shown(value), length=length)
    return error.message[:200]


def _takes_media(schema: object) -> bool:
    return isinstance(schema, Mapping) and schema.get("format") == MEDIA_URI


def _article(type_name: str) -> str:
    return f"{'an' if type_name[0] in 'aeio' else 'a'} {type_name}"
