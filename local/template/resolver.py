"""Resolves the intrinsic functions of one stack's template.

Reference: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
An intrinsic that is not listed here is a TemplateError, as is a reference to nothing.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.template.assembly import Json, Stack
from local.template.conditions import Conditions
from local.template.errors import TemplateError
from local.template.parameters import parameter_values

Exports = dict[str, Any]
_SUB = re.compile(r"\$\{(!?)([^}]+)\}")


class _NoValue:
    """What AWS::NoValue resolves to: the property is as if it were not there."""


NO_VALUE = _NoValue()


@dataclass(frozen=True, slots=True)
class ResourceState:
    """A created resource: what Ref gives, and what Fn::GetAtt gives by attribute name.

    `placeholder` resources have no effect on this machine: every attribute is a made-up ARN.
    """

    ref: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    placeholder: bool = False


class Resolver:
    """Values of one stack. `states` is filled while resources are created; `exports` is shared by all stacks.

    `finish` has the last word on every string (dynamic references, local addresses).
    """

    def __init__(
        self,
        stack: Stack,
        *,
        pseudo: Mapping[str, str],
        parameters: Mapping[str, str],
        exports: Exports,
        finish: Callable[[str], str] = lambda text: text,
    ) -> None:
        self.stack = stack
        self.states: dict[str, ResourceState] = {}
        self._pseudo = {**pseudo, "AWS::StackName": stack.name}
        self._parameters = parameter_values(stack, parameters)
        self._exports = exports
        self._finish = finish
        self._conditions = Conditions(stack, self.resolve)

    def is_wanted(self, resource: Json) -> bool:
        """False if the resource (or output) has a condition that is false."""
        return "Condition" not in resource or self._conditions.holds(resource["Condition"])

    def resolve(self, value: Any) -> Any:
        """`value` with every intrinsic replaced; properties of AWS::NoValue are left out."""
        if isinstance(value, str):
            return self._finish(value)
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or name.startswith("Fn::") or name == "Condition":
                return self._intrinsic(name, argument)
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, resolved; those with an Export are added to the shared exports."""
        found: dict[str, Any] = {}
        for name, output in self.stack.section("Outputs").items():
            if self.is_wanted(output):
                found[name] = self.resolve(output["Value"])
                if "Export" in output:
                    self._exports[self.resolve(output["Export"]["Name"])] = found[name]
        return found

    def _intrinsic(self, name: str, argument: Any) -> Any:  # noqa: PLR0911 - one line per intrinsic
        match name:
            case "Ref":
                return self._ref(argument)
            case "Fn::GetAtt":
                return self._get_att(argument)
            case "Fn::Sub":
                return self._sub(argument)
            case "Fn::Join":
                separator, items = argument
                return self._finish(separator.join(str(item) for item in self.resolve(items)))
            case "Fn::Select":
                index, items = self.resolve(argument)
                return items[int(index)]
            case "Fn::Split":
                separator, text = self.resolve(argument)
                return text.split(separator)
            case "Fn::ImportValue":
                return self._import(self.resolve(argument))
            case "Fn::FindInMap":
                return self._find_in_map(*self.resolve(argument))
            case "Fn::If":
                condition, then, otherwise = argument
                return self.resolve(then if self._conditions.holds(condition) else otherwise)
            case "Condition":
                # Outside Conditions, {"Condition": {...}} is an ordinary key (an IAM statement's).
                return {"Condition": self.resolve(argument)}
            case _:
                raise self._error(f"the intrinsic {name} is not understood by the local cloud")

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._parameters:
            return self._parameters[name]
        if name in self.states:
            return self._finish(self.states[name].ref)
        raise self._error(f"Ref to {name}, which is no parameter and no created resource")

    def _get_att(self, argument: Any) -> Any:
        name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        state = self.states.get(name)
        if state is None:
            raise self._error(f"Fn::GetAtt of {name}.{attribute}, which is no created resource")
        if attribute in state.attributes:
            value = state.attributes[attribute]
            return self._finish(value) if isinstance(value, str) else value
        if state.placeholder:
            return f"arn:aws:local:::{name}/{attribute}"
        known = ", ".join(sorted(state.attributes)) or "none"
        raise self._error(f"Fn::GetAtt of {name}.{attribute}: the local cloud knows {known}")

    def _sub(self, argument: Any) -> str:
        text, variables = (argument, {}) if isinstance(argument, str) else argument
        given = self.resolve(variables)

        def replace(match: re.Match[str]) -> str:
            literal, name = match.group(1), match.group(2).strip()
            if literal:
                return "${" + name + "}"
            if name in given:
                return str(given[name])
            return str(self._get_att(name) if "." in name else self._ref(name))

        return self._finish(_SUB.sub(replace, text))

    def _import(self, name: str) -> Any:
        if name not in self._exports:
            raise self._error(f"Fn::ImportValue of {name}, which no stack before this one exports")
        return self._exports[name]

    def _find_in_map(self, mapping: str, first: str, second: str) -> Any:
        try:
            return self.stack.section("Mappings")[mapping][first][second]
        except KeyError as error:
            raise self._error(f"Fn::FindInMap {mapping}/{first}/{second}: there is no {error}") from error

    def _error(self, message: str) -> TemplateError:
        return TemplateError(f"{self.stack.name}: {message}")
