"""The alarms: what must wake somebody, each with a description that says what to look at."""

from collections.abc import Iterable

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.settings import InfraSettings

DEPTH = "ApproximateNumberOfMessagesVisible"
OLDEST = "ApproximateAgeOfOldestMessage"
_PERIOD = Duration.minutes(5)


def lambda_metric(function_name: str, metric: str, statistic: str = "Sum") -> cloudwatch.Metric:
    """A metric of AWS/Lambda for one function, by its physical name."""
    return _metric("AWS/Lambda", metric, {"FunctionName": function_name}, statistic)


def queue_metric(queue_name: str, metric: str, statistic: str = "Maximum") -> cloudwatch.Metric:
    """A metric of AWS/SQS for one queue, by its physical name."""
    return _metric("AWS/SQS", metric, {"QueueName": queue_name}, statistic)


def _metric(namespace: str, name: str, dimensions: dict[str, str], statistic: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=_PERIOD,
    )


class Alarms(Construct):
    """Alarms that report to `topic`; silence of a metric is not an alarm, since idle is a normal state."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: InfraSettings, topic: sns.ITopic
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._action = actions.SnsAction(topic)

    def on_functions(self, names: Iterable[str]) -> None:
        """One error or one throttle of a function within five minutes."""
        for name in names:
            self._alarm(f"{name}-errors", lambda_metric(name, "Errors"), 1, "raised; see its log group")
            self._alarm(f"{name}-throttles", lambda_metric(name, "Throttles"), 1, "ran out of concurrency")

    def on_dead_letters(self, names: Iterable[str]) -> None:
        """The first message in a dead-letter queue: a bug, since waiting never wears out a message."""
        for name in names:
            metric = queue_metric(name, DEPTH)
            self._alarm(f"{name}-depth", metric, 1, "holds messages; fix the cause, then redrive")

    def on_queue_age(self, name: str, *, seconds: int) -> None:
        """A message that waited longer than `seconds`: the workers do not keep up."""
        metric = queue_metric(name, OLDEST)
        self._alarm(f"{name}-age", metric, seconds, f"has a message older than {seconds} s")

    def on_server_errors(self, metric: cloudwatch.Metric) -> None:
        """Five answers of the 5xx kind within five minutes; `metric` counts them."""
        self._alarm(self._settings.name("api-5xx"), metric, 5, "answered 5xx; see the functions' logs")

    def _alarm(self, name: str, metric: cloudwatch.Metric, threshold: int, meaning: str) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name.removeprefix(self._settings.name("")).title().replace("-", ""),
            alarm_name=name,
            alarm_description=f"{name.rpartition('-')[0]} {meaning}",
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(self._action)
