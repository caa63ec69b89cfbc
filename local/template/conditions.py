"""The Conditions of a template: Equals, And, Or, Not and references to other conditions."""

from collections.abc import Callable
from typing import Any

from local.template.assembly import Stack
from local.template.errors import TemplateError


class Conditions:
    """Evaluates a stack's conditions by name. `resolve` gives the value of Ref and the like inside them."""

    def __init__(self, stack: Stack, resolve: Callable[[Any], Any]) -> None:
        self._stack = stack
        self._resolve = resolve

    def holds(self, name: str) -> bool:
        """True if the named condition is true; TemplateError if there is none of that name."""
        definitions = self._stack.section("Conditions")
        if name not in definitions:
            raise TemplateError(f"{self._stack.name}: there is no condition {name}")
        return self._evaluate(definitions[name])

    def _evaluate(self, expression: Any) -> bool:
        match expression:
            case {"Condition": str(name)}:
                return self.holds(name)
            case {"Fn::Equals": [left, right]}:
                return bool(self._resolve(left) == self._resolve(right))
            case {"Fn::And": [*parts]}:
                return all(self._evaluate(part) for part in parts)
            case {"Fn::Or": [*parts]}:
                return any(self._evaluate(part) for part in parts)
            case {"Fn::Not": [part]}:
                return not self._evaluate(part)
            case _:
                raise TemplateError(f"{self._stack.name}: the condition {expression!r} is not understood")
