"""What a caller asks of a model, checked as a whole before anything is recorded or spent."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from lib.domain.errors import FieldError, InvalidParametersError
from lib.domain.model_config import ModelConfig, Rule
from lib.domain.parameter_limits import limit_errors
from lib.domain.parameter_schema import matches, normalized, schema_problems
from lib.domain.sizes import SizeChoice, choose_size

MAX_ERRORS = 50


@dataclass(frozen=True)
class Parameters:
    """Valid parameters under our names, with defaults; `warnings` tell what is sent otherwise than asked."""

    values: Mapping[str, Any]
    warnings: tuple[str, ...] = ()


def merge_prompt(prompt: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the top-level `prompt`, which is short for `parameters.prompt`.

    None is no prompt. Two that differ raise InvalidParametersError.
    """
    if prompt is None:
        return dict(parameters)
    if parameters.get("prompt", prompt) != prompt:
        error = FieldError("prompt", "differs from parameters.prompt: give one of them")
        raise _invalid([error])
    return {**parameters, "prompt": prompt}


def validate_parameters(model: ModelConfig, params: Any) -> Parameters:
    """The parameters with the model's defaults, or InvalidParametersError naming all that is wrong at once.

    Each error has the path `parameters.<name>`. A whole float is a valid integer and becomes one; a boolean
    is not. A model without schemas takes any JSON value for the parameters that it supports.
    """
    if not isinstance(params, Mapping):
        raise _invalid([FieldError("parameters", "must be an object of parameter -> value")])
    errors = limit_errors(params)
    if errors:
        raise _invalid(errors)
    given = {name: normalized(model.params.get(name, {}), value) for name, value in params.items()}
    errors = [*_name_errors(model, given), *_value_errors(model, given)]
    size = _size(model, given, errors)
    values = {**model.defaults, **_without_size(model, given), **size.set}
    errors += size.errors
    broken = _broken_rules(model, values, errors)
    errors += [FieldError(f"parameters.{rule.path}", rule.message) for rule in broken if not rule.warning]
    if errors:
        raise _invalid(errors)
    warned = (f"{rule.path}: {rule.message}." for rule in broken if rule.warning)
    return Parameters(values, (*size.warnings, *warned))


def _invalid(errors: list[FieldError]) -> InvalidParametersError:
    listed = "; ".join(f"{error.path}: {error.message}" for error in errors[:10])
    return InvalidParametersError(f"The parameters are wrong: {listed}", errors=errors)


def _name_errors(model: ModelConfig, given: Mapping[str, Any]) -> list[FieldError]:
    missing = [
        FieldError(f"parameters.{name}", f"is required by {model.id}")
        for name in model.needed
        if name not in given
    ]
    unknown = [name for name in given if name not in model.supported_params]
    errors = [FieldError(f"parameters.{name[:64]}", _unknown(model, name)) for name in unknown[:MAX_ERRORS]]
    if len(unknown) > MAX_ERRORS:
        rest = len(unknown) - MAX_ERRORS
        errors.append(FieldError("parameters", f"and {rest} more that are no parameters of {model.id}"))
    return missing + errors


def _unknown(model: ModelConfig, name: str) -> str:
    called = next((ours for ours, rule in model.map.items() if rule.to == name), None)
    close = get_close_matches(name[:100], model.supported_params, n=1)
    hint = f" It is called {called} here." if called else f" Did you mean {close[0]}?" if close else ""
    return f"is not a parameter of {model.id}.{hint} Known: {', '.join(model.supported_params)}"


def _value_errors(model: ModelConfig, given: Mapping[str, Any]) -> list[FieldError]:
    return [
        error
        for name, schema in model.params.items()
        if name in given
        for error in schema_problems(schema, f"parameters.{name}", given[name])
    ]


def _size(model: ModelConfig, given: Mapping[str, Any], errors: list[FieldError]) -> SizeChoice:
    if model.sizes is None:
        return SizeChoice()
    wrong = {error.path for error in errors}
    if {f"parameters.{name}" for name in (model.sizes.width, model.sizes.height)} & wrong:
        return SizeChoice()
    return choose_size(model.sizes, given)


def _without_size(model: ModelConfig, given: Mapping[str, Any]) -> dict[str, Any]:
    consumed = (model.sizes.width, model.sizes.height) if model.sizes else ()
    return {name: value for name, value in given.items() if name not in consumed}


def _broken_rules(model: ModelConfig, values: Mapping[str, Any], errors: list[FieldError]) -> list[Rule]:
    known_wrong = {error.path for error in errors}
    return [
        rule
        for rule in model.rules
        if f"parameters.{rule.path}" not in known_wrong and not matches(rule.schema, values)
    ]
