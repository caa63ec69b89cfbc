"""What in a catalogue contradicts itself although every entry has the right form."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from lib.domain.errors import FieldError
from lib.domain.model_config import ModelConfig, PricingType
from lib.domain.model_input import same_value
from lib.domain.parameter_schema import matches, schema_problems, shown
from lib.domain.pricing import matrix_key
from lib.domain.standard_checks import standard_problems

Found = Iterator[tuple[str, str]]


def placed(file: str, path: str) -> str:
    """The path of a value with its file, where there are several: `fal.json: video.kling.version`."""
    return f"{file}: {path}" if file else path


def consistency_errors(models: Mapping[ModelConfig, str]) -> list[FieldError]:
    """All contradictions, in the order of the models, each with the path of the value to change.

    Each model comes with the name of its file, which is empty where there is but one.
    """
    errors = [
        FieldError(_at(models, model, path), message)
        for model in models
        for check in _CHECKS
        for path, message in check(model)
    ]
    return [*_twice(models), *errors, *_fallback_errors(models)]


def _at(models: Mapping[ModelConfig, str], model: ModelConfig, path: str = "") -> str:
    return placed(models[model], ".".join(filter(None, (model.media_type, model.id, path))))


def _twice(models: Mapping[ModelConfig, str]) -> list[FieldError]:
    first: dict[str, ModelConfig] = {}
    errors = []
    for model in models:
        other = first.setdefault(model.id, model)
        if other is not model:
            whose = f"a model of {other.media_type}" + (f" in {models[other]}" if models[other] else "")
            message = f"the id is taken by {whose}: ids are unique over all media types and files"
            errors.append(FieldError(_at(models, model), message))
    return errors


def _fallback_errors(models: Mapping[ModelConfig, str]) -> list[FieldError]:
    known = {model.id: model for model in models}
    errors = []
    for model in models:
        for index, target in enumerate(model.fallbacks):
            path = _at(models, model, f"fallbacks.{index}")
            if target == model.id:
                errors.append(FieldError(path, "a model is no fallback of itself"))
            elif target not in known:
                errors.append(FieldError(path, f"there is no model {target!r}; known: {', '.join(known)}"))
            elif known[target].media_type is not model.media_type:
                message = f"{target} makes {known[target].media_type}, not {model.media_type}"
                errors.append(FieldError(path, message))
    return errors


def _parameter_lists(model: ModelConfig) -> Found:
    supported = set(model.supported_params)
    if model.params:
        for name in sorted(supported - set(model.params)):
            yield "supportedParams", f"{name} has no schema in params"
        for name in sorted(set(model.params) - supported):
            yield f"params.{name}", "is not among the supportedParams"
    for place, names in (
        ("required", model.required),
        ("defaults", tuple(model.defaults)),
        ("map", tuple(model.map)),
        ("rules", tuple(rule.path for rule in model.rules)),
        ("pricing", model.pricing.named_parameters if model.pricing else ()),
    ):
        for name in names:
            if name not in supported:
                yield place, f"{name} is not among the supportedParams: {', '.join(model.supported_params)}"


def _schemas(model: ModelConfig) -> Found:
    for name, schema in model.params.items():
        try:
            re.compile(schema.get("pattern", ""))
        except re.error as error:
            yield f"params.{name}.pattern", f"is no regular expression: {error}"
            continue
        if "default" in schema and not matches(schema, schema["default"]):
            yield f"params.{name}.default", f"{shown(schema['default'])} breaks the schema beside it"


def _defaults(model: ModelConfig) -> Found:
    for name, value in model.defaults.items():
        for problem in schema_problems(model.params.get(name, {}), f"defaults.{name}", value):
            yield problem.path, problem.message
        default = model.params.get(name, {}).get("default", value)
        if not same_value(default, value):
            yield f"params.{name}.default", f"{shown(default)} differs from {shown(value)} in defaults"


def _mapping(model: ModelConfig) -> Found:
    sent = {name: (model.map[name].to if name in model.map else name) for name in model.supported_params}
    for name, target in sent.items():
        other = next((one for one, to in sent.items() if to == target and one != name), None)
        if name in model.map and other is not None:
            yield f"map.{name}", f"{target} is also what {other} is sent as"
        inside = next(
            (one for one, to in sent.items() if name in model.map and target.startswith(f"{to}.")), None
        )
        if inside is not None:
            yield f"map.{name}", f"{target} lies inside {sent[inside]}, which is what {inside} is sent as"
    for name, rule in model.map.items():
        if rule.multiply is not None and model.params.get(name, {}).get("type") not in ("integer", "number"):
            yield f"map.{name}.multiply", f"{name} must be a number by its schema"
        if not rule.values:
            continue
        for value in model.params.get(name, {}).get("enum", ()):
            if not any(same_value(ours, value) for ours, _ in rule.values):
                yield f"map.{name}.values", f"says nothing of {shown(value)}"


def _sizes(model: ModelConfig) -> Found:
    if model.sizes is None:
        return
    for name in (model.sizes.width, model.sizes.height):
        if model.params.get(name, {}).get("type") != "integer":
            yield "sizes", f"{name} must be an integer parameter"
        if name in model.defaults or name in model.required:
            yield "sizes", f"{name} is mapped to others, so it is neither required nor a default"
    for index, option in enumerate(model.sizes.options):
        for name, value in option.set.items():
            if name not in model.supported_params:
                yield f"sizes.options.{index}.set", f"{name} is not among the supportedParams"
            elif not matches(model.params.get(name, {}), value):
                yield f"sizes.options.{index}.set.{name}", f"{shown(value)} breaks the schema in params"


def _prices(model: ModelConfig) -> Found:
    pricing = model.pricing
    if pricing is None:
        return
    given = {*model.required, *model.defaults}
    given |= {name for name, schema in model.params.items() if "default" in schema}
    for name in pricing.named_parameters:
        if name not in given and name not in pricing.optional_parameters:
            yield "pricing", f"depends on {name}, which is neither required nor has a default"
    if pricing.type is PricingType.BY_RESOLUTION and pricing.resolution:
        for value in model.params.get(pricing.resolution, {}).get("enum", ()):
            if str(value) not in pricing.amounts:
                yield "pricing.amounts", f"says nothing of {pricing.resolution} {shown(value)}"
    if pricing.type is PricingType.MATRIX:
        choices = [_choices(model.params.get(name, {})) for name in pricing.by]
        for values in product(*choices):
            if matrix_key(values) not in pricing.amounts:
                yield "pricing.amounts", f"says nothing of {matrix_key(values)!r} ({', '.join(pricing.by)})"


def _choices(schema: Mapping[str, Any]) -> Sequence[Any]:
    """The values that a parameter may have, as far as its schema lists them."""
    if schema.get("type") == "boolean":
        return (True, False)
    listed: Sequence[Any] = schema.get("enum", ())
    return listed


_CHECKS: tuple[Callable[[ModelConfig], Found], ...] = (
    _parameter_lists,
    _schemas,
    _defaults,
    _mapping,
    _sizes,
    _prices,
    standard_problems,
)
