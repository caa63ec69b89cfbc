"""One field of a standard request, written as one rule of a model says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.domain.model_config import ModelConfig
from lib.domain.model_input import same_value
from lib.domain.nearest import nearest_value, numeric
from lib.domain.parameter_schema import matches, normalized, schema_problems, shown
from lib.domain.resolution_names import names_of, pixels_of
from lib.domain.standard_field import FieldKind, StandardField
from lib.domain.standard_rule import StandardRule


@dataclass(frozen=True)
class Written:
    """What a field comes to: parameters to set, texts to add, and what the caller is told.

    `replaces` says that these parameters may take the place of those of another field, which they agree with.
    """

    set: Mapping[str, Any] = field(default_factory=dict)
    added: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    replaces: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that carry the field."""
        return (*self.set, *self.added)


@dataclass(frozen=True)
class Refused:
    """Why the model cannot honour the field."""

    why: str


def write(
    model: ModelConfig, one: StandardField, rule: StandardRule, value: Any, ratio: float | None
) -> Written | Refused:
    """The field's value by the rule; `ratio` is the shape that the request asks for."""
    if rule.ignore is not None:
        return not_honoured(one, value, rule.ignore)
    if one.is_image:
        return _pictured(model, one, rule, value)
    if rule.append is not None:
        return _appended(model, one, rule.append, rule.text, value)
    if rule.scale is not None:
        return _scaled(model, one, rule, rule.scale, value)
    if rule.pixels is not None:
        return _pixels(model, one, rule.pixels, value, ratio)
    by_value = _only if rule.only else _set if rule.set else _to
    return by_value(model, one, rule, value, ratio)


def not_honoured(one: StandardField, value: Any, why: str) -> Written:
    """Nothing is sent, and the caller is told why."""
    return Written(warnings=(f"{one.wire}: {_as_asked(one, value)} is not honoured: {why}.",))


def takes_list(one: StandardField, schema: Mapping[str, Any]) -> bool:
    """Whether pictures are sent as a list: by the parameter's schema, or, where it has none, as the field is."""
    return bool(schema.get("type", "array" if one.kind is FieldKind.IMAGES else "string") == "array")


def spellings(one: StandardField, value: Any, ratio: float | None) -> tuple[Any, ...]:
    """All ways to write the value: a resolution has several names."""
    return names_of(value, ratio) if one.kind is FieldKind.RESOLUTION else (value,)


def scaled(scale: tuple[float, float, float, float], value: float, schema: Mapping[str, Any]) -> Any:
    """The value on the parameter's scale, whole where its type is integer."""
    low, high, to_low, to_high = scale
    result = to_low + (value - low) * (to_high - to_low) / (high - low)
    return normalized({"type": "integer"}, float(round(result))) if _is_integer(schema) else round(result, 6)


def _appended(model: ModelConfig, one: StandardField, name: str, text: str, value: Any) -> Written:
    told = f"{one.wire}: {shown(value)} was written into {name}: {model.id} has no parameter for it."
    return Written(added={name: text.replace("{value}", str(value))}, warnings=(told,))


def _only(
    model: ModelConfig, one: StandardField, rule: StandardRule, value: Any, ratio: float | None
) -> Written | Refused:
    if any(same_value(known, way) for known in rule.only for way in spellings(one, value, ratio)):
        return Written()
    return Refused(_not_among(model, one, value, rule.only))


def _set(
    model: ModelConfig, one: StandardField, rule: StandardRule, value: Any, ratio: float | None
) -> Written | Refused:
    for way in spellings(one, value, ratio):
        for standard, parameters in rule.set:
            if same_value(standard, way):
                return Written(parameters)
    return Refused(_not_among(model, one, value, [standard for standard, _ in rule.set]))


