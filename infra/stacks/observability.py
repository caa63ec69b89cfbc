"""Alarms and dashboards. They refer to resources by fixed names, so the stack can go and come back."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.constructs.access_metrics import AccessMetrics
from infra.constructs.alarms import Alarms
from infra.constructs.dashboards import business_dashboard, resource_dashboard
from infra.settings import InfraSettings
from infra.stacks.app import AppStack

# Advance messages wait on purpose (a delayed poll, a provider that is away), but not this long.
_ADVANCE_AGE_SECONDS = 900
_STORE_AGE_SECONDS = 1800
_SUBMIT_AGE_SECONDS = 1800


class ObservabilityStack(Stack):
    """Watches `application`; `topic` is where its alarms arrive."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: InfraSettings, application: AppStack
    ) -> None:
        super().__init__(
            scope, construct_id, description=f"VSL media gateway, {settings.stage}: alarms and dashboards"
        )
        self.add_stack_dependency(application)
        self.topic = self._topic(settings)
        self._api = AccessMetrics(self, "Api", settings=settings)
        self._alarms(settings, application)
        self._dashboards(settings, application)
        CfnOutput(self, "AlarmTopicArn", value=self.topic.topic_arn)

    def _topic(self, settings: InfraSettings) -> sns.Topic:
        topic = sns.Topic(self, "AlarmTopic", topic_name=settings.name("alarms"), enforce_ssl=True)
        if settings.alarm_email:
            topic.add_subscription(subscriptions.EmailSubscription(settings.alarm_email))
        return topic

    def _alarms(self, settings: InfraSettings, application: AppStack) -> None:
        alarms = Alarms(self, "Alarms", settings=settings, topic=self.topic)
        alarms.on_functions(application.function_names)
        alarms.on_dead_letters(application.dead_letter_names)
        alarms.on_queue_age(application.advance_queue.name, seconds=_ADVANCE_AGE_SECONDS)
        alarms.on_queue_age(application.store_queue.name, seconds=_STORE_AGE_SECONDS)
        alarms.on_queue_age(application.submit_queue.name, seconds=_SUBMIT_AGE_SECONDS)
        alarms.on_server_errors(self._api.server_errors)

    def _dashboards(self, settings: InfraSettings, application: AppStack) -> None:
        resource_dashboard(
            self,
            "Resources",
            name=settings.name("resources"),
            api=self._api,
            functions=application.function_names,
            queues=[
                application.advance_queue.name,
                application.store_queue.name,
                application.submit_queue.name,
            ],
            dead_letters=application.dead_letter_names,
        )
        business_dashboard(self, "Business", name=settings.name("business"))
