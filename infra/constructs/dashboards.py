"""Two dashboards: one for who runs the gateway (resources), one for what it does for its users (business)."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.constructs.access_metrics import AccessMetrics
from infra.constructs.alarms import DEPTH, OLDEST, lambda_metric, queue_metric

NAMESPACE = "VSL/Gateway"
_PERIOD = Duration.minutes(5)


def resource_dashboard(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    api: AccessMetrics,
    functions: Sequence[str],
    queues: Sequence[str],
    dead_letters: Sequence[str],
) -> cloudwatch.Dashboard:
    """API, functions and queues: traffic, errors, latency, backlog."""
    return cloudwatch.Dashboard(
        scope,
        construct_id,
        dashboard_name=name,
        widgets=[
            [
                _graph("API calls and errors", [api.requests, api.client_errors, api.server_errors]),
                _graph("API latency, p95 (ms)", [api.latency]),
            ],
            [
                _graph("Function calls", [lambda_metric(f, "Invocations") for f in functions]),
                _graph("Function errors", [lambda_metric(f, "Errors") for f in functions]),
                _graph(
                    "Function duration, p95 (ms)", [lambda_metric(f, "Duration", "p95") for f in functions]
                ),
            ],
            [
                _graph("Oldest message (s)", [queue_metric(q, OLDEST) for q in queues]),
                _graph(
                    "Waiting messages",
                    [queue_metric(q, DEPTH) for q in queues],
                ),
                _graph(
                    "Dead letters",
                    [queue_metric(q, DEPTH) for q in dead_letters],
                ),
            ],
        ],
    )


def business_dashboard(scope: Construct, construct_id: str, *, name: str) -> cloudwatch.Dashboard:
    """Jobs started, completed and failed, their duration and the lateness of webhooks; how the providers do."""
    return cloudwatch.Dashboard(
        scope,
        construct_id,
        dashboard_name=name,
        widgets=[
            [_search("Jobs started", "JobStarted", "Sum")],
            [_search("Jobs completed", "JobCompleted", "Sum"), _search("Jobs failed", "JobFailed", "Sum")],
            [
                _search("Processing time, median", "ProcessingTime", "p50"),
                _search("Processing time, p95", "ProcessingTime", "p95"),
                _search("Webhook latency, p95", "WebhookLatency", "p95"),
            ],
            [
                _search("Provider calls failed", "ProviderCallFailed", "Sum"),
                _search("Circuits opened", "CircuitOpened", "Sum"),
                _search("Pauses asked for by providers", "ProviderPaused", "Sum"),
            ],
        ],
    )


def _graph(title: str, metrics: Sequence[cloudwatch.Metric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=[*metrics], width=8, height=6)


def _search(title: str, metric: str, statistic: str) -> cloudwatch.GraphWidget:
    """A line per model or provider, found when the dashboard is shown: new ones need no deployment."""
    expression = f"SEARCH('Namespace=\"{NAMESPACE}\" MetricName=\"{metric}\"', '{statistic}', 300)"
    series = cloudwatch.MathExpression(expression=expression, using_metrics={}, label="", period=_PERIOD)
    return cloudwatch.GraphWidget(title=title, left=[series], width=12 if "Jobs" in title else 8, height=6)
