"""One Lambda function of the gateway with its own role and its own log group."""

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.functions import FunctionSpec
from infra.settings import LOG_RETENTION, InfraSettings


class GatewayFunction(Construct):
    """A function on arm64 whose role can write its own log and nothing else until something is granted.

    `function` is the function, `role` its role, `name` its physical name (plain text, no token).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        spec: FunctionSpec,
        settings: InfraSettings,
        code: lambda_.Code,
        environment: Mapping[str, str],
        dead_letter_queue: sqs.IQueue | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.spec = spec
        self.name = settings.name(spec.dashed)
        log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{self.name}",
            retention=logs.RetentionDays[LOG_RETENTION[settings.log_retention_days]],
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=self.name,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler=spec.handler,
            code=code,
            role=self.role,
            timeout=Duration.seconds(spec.timeout_seconds),
            memory_size=spec.memory_mb,
            ephemeral_storage_size=Size.mebibytes(spec.disk_mb),
            environment=dict(environment),
            log_group=log_group,
            dead_letter_queue=dead_letter_queue,
            recursive_loop=lambda_.RecursiveLoop.ALLOW if spec.re_queues else None,
        )
