"""Resource types that have no effect on a laptop, accepted by name. All others must be implemented."""

from local.resources.kind import Kind, Resource, World
from local.template import ResourceState

_TYPES = (
    "AWS::CDK::Metadata",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::QueryDefinition",
    "AWS::Logs::ResourcePolicy",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SecretsManager::ResourcePolicy",
)


def _nothing(resource: Resource, _world: World) -> ResourceState:
    return ResourceState(ref=f"{resource.stack}-{resource.logical_id}", placeholder=True)


KINDS: dict[str, Kind] = dict.fromkeys(_TYPES, Kind(create=_nothing))
