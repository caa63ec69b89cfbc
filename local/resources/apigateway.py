"""API Gateway HTTP APIs (v2): APIs, stages, Lambda proxy integrations and routes."""

import secrets
import string

from local.deployment import Api, Cors, Integration, Route
from local.resources.kind import Json, Kind, Resource, World, kind
from local.template import ResourceState


def _api(resource: Resource, world: World) -> ResourceState:
    given = resource.properties
    if given.get("ProtocolType") != "HTTP":
        raise resource.error(f"ProtocolType {given.get('ProtocolType')}: only HTTP is understood")
    if world.deployment.apis:
        raise resource.error("a second HTTP API: the local cloud serves one on its port")
    api_id = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(10))
    cors = _cors(given["CorsConfiguration"]) if "CorsConfiguration" in given else None
    world.deployment.apis[api_id] = Api(api_id=api_id, name=str(given.get("Name", "")), cors=cors)
    return ResourceState(ref=api_id, attributes={"ApiId": api_id, "ApiEndpoint": world.api_address})


def _cors(given: Json) -> Cors:
    return Cors(
        allow_origins=tuple(given.get("AllowOrigins", [])),
        allow_methods=tuple(given.get("AllowMethods", [])),
        allow_headers=tuple(given.get("AllowHeaders", [])),
        expose_headers=tuple(given.get("ExposeHeaders", [])),
        max_age=int(given["MaxAge"]) if "MaxAge" in given else None,
        allow_credentials=bool(given.get("AllowCredentials", False)),
    )


def _stage(resource: Resource, _world: World) -> ResourceState:
    name = str(resource.require("StageName"))
    if name != "$default":
        raise resource.error(f"stage {name}: only $default, which adds nothing to the path, is understood")
    return ResourceState(ref=name)


def _integration(resource: Resource, world: World) -> ResourceState:
    given = resource.properties
    if given.get("IntegrationType") != "AWS_PROXY" or given.get("PayloadFormatVersion") != "2.0":
        raise resource.error("only AWS_PROXY integrations of payload format 2.0 are understood")
    uri = str(resource.require("IntegrationUri"))
    arn = uri.rsplit("/functions/", maxsplit=1)[-1].removesuffix("/invocations")
    integration_id = f"{resource.stack}-{resource.logical_id}"
    world.deployment.integrations[integration_id] = Integration(
        function_arn=arn, timeout_seconds=float(given.get("TimeoutInMillis", 30000)) / 1000
    )
    return ResourceState(ref=integration_id)


def _route(resource: Resource, world: World) -> ResourceState:
    given = resource.properties
    authorization = given.get("AuthorizationType", "NONE")
    if authorization != "NONE":
        raise resource.error(f"AuthorizationType {authorization} is not understood; NONE is")
    target = str(resource.require("Target")).removeprefix("integrations/")
    if target not in world.deployment.integrations:
        raise resource.error(f"Target {target} is no integration")
    world.deployment.routes.append(
        Route(
            api_id=str(resource.require("ApiId")),
            key=str(resource.require("RouteKey")),
            integration=world.deployment.integrations[target],
        )
    )
    return ResourceState(ref=resource.logical_id)


KINDS: dict[str, Kind] = {
    "AWS::ApiGatewayV2::Api": kind(
        _api,
        used="ProtocolType Name CorsConfiguration",
        harmless="Description Tags DisableExecuteApiEndpoint IpAddressType",
    ),
    "AWS::ApiGatewayV2::Stage": kind(
        _stage,
        used="StageName",
        harmless="ApiId AutoDeploy AccessLogSettings DefaultRouteSettings RouteSettings Tags Description",
    ),
    "AWS::ApiGatewayV2::Integration": kind(
        _integration,
        used="IntegrationType PayloadFormatVersion IntegrationUri TimeoutInMillis",
        harmless="ApiId Description IntegrationMethod ConnectionType",
    ),
    "AWS::ApiGatewayV2::Route": kind(
        _route, used="ApiId RouteKey Target AuthorizationType", harmless="OperationName"
    ),
}
