"""What a resource type needs: which properties it understands, and how it is created."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local.aws import Aws
from local.deployment import Deployment
from local.template import ResourceState, TemplateError

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource of a template, its properties resolved."""

    stack: str
    logical_id: str
    type: str
    properties: Json

    @property
    def where(self) -> str:
        """How messages name it."""
        return f"{self.stack}/{self.logical_id} ({self.type})"

    def physical_name(self, property_name: str) -> str:
        """The name that the template gives, else one made of stack and logical id as CloudFormation does."""
        return str(self.properties.get(property_name) or f"{self.stack}-{self.logical_id}")

    def require(self, name: str) -> Any:
        """A property that must be there; TemplateError if it is not."""
        if name not in self.properties:
            raise self.error(f"the property {name} is missing")
        return self.properties[name]

    def error(self, message: str) -> TemplateError:
        """An error that names this resource."""
        return TemplateError(f"{self.where}: {message}")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What creators work on: the local AWS, the deployment being filled, how custom resources are called.

    `generated` keeps made-up secrets by resource, so that one that is created again has the value it had.
    """

    aws: Aws
    deployment: Deployment
    call_custom_resource: Callable[[Resource], ResourceState]
    api_address: str
    generated: dict[str, str] = field(default_factory=dict)


Creator = Callable[[Resource, World], ResourceState]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A resource type. `used` properties have an effect here; `harmless` ones have none on a laptop.

    Any other property is a TemplateError: it could matter, and nobody has decided whether it does. A kind
    without lists (None) takes any property.
    """

    create: Creator
    used: frozenset[str] | None = None
    harmless: frozenset[str] = field(default_factory=frozenset)

    def check(self, resource: Resource) -> None:
        """TemplateError if the resource has a property that is neither used nor known to be harmless."""
        if self.used is None:
            return
        if unknown := sorted(resource.properties.keys() - self.used - self.harmless):
            raise resource.error(f"the local cloud does not understand the property {', '.join(unknown)}")


def kind(create: Creator, *, used: str, harmless: str = "") -> Kind:
    """A Kind from space-separated property names."""
    return Kind(create=create, used=frozenset(used.split()), harmless=frozenset(harmless.split()))
