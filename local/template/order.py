"""In which order the resources of a stack are created: each after those it refers to or depends on."""

import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from local.template.assembly import Json, Stack
from local.template.errors import TemplateError

_SUB_REFERENCE = re.compile(r"\$\{([^!}][^}]*)\}")


def creation_order(stack: Stack, *, skip: frozenset[str] = frozenset()) -> list[str]:
    """Logical ids in order of creation; those in `skip` (their condition is false) are left out.

    TemplateError names a circle, or a DependsOn that is no resource of this stack.
    """
    resources = stack.section("Resources")
    graph: dict[str, set[str]] = {}
    for logical_id, resource in resources.items():
        if logical_id in skip:
            continue
        needed = {name for name in references(resource.get("Properties", {})) if name in resources}
        needed |= _depends_on(stack, logical_id, resource)
        graph[logical_id] = needed - skip
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise TemplateError(f"{stack.name}: resources refer to each other in a circle: {circle}") from error


def _depends_on(stack: Stack, logical_id: str, resource: Json) -> set[str]:
    given = resource.get("DependsOn", [])
    names = {given} if isinstance(given, str) else set(given)
    if unknown := names - stack.section("Resources").keys():
        raise TemplateError(f"{stack.name}/{logical_id}: DependsOn names no resource: {sorted(unknown)}")
    return names


def references(value: Any) -> Iterator[str]:
    """The names that Ref, Fn::GetAtt and Fn::Sub inside `value` refer to (parameters included)."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        yield from _own_references(value)
        for item in value.values():
            yield from references(item)


def _own_references(value: Json) -> Iterator[str]:
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::GetAtt": str(path)}:
            yield path.partition(".")[0]
        case {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text), *_]}:
            for name in _SUB_REFERENCE.findall(text):
                yield name.partition(".")[0]