def _pixels(
    model: ModelConfig, one: StandardField, names: tuple[str, str], value: Any, ratio: float | None
) -> Written | Refused:
    pixels = pixels_of(str(value), ratio)
    if pixels is None:
        return Refused(
            f"{one.label} {value} has no pixels that {model.id} could be told: write it as 1280x720"
        )
    for name, size in zip(names, pixels, strict=True):
        for problem in schema_problems(model.params.get(name, {}), name, size):
            return Refused(f"{one.label} {value} is not possible with {model.id}: {name} {problem.message}")
    return Written(dict(zip(names, pixels, strict=True)), replaces=True)


def _scaled(
    model: ModelConfig,
    one: StandardField,
    rule: StandardRule,
    scale: tuple[float, float, float, float],
    value: Any,
) -> Written:
    name = str(rule.to)
    sent = scaled(scale, value, model.params.get(name, {}))
    told = f"{one.wire}: {value:g} of {scale[0]:g} to {scale[1]:g} was sent to {model.id} as {name} {sent}."
    return Written({name: sent}, warnings=(told,))


def _pictured(model: ModelConfig, one: StandardField, rule: StandardRule, value: Any) -> Written | Refused:
    """The picture or pictures in the form of the parameter: alone, in a list, or in a list of objects."""
    name = str(rule.to)
    schema = model.params.get(name, {})
    given = value if isinstance(value, list) else [value]
    sent: Any = [{rule.item: each} if rule.item else each for each in given]
    if not takes_list(one, schema):
        if len(given) > 1:
            return Refused(f"{one.label}: {model.id} takes one, not {len(given)}")
        sent = given[0]
    for problem in schema_problems(schema, "", sent):
        which = problem.path if given is value else ""
        return Refused(f"{one.label}{which} for {model.id} {problem.message}")
    return Written({name: sent, **rule.also}, warnings=(f"{one.wire}: {rule.note}.",) if rule.note else ())


def _to(
    model: ModelConfig, one: StandardField, rule: StandardRule, value: Any, ratio: float | None
) -> Written | Refused:
    name = str(rule.to)
    schema = model.params.get(name, {})
    for way in spellings(one, value, ratio):
        if rule.values:
            for standard, ours in rule.values:
                if same_value(standard, way):
                    return Written({name: ours})
        elif matches(schema, normalized(schema, way)):
            return Written({name: normalized(schema, way)})
    if not rule.nearest:
        return Refused(_impossible(model, one, rule, value))
    return _nearest(model, one, rule, value)


def _nearest(model: ModelConfig, one: StandardField, rule: StandardRule, value: Any) -> Written | Refused:
    name = str(rule.to)
    if rule.values:
        standard, sent = min(rule.values, key=lambda pair: (abs(numeric(pair[0]) - value), numeric(pair[0])))
    else:
        standard = sent = nearest_value(model.params.get(name, {}), value)
        if sent is None:
            return Refused(_impossible(model, one, rule, value))
    if numeric(standard) == value:
        return Written({name: sent})
    used = f"{numeric(standard):g}{one.unit}"
    told = f"{one.wire}: {_as_asked(one, value)} asked, {used} is what {model.id} makes."
    return Written({name: sent}, warnings=(told,))


def _impossible(model: ModelConfig, one: StandardField, rule: StandardRule, value: Any) -> str:
    if rule.values:
        return _not_among(model, one, value, [standard for standard, _ in rule.values])
    schema = model.params.get(str(rule.to), {})
    if "enum" in schema:
        return _not_among(model, one, value, schema["enum"])
    problem = next(iter(schema_problems(schema, "", value)), None)
    return f"{one.label} {problem.message if problem else 'is not possible'} with {model.id}"


def _not_among(model: ModelConfig, one: StandardField, value: Any, known: Any) -> str:
    possible = ", ".join(item if isinstance(item, str) else shown(item) for item in known)
    return f"{one.label} {_as_asked(one, value)} is not possible with {model.id}: it makes {possible}"


def _as_asked(one: StandardField, value: Any) -> str:
    return f"{value:g}{one.unit}" if one.is_number else str(value)[:100]


def _is_integer(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") == "integer"
