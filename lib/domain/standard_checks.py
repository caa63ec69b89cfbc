"""What in an entry's `standard` contradicts the entry, or the fields of its media type."""

from collections.abc import Callable, Iterator
from typing import Any

from lib.domain.model_config import ModelConfig
from lib.domain.nearest import has_nearest, is_numeric
from lib.domain.parameter_schema import MEDIA_URI, matches, shown
from lib.domain.standard_field import StandardField
from lib.domain.standard_fields import FIELDS
from lib.domain.standard_rule import StandardRule
from lib.domain.standard_value import scaled

Found = Iterator[tuple[str, str]]


def standard_problems(model: ModelConfig) -> Found:
    """All that is wrong with the rules, each with its path in the entry."""
    if not model.standard:
        return
    fields = {one.name: one for one in FIELDS[model.media_type]}
    for one in fields.values():
        if one.required and one.name not in {*model.standard, *model.replaced}:
            yield "standard", f"has no rule for {one.name}, which every {model.media_type} request has"
    for name, rule in model.standard.items():
        if name not in fields:
            yield f"standard.{name}", f"is no field of {model.media_type}: {', '.join(fields)}"
            continue
        for check in _CHECKS:
            for path, message in check(model, fields[name], rule):
                yield f"standard.{name}.{path}".removesuffix("."), message
    yield from _unreachable(model)


def _unreachable(model: ModelConfig) -> Found:
    written = {name for rule in model.standard.values() for name in rule.parameters}
    for name in model.required:
        if name not in written and name not in model.defaults:
            yield "standard", f"writes nothing to {name}, which is required"


def _parameters(model: ModelConfig, _one: StandardField, rule: StandardRule) -> Found:
    for name in rule.parameters:
        if name not in model.supported_params:
            places = {
                "to": (rule.to,),
                "append": (rule.append,),
                "pixels": rule.pixels or (),
                "also": rule.also,
            }
            place = next((place for place, names in places.items() if name in names), "set")
            yield place, f"{name} is not among the supportedParams: {', '.join(model.supported_params)}"


def _hints(model: ModelConfig, one: StandardField, rule: StandardRule) -> Found:
    if rule.ignore is None or one.hint or one.is_image:
        return
    if one.name != "prompt":
        yield "ignore", f"{one.name} is no hint: a model that cannot honour it has no rule for it"
    elif not model.only_by_name:
        yield "ignore", "the gateway chooses no model that reads no prompt: it needs onlyByName"


def _values(model: ModelConfig, one: StandardField, rule: StandardRule) -> Found:
    """The standard sides of pairs are values of the field, their other sides those of the parameter."""
    standard = [*(pair[0] for pair in rule.values), *(pair[0] for pair in rule.set), *rule.only]
    place = "values" if rule.values else "set" if rule.set else "only"
    for value in standard:
        problem = one.problem(value)
        if problem is not None:
            yield place, f"{shown(value)} is no value of {one.name}: {problem}"
    for _, ours in rule.values:
        yield from _breaks(model, "values", str(rule.to), ours)
    for _, parameters in rule.set:
        for name, ours in parameters.items():
            yield from _breaks(model, "set", name, ours)


def _breaks(model: ModelConfig, place: str, name: str, value: Any) -> Found:
    if name in model.supported_params and not matches(model.params.get(name, {}), value):
        yield place, f"{shown(value)} breaks the schema of {name}"


def _nearest(model: ModelConfig, one: StandardField, rule: StandardRule) -> Found:
    if not rule.nearest:
        return
    if not one.is_number:
        yield "nearest", f"{one.name} is no number"
    elif rule.values:
        if not all(is_numeric(standard) for standard, _ in rule.values):
            yield "nearest", "needs numbers in values"
    elif not has_nearest(model.params.get(str(rule.to), {})):
        yield "nearest", f"{rule.to} has neither an enum of numbers nor a minimum and a maximum"


def _scale(model: ModelConfig, one: StandardField, rule: StandardRule) -> Found:
    if rule.scale is None:
        return
    if not one.is_number:
        yield "scale", f"{one.name} is no number"
        return
    low, high = rule.scale[:2]
    if (low, high) != (one.minimum, one.maximum):
        yield "scale", f"starts from {low:g} to {high:g}; {one.name} is {one.minimum:g} to {one.maximum:g}"
        return
    schema = model.params.get(str(rule.to), {})
    for end in (low, high):
        result = scaled(rule.scale, end, schema)
        if not matches(schema, result):
            yield "scale", f"makes {shown(result)} of {end:g}, which breaks the schema of {rule.to}"


def _append(model: ModelConfig, _one: StandardField, rule: StandardRule) -> Found:
    if rule.append is not None and model.params.get(rule.append, {}).get("type", "string") != "string":
        yield "append", f"{rule.append} is no text"


def _pixels(_model: ModelConfig, one: StandardField, rule: StandardRule) -> Found:
    if rule.pixels is not None and one.name != "resolution":
        yield "pixels", f"{one.name} has no pixels"


def _images(model: ModelConfig, one: StandardField, rule: StandardRule) -> Found:
    """A picture is written by `to`, to a parameter that takes media."""
    if not one.is_image:
        for place in ("item", "also", "note", "overrides"):
            if getattr(rule, place):
                yield place, f"{one.name} is no image"
        return
    if rule.to is None or rule.values or rule.nearest or rule.scale:
        yield "", f"{one.name} is an image: it has `to`, and neither values, nearest nor scale"
        return
    schema = model.params.get(rule.to, {})
    item = schema.get("items", {}) if schema.get("type") == "array" else schema
    if rule.item is not None:
        item = item.get("properties", {}).get(rule.item, {})
    if schema and item.get("format") != MEDIA_URI:
        yield "to", f"{rule.to} takes no media"
    for name, value in rule.also.items():
        yield from _breaks(model, "also", name, value)
    for name in rule.overrides:
        if name == one.name or name not in {other.name for other in FIELDS[model.media_type]}:
            yield "overrides", f"{name} is no other field of {model.media_type}"


_CHECKS: tuple[Callable[[ModelConfig, StandardField, StandardRule], Found], ...] = (
    _parameters,
    _hints,
    _values,
    _nearest,
    _scale,
    _append,
    _pixels,
    _images,
)
