"""What a model can make, said of the fields of standard requests: durations, shapes, resolutions and the like."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.domain.model_config import ModelConfig
from lib.domain.nearest import is_numeric, numeric
from lib.domain.standard_field import FieldKind, StandardField
from lib.domain.standard_fields import FIELDS
from lib.domain.standard_rule import StandardRule
from lib.domain.standard_value import takes_list


@dataclass(frozen=True)
class FieldRange:
    """What a model does with one standard field.

    `values` are all that there are, or empty where `minimum` and `maximum` say it, or where any text will do.
    `how` is exact, nearest (others become the nearest), scaled, into_text or ignored; all but exact with a warning.
    Of images the range is how many. `required`: this model needs it, though such requests in general do not.
    """

    field: str
    how: str
    values: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    required: bool = False


def field_ranges(model: ModelConfig) -> tuple[FieldRange, ...]:
    """The fields that a standard request to this model may have; none where it takes no such requests."""
    return tuple(
        FieldRange(one.wire, "ignored")
        if one.name in model.replaced
        else _range(model, one, model.standard[one.name])
        for one in FIELDS[model.media_type]
        if one.name in model.standard or one.name in model.replaced
    )


def _range(model: ModelConfig, one: StandardField, rule: StandardRule) -> FieldRange:
    if rule.ignore is not None:
        return FieldRange(one.wire, "ignored")
    if rule.append is not None:
        return FieldRange(one.wire, "into_text")
    if rule.scale is not None:
        return FieldRange(one.wire, "scaled", minimum=one.minimum, maximum=one.maximum)
    if one.is_image:
        return _of_images(model, one, str(rule.to))
    how = "nearest" if rule.nearest else "exact"
    pairs = rule.values or rule.set
    if pairs or rule.only:
        return FieldRange(one.wire, how, tuple(pair[0] for pair in pairs) or rule.only)
    return _of_schema(one, how, model.params.get(str(rule.to), {}))


def _of_images(model: ModelConfig, one: StandardField, name: str) -> FieldRange:
    schema = model.params.get(name, {})
    several = one.kind is FieldKind.IMAGES and takes_list(one, schema)
    most = schema.get("maxItems", one.maximum) if several else 1
    return FieldRange(one.wire, "exact", minimum=1, maximum=most, required=name in model.needed)


def _of_schema(one: StandardField, how: str, schema: Mapping[str, Any]) -> FieldRange:
    values = tuple(schema.get("enum", ()))
    if one.is_number:
        values = tuple(_plain(numeric(value)) for value in values if is_numeric(value))
    values = tuple(value for value in values if one.problem(value) is None)
    if values or not one.is_number:
        return FieldRange(one.wire, how, values or one.choices)
    low, high = schema.get("minimum", one.minimum), schema.get("maximum", one.maximum)
    return FieldRange(one.wire, how, minimum=max(low, one.minimum), maximum=min(high, one.maximum))


def _plain(value: float) -> float:
    return int(value) if value.is_integer() else value
