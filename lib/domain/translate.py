"""From a standard request to one model's parameters. Nothing is dropped in silence: every field that was given is
in the parameters, or made by the model anyway, or named in a warning, or refused by name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.domain.errors import FieldError, InvalidParametersError
from lib.domain.model_config import ModelConfig
from lib.domain.model_input import same_value
from lib.domain.parameter_schema import shown
from lib.domain.parameters import Parameters, validate_parameters
from lib.domain.standard_field import StandardField
from lib.domain.standard_fields import FIELDS
from lib.domain.standard_request import StandardRequest
from lib.domain.standard_value import Refused, Written, not_honoured, write


@dataclass(frozen=True)
class Translation:
    """What a model is asked for a standard request.

    `given` are the parameters as a caller would send them, `parameters` those with the model's defaults; both are
    None and `errors` has each field's reason where the model cannot. `warnings` are the translation's own, beside
    those of `parameters`. `carried` names, for each field, the parameters that carry it; a field that the model
    honours without any has none.
    """

    model: ModelConfig
    given: Mapping[str, Any] | None = None
    parameters: Parameters | None = None
    warnings: tuple[str, ...] = ()
    errors: tuple[FieldError, ...] = ()
    carried: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def possible(self) -> bool:
        """Whether the model can."""
        return self.parameters is not None


def translate(request: StandardRequest, model: ModelConfig) -> Translation:
    """The request as this model's parameters, or what of it the model cannot do."""
    if not model.standard or request.media_type is not model.media_type:
        why = f"{model.id} takes no standard {request.media_type} requests: send `parameters`"
        return Translation(model, errors=(FieldError("request", why),))
    written: list[tuple[StandardField, Written]] = []
    errors: list[FieldError] = []
    overridden = _overridden(model, request)
    for one in request.given:
        result = _write(model, one, request, overridden.get(one.name))
        if isinstance(result, Refused):
            errors.append(FieldError(one.path, result.why))
        else:
            written.append((one, result))
    errors += _missing(model, request)
    given, contradictions = _merged(model, written)
    errors += contradictions
    carried = {one.name: result.names for one, result in written}
    if errors:
        return Translation(model, errors=tuple(errors), carried=carried)
    try:
        parameters = validate_parameters(model, given)
    except InvalidParametersError as error:
        return Translation(model, errors=tuple(_by_field(error, model, carried)), carried=carried)
    warnings = tuple(warning for _, result in written for warning in result.warnings)
    return Translation(model, given, parameters, warnings, carried=carried)


def _overridden(model: ModelConfig, request: StandardRequest) -> dict[str, str]:
    """The fields that mean nothing beside a picture that was given, or that the model cannot do without; and why."""
    return {
        name: why
        for field_name, rule in model.standard.items()
        if field_name in request.values or rule.to in model.needed
        for name, why in rule.overrides.items()
    }


def _missing(model: ModelConfig, request: StandardRequest) -> Iterator[FieldError]:
    """What the model cannot do without, by the fields that would give it: a picture, mostly."""
    for name in model.needed:
        able = [
            one
            for one in FIELDS[model.media_type]
            if one.name in model.standard and name in model.standard[one.name].parameters
        ]
        if able and not any(one.name in request.values for one in able):
            yield FieldError(able[0].path, f"{able[0].label} is required by {model.id}")


def _write(
    model: ModelConfig, one: StandardField, request: StandardRequest, overridden: str | None
) -> Written | Refused:
    rule = model.standard.get(one.name)
    value = request.values[one.name]
    if overridden is not None:
        return not_honoured(one, value, overridden)
    if rule is None:
        return Refused(f"{one.label} is nothing that {model.id} can be told")
    return write(model, one, rule, value, request.ratio)


def _merged(
    model: ModelConfig, written: list[tuple[StandardField, Written]]
) -> tuple[dict[str, Any], list[FieldError]]:
    """All parameters; texts that are added to others come last, pixels replace the size that a shape stands for."""
    given: dict[str, Any] = {}
    by: dict[str, StandardField] = {}
    errors: list[FieldError] = []
    for one, result in written:
        for name, value in result.set.items():
            if name in given and not same_value(given[name], value) and not result.replaces:
                errors.append(
                    FieldError(
                        one.path,
                        f"{one.label} would make {name} {shown(value)} and {by[name].label} {shown(given[name])} "
                        f"of {model.id}: give one of them",
                    )
                )
            given[name], by[name] = value, one
    for _, result in written:
        for name, text in result.added.items():
            given[name] = f"{given[name]}{text}" if name in given else text.lstrip(" ,;.")
    return given, errors


def _by_field(
    error: InvalidParametersError, model: ModelConfig, carried: Mapping[str, tuple[str, ...]]
) -> Iterator[FieldError]:
    """What is wrong with the parameters, said of the fields that they came from."""
    for wrong in error.errors:
        name = wrong.path.removeprefix("parameters.").partition(".")[0].partition("[")[0]
        source = next((one for one, names in carried.items() if name in names), None)
        if source is None:
            source = next((one for one, rule in model.standard.items() if name in rule.parameters), None)
        words = f"{model.id}: {name} {wrong.message}"
        yield FieldError(f"request.{_wire(model, source)}" if source else "request", words)


def _wire(model: ModelConfig, name: str) -> str:
    return next(one.wire for one in FIELDS[model.media_type] if one.name == name)
