"""SNS topics. Nobody subscribes on a laptop: alarms have no effect there."""

from local.aws import arn
from local.resources.kind import Kind, Resource, World, kind
from local.template import ResourceState


def _topic(resource: Resource, world: World) -> ResourceState:
    name = resource.physical_name("TopicName")
    client = world.aws.client("sns")
    client.create_topic(Name=name)
    client.close()
    topic_arn = arn("sns", name)
    return ResourceState(ref=topic_arn, attributes={"TopicArn": topic_arn, "TopicName": name})


KINDS: dict[str, Kind] = {
    "AWS::SNS::Topic": kind(_topic, used="TopicName", harmless="DisplayName KmsMasterKeyId Tags")
}
