"""From valid parameters to what the model itself is sent."""

from decimal import Decimal
from typing import Any

from lib.domain.errors import FieldError, InvalidParametersError
from lib.domain.model_config import ModelConfig
from lib.domain.parameter_schema import shown
from lib.domain.parameters import Parameters


def build_input(model: ModelConfig, parameters: Parameters) -> dict[str, Any]:
    """The model's input under its own names and values; every parameter is in it, none is left out.

    A name with dots leads into objects: `voice_settings.stability` is written to `{"voice_settings": {...}}`. A value
    for which the model has none raises InvalidParametersError.
    """
    built: dict[str, Any] = {}
    for name, value in parameters.values.items():
        target, sent = _mapped(model, name, value)
        *outer, last = target.split(".") if name in model.map else [target]
        place = built
        for step in outer:
            place = place.setdefault(step, {})
        place[last] = sent
    return built


def same_value(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; true and 1 are not."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _mapped(model: ModelConfig, name: str, value: Any) -> tuple[str, Any]:
    rule = model.map.get(name)
    if rule is None:
        return name, value
    if rule.multiply is not None:
        return rule.to, _product(value, rule.multiply)
    if not rule.values:
        return rule.to, value
    for ours, theirs in rule.values:
        if same_value(ours, value):
            return rule.to, theirs
    known = ", ".join(shown(ours) for ours, _ in rule.values)
    error = FieldError(f"parameters.{name}", f"must be one of {known}, not {shown(value)}")
    raise InvalidParametersError(f"{error.path}: {error.message}", errors=[error])


def _product(value: int | float, factor: Decimal) -> int | float:
    """Exact in decimal, so that 2.3 seconds are 2300 milliseconds; a whole product is an integer."""
    product = Decimal(str(value)) * factor
    return int(product) if product == product.to_integral_value() else float(product)
