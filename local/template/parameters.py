"""Values of a template's parameters: overrides first, then defaults."""

import re
from collections.abc import Mapping
from typing import Any

from local.template.assembly import Json, Stack
from local.template.errors import TemplateError

_IGNORED = "AWS::SSM::Parameter::Value"  # CDK's BootstrapVersion


def parameter_values(stack: Stack, overrides: Mapping[str, str]) -> dict[str, Any]:
    """Name -> value for each parameter of the stack.

    TemplateError if one has neither override nor default, or a value that AllowedValues or AllowedPattern
    exclude. Overrides that this stack has no parameter for are for another stack (see `check_overrides`).
    """
    values: dict[str, Any] = {}
    for name, definition in stack.section("Parameters").items():
        if definition.get("Type", "").startswith(_IGNORED):
            continue
        if name not in overrides and "Default" not in definition:
            raise TemplateError(f"{stack.name}: the parameter {name} has no default and was given no value")
        value = str(overrides.get(name, definition.get("Default")))
        is_list = "List" in definition.get("Type", "")
        for item in value.split(",") if is_list else [value]:
            _check(f"{stack.name}: parameter {name}", item, definition)
        values[name] = value.split(",") if is_list else value
    return values


def _check(where: str, value: str, definition: Json) -> None:
    allowed = [str(item) for item in definition.get("AllowedValues", [value])]
    if value not in allowed:
        raise TemplateError(f"{where} is {value!r}; allowed: {', '.join(allowed)}")
    pattern = definition.get("AllowedPattern", "")
    if pattern and not re.fullmatch(pattern, value):
        raise TemplateError(f"{where} is {value!r}; it must match {pattern}")


def check_overrides(stacks: list[Stack], overrides: Mapping[str, str]) -> None:
    """Nothing, if each override is a parameter of some stack; else TemplateError, which names the others."""
    known = {name for stack in stacks for name in stack.section("Parameters")}
    if unknown := sorted(overrides.keys() - known):
        raise TemplateError(f"no stack has these parameters: {', '.join(unknown)}; known: {sorted(known)}")
