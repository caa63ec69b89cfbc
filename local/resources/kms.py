"""KMS keys and their aliases: real ones in the local AWS."""

import json

from local.aws import arn
from local.resources.kind import Kind, Resource, World, kind
from local.template import ResourceState


def _key(resource: Resource, world: World) -> ResourceState:
    given = resource.properties
    client = world.aws.client("kms")
    made = client.create_key(
        Policy=json.dumps(resource.require("KeyPolicy")), Description=given.get("Description", "")
    )["KeyMetadata"]
    if given.get("EnableKeyRotation"):
        client.enable_key_rotation(KeyId=made["KeyId"])
    client.close()
    return ResourceState(ref=made["KeyId"], attributes={"Arn": made["Arn"], "KeyId": made["KeyId"]})


def _alias(resource: Resource, world: World) -> ResourceState:
    name = str(resource.require("AliasName"))
    client = world.aws.client("kms")
    client.create_alias(AliasName=name, TargetKeyId=resource.require("TargetKeyId"))
    client.close()
    return ResourceState(ref=name, attributes={"Arn": arn("kms", name)})


KINDS: dict[str, Kind] = {
    "AWS::KMS::Key": kind(_key, used="KeyPolicy Description EnableKeyRotation", harmless="Tags"),
    "AWS::KMS::Alias": kind(_alias, used="AliasName TargetKeyId"),
}
