"""The HTTP API (API Gateway v2, payload format 2.0): CORS, stage, access log, and one resource per route."""

from aws_cdk import Aws, CfnCondition, Fn, RemovalPolicy
from aws_cdk import aws_apigatewayv2 as apigw
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.nag import acknowledge
from infra.names import access_log_group
from infra.routes import Route
from infra.settings import LOG_RETENTION, InfraSettings

_CORS_METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
_CORS_REQUEST_HEADERS = ["authorization", "content-type", "idempotency-key", "x-api-key", "x-request-id"]
_CORS_ANSWER_HEADERS = [
    "location",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "retry-after",
    "x-request-id",
]
# The query string is left out on purpose: a webhook's carries its token. Numbers stand without quotes, so that
# metric filters can compare them.
_ACCESS_LOG = (
    '{"requestId":"$context.requestId","time":"$context.requestTime","method":"$context.httpMethod",'
    '"route":"$context.routeKey","path":"$context.path","status":$context.status,'
    '"latencyMs":$context.responseLatency,"integrationError":"$context.integrationErrorMessage",'
    '"sourceIp":"$context.identity.sourceIp"}'
)


class HttpApi(Construct):
    """An API whose routes are separate resources, so that functions may hold its address without a cycle.

    `endpoint` is its https address without a trailing slash; `api_id` its id.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: InfraSettings,
        cors_origins: list[str],
        cors_enabled: CfnCondition,
    ) -> None:
        super().__init__(scope, construct_id)
        self._integrations: dict[str, apigw.CfnIntegration] = {}
        self._api = apigw.CfnApi(
            self,
            "Api",
            name=settings.name("api"),
            protocol_type="HTTP",
            cors_configuration=Fn.condition_if(cors_enabled.logical_id, _cors(cors_origins), Aws.NO_VALUE),
        )
        self.api_id = self._api.ref
        self.endpoint = f"https://{self.api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}"
        self._stage(settings)

    def _stage(self, settings: InfraSettings) -> None:
        log_group = logs.LogGroup(
            self,
            "AccessLogs",
            log_group_name=access_log_group(settings),
            retention=logs.RetentionDays[LOG_RETENTION[settings.log_retention_days]],
            removal_policy=RemovalPolicy.DESTROY,
        )
        apigw.CfnStage(
            self,
            "Stage",
            api_id=self.api_id,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=apigw.CfnStage.AccessLogSettingsProperty(
                destination_arn=log_group.log_group_arn, format=_ACCESS_LOG
            ),
            default_route_settings=apigw.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=settings.throttle_rate, throttling_burst_limit=settings.throttle_burst
            ),
        )

    def route(self, route: Route, function: lambda_.IFunction) -> None:
        """Send `route` to `function`, over one integration and one permission per function."""
        resource = apigw.CfnRoute(
            self,
            route.construct_id,
            api_id=self.api_id,
            route_key=route.key,
            authorization_type="NONE",
            target=Fn.join("/", ["integrations", self._integration(route.function, function).ref]),
        )
        acknowledge(resource, "APIG4", reason=route.access)

    def _integration(self, name: str, function: lambda_.IFunction) -> apigw.CfnIntegration:
        if name not in self._integrations:
            construct_id = name.title().replace("_", "")
            self._integrations[name] = apigw.CfnIntegration(
                self,
                f"{construct_id}Integration",
                api_id=self.api_id,
                integration_type="AWS_PROXY",
                integration_uri=function.function_arn,
                payload_format_version="2.0",
            )
            lambda_.CfnPermission(
                self,
                f"{construct_id}Permission",
                action="lambda:InvokeFunction",
                function_name=function.function_arn,
                principal=iam.ServicePrincipal("apigateway.amazonaws.com").service,
                source_arn=f"arn:{Aws.PARTITION}:execute-api:{Aws.REGION}:{Aws.ACCOUNT_ID}:{self.api_id}/*/*",
            )
        return self._integrations[name]


def _cors(origins: list[str]) -> dict[str, object]:
    return {
        "AllowOrigins": origins,
        "AllowMethods": _CORS_METHODS,
        "AllowHeaders": _CORS_REQUEST_HEADERS,
        "ExposeHeaders": _CORS_ANSWER_HEADERS,
        "MaxAge": 3600,
    }
