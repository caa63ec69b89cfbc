"""Creates every resource of all stacks, in order."""

import re
from collections.abc import Mapping

from local.aws import PSEUDO_PARAMETERS
from local.resources.dynamic_references import resolve_secrets
from local.resources.kind import Resource, World
from local.resources.registry import check_types, kind_of
from local.template import Exports, Resolver, Stack, check_overrides, creation_order

_API_ADDRESS = re.compile(r"https://([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.[a-z0-9.-]+?(?=[/?#]|$)")


def apply_stacks(stacks: list[Stack], world: World, parameters: Mapping[str, str]) -> None:
    """Create everything; `world.deployment` then says what runs.

    TemplateError if anything is not understood, before the first resource is created where that is possible.
    """
    check_overrides(stacks, parameters)
    check_types(stacks)
    exports: Exports = {}
    finish = _Finish(world)
    for stack in stacks:
        resolver = Resolver(
            stack,
            pseudo=PSEUDO_PARAMETERS,
            parameters={key: parameters[key] for key in parameters if key in stack.section("Parameters")},
            exports=exports,
            finish=finish,
        )
        _create(stack, resolver, world)
        world.deployment.outputs.update(resolver.outputs())


def _create(stack: Stack, resolver: Resolver, world: World) -> None:
    resources = stack.section("Resources")
    unwanted = frozenset(name for name, resource in resources.items() if not resolver.is_wanted(resource))
    for logical_id in creation_order(stack, skip=unwanted):
        declared = resources[logical_id]
        resource = Resource(
            stack=stack.name,
            logical_id=logical_id,
            type=declared["Type"],
            properties=resolver.resolve(declared.get("Properties", {})),
        )
        kind = kind_of(resource.type)
        kind.check(resource)
        resolver.states[logical_id] = kind.create(resource, world)


class _Finish:
    """The last word on every resolved string: the API's address, and dynamic references to secrets."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(self, text: str) -> str:
        if "execute-api" in text:
            text = _API_ADDRESS.sub(self._address, text)
        if "{{resolve:" in text:
            text = resolve_secrets(text, self._world.aws)
        return text

    def _address(self, match: re.Match[str]) -> str:
        known = match.group(1) in self._world.deployment.apis
        return self._world.api_address if known else match.group(0)
