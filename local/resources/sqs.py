"""SQS queues with visibility, delay, redrive policy."""

import json

from local.aws import arn
from local.resources.kind import Kind, Resource, World, kind
from local.template import ResourceState

_PLAIN = (
    "VisibilityTimeout",
    "DelaySeconds",
    "MessageRetentionPeriod",
    "MaximumMessageSize",
    "ReceiveMessageWaitTimeSeconds",
    "FifoQueue",
    "ContentBasedDeduplication",
)


def _queue(resource: Resource, world: World) -> ResourceState:
    given = resource.properties
    name = resource.physical_name("QueueName")
    attributes = {key: _text(given[key]) for key in _PLAIN if key in given}
    if "RedrivePolicy" in given:
        attributes["RedrivePolicy"] = json.dumps(given["RedrivePolicy"])
    client = world.aws.client("sqs")
    url = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    client.close()
    return ResourceState(ref=url, attributes={"Arn": arn("sqs", name), "QueueName": name, "QueueUrl": url})


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


KINDS: dict[str, Kind] = {
    "AWS::SQS::Queue": kind(
        _queue,
        used=f"QueueName RedrivePolicy {' '.join(_PLAIN)}",
        harmless="SqsManagedSseEnabled KmsMasterKeyId KmsDataKeyReusePeriodSeconds RedriveAllowPolicy Tags",
    )
}
