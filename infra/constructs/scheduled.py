"""An EventBridge rule that calls a function at a fixed rate with a constant event."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.settings import InfraSettings


class Scheduled(Construct):
    """A schedule; `rule` is the rule. The event holds no time: the function reads its own clock."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: InfraSettings,
        name: str,
        every: Duration,
        function: lambda_.IFunction,
        event: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        self.rule = events.Rule(
            self,
            "Rule",
            rule_name=settings.name(name),
            schedule=events.Schedule.rate(every),
            targets=[targets.LambdaFunction(function, event=events.RuleTargetInput.from_object(dict(event)))],
        )
