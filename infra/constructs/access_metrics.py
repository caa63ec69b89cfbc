"""Metrics of the HTTP API, taken from its access log.

API Gateway's own metrics go by the API's id, which only the stack that made it knows; the log group has a
fixed name. What nobody calls costs nothing: a filter without matches makes no metric.
"""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.names import access_log_group
from infra.settings import InfraSettings


class AccessMetrics(Construct):
    """`requests`, `client_errors` (4xx), `server_errors` (5xx), and `latency` (p95, milliseconds)."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: InfraSettings) -> None:
        super().__init__(scope, construct_id)
        self._namespace = f"VSL/Api/{settings.stage}"
        self._log_group = logs.LogGroup.from_log_group_name(self, "Log", access_log_group(settings))
        self.requests = self._metric("Requests", "{ $.status > 0 }")
        self.client_errors = self._metric("ClientErrors", "{ $.status >= 400 && $.status < 500 }")
        self.server_errors = self._metric("ServerErrors", "{ $.status >= 500 }")
        self.latency = self._metric("Latency", "{ $.latencyMs >= 0 }", value="$.latencyMs", statistic="p95")

    def _metric(
        self, name: str, pattern: str, *, value: str = "1", statistic: str = "Sum"
    ) -> cloudwatch.Metric:
        logs.MetricFilter(
            self,
            name,
            log_group=self._log_group,
            filter_pattern=logs.FilterPattern.literal(pattern),
            metric_namespace=self._namespace,
            metric_name=name,
            metric_value=value,
        )
        return cloudwatch.Metric(
            namespace=self._namespace,
            metric_name=name,
            statistic=statistic,
            period=Duration.minutes(5),
        )
