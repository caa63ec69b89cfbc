"""Checks a create request the way Replicate does, and words what is wrong as it does (gojsonschema's phrases)."""

import json
import re
from collections.abc import Mapping
from typing import Any

from local.replicate.catalogue import Model

BODY_FIELDS = ("version", "input", "webhook", "webhook_events_filter", "stream", "webhook_completed")
EVENTS = ("start", "output", "logs", "completed")
URI = re.compile(r"(https?://[^/\s]+|data:)\S*", re.IGNORECASE)

Invalid = dict[str, str]


def check_body(body: Mapping[str, Any], *, version_required: bool) -> list[Invalid]:
    """What is wrong with the top level of a create request; an empty list if nothing."""
    fields = BODY_FIELDS if version_required else tuple(f for f in BODY_FIELDS if f != "version")
    wrong = [_missing("", f) for f in ("version", "input") if f in fields and f not in body]
    wrong += [_unknown("", name) for name in body if name not in fields]
    if "version" in body and not isinstance(body["version"], str):
        wrong.append(_wrong_type("version", "string", body["version"]))
    if "input" in body and not isinstance(body["input"], dict):
        wrong.append(_wrong_type("input", "object", body["input"]))
    return wrong + _check_webhook(body)


def check_input(model: Model, values: Mapping[str, Any]) -> list[Invalid]:
    """What is wrong with ``input`` against the model's schema, all of it at once."""
    schema = model.schemas["Input"]
    properties = schema["properties"]
    wrong = [_missing("input", name) for name in schema.get("required", ()) if name not in values]
    for name, value in values.items():
        if name not in properties:
            wrong.append(_unknown("input", name))
        else:
            wrong += _check_value(f"input.{name}", _flatten(model, properties[name]), value)
    return wrong


def _check_webhook(body: Mapping[str, Any]) -> list[Invalid]:
    wrong = []
    for name in ("webhook", "webhook_completed"):
        url = body.get(name)
        if url is not None and not (isinstance(url, str) and _is_allowed_webhook(url)):
            wrong.append(_invalid("format", name, "Does not match format 'uri'"))
    events = body.get("webhook_events_filter")
    if events is not None and not isinstance(events, list):
        wrong.append(_wrong_type("webhook_events_filter", "array", events))
    elif events is not None:
        for index, event in enumerate(events):
            if event not in EVENTS:
                wrong.append(_not_in(f"webhook_events_filter.{index}", EVENTS))
    return wrong


def _is_allowed_webhook(url: str) -> bool:
    """HTTPS as at Replicate; plain HTTP to this machine too, because that is where a simulator's users are."""
    return (
        re.match(r"https://[^/\s]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|\?|$)", url) is not None
    )


def _flatten(model: Model, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The property with its ``allOf`` reference to an enumeration followed."""
    flat = dict(schema)
    for part in schema.get("allOf", ()):
        flat.update(model.schemas[part["$ref"].rpartition("/")[2]])
    return flat


def _check_value(field: str, schema: Mapping[str, Any], value: Any) -> list[Invalid]:
    expected = schema["type"]
    if not _is_of_type(value, expected):
        return [_wrong_type(field, expected, value)]
    if "enum" in schema and value not in schema["enum"]:
        return [_not_in(field, schema["enum"])]
    if "minimum" in schema and value < schema["minimum"]:
        return [_invalid("number_gte", field, f"Must be greater than or equal to {schema['minimum']}")]
    if "maximum" in schema and value > schema["maximum"]:
        return [_invalid("number_lte", field, f"Must be less than or equal to {schema['maximum']}")]
    if schema.get("format") == "uri" and not URI.fullmatch(value):
        return [_invalid("format", field, "Does not match format 'uri'")]
    return []


def _is_of_type(value: Any, expected: str) -> bool:
    match expected:
        case "integer":
            return not isinstance(value, bool) and (
                isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            )
        case "number":
            return not isinstance(value, bool) and isinstance(value, int | float)
        case "boolean":
            return isinstance(value, bool)
        case _:
            return isinstance(value, str)


def _type_name(value: Any) -> str:
    names = (
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (str, "string"),
        (list, "array"),
        (dict, "object"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "null")


def _invalid(kind: str, field: str, description: str) -> Invalid:
    return {"type": kind, "field": field, "description": description}


def _missing(parent: str, name: str) -> Invalid:
    return _invalid("required", parent, f"{name} is required")


def _unknown(parent: str, name: str) -> Invalid:
    return _invalid("additional_property_not_allowed", parent, f"Additional property {name} is not allowed")


def _wrong_type(field: str, expected: str, value: Any) -> Invalid:
    return _invalid("invalid_type", field, f"Invalid type. Expected: {expected}, given: {_type_name(value)}")


def _not_in(field: str, allowed: Any) -> Invalid:
    choices = ", ".join(json.dumps(choice) for choice in allowed)
    return _invalid("enum", field, f"{field} must be one of the following: {choices}")
