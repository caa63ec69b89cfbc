"""Custom resources: a function of the template is called while the stack is created."""

from local.resources.kind import Kind, Resource, World
from local.template import ResourceState


def _custom(resource: Resource, world: World) -> ResourceState:
    token = str(resource.require("ServiceToken"))
    try:
        world.deployment.function_by_arn(token)
    except KeyError:
        raise resource.error(f"ServiceToken {token} is no function of these templates") from None
    return world.call_custom_resource(resource)


KIND = Kind(create=_custom)
TYPE = "AWS::CloudFormation::CustomResource"
PREFIX = "Custom::"
