"""DynamoDB tables: keys, indexes, time to live."""

from local.aws import arn
from local.resources.kind import Json, Kind, Resource, World, kind
from local.template import ResourceState


def _table(resource: Resource, world: World) -> ResourceState:
    given = resource.properties
    name = resource.physical_name("TableName")
    request: Json = {
        key: given[key]
        for key in ("AttributeDefinitions", "KeySchema", "LocalSecondaryIndexes", "StreamSpecification")
        if key in given
    }
    indexes = [
        {key: value for key, value in index.items() if key in {"IndexName", "KeySchema", "Projection"}}
        for index in given.get("GlobalSecondaryIndexes", [])
    ]
    if indexes:
        request["GlobalSecondaryIndexes"] = indexes
    client = world.aws.client("dynamodb")
    client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **request)
    if "TimeToLiveSpecification" in given:
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=given["TimeToLiveSpecification"])
    client.close()
    return ResourceState(ref=name, attributes={"Arn": arn("dynamodb", f"table/{name}")})


KINDS: dict[str, Kind] = {
    "AWS::DynamoDB::Table": kind(
        _table,
        used="TableName AttributeDefinitions KeySchema GlobalSecondaryIndexes LocalSecondaryIndexes"
        " TimeToLiveSpecification",
        harmless="BillingMode ProvisionedThroughput OnDemandThroughput PointInTimeRecoverySpecification"
        " DeletionProtectionEnabled SSESpecification Tags TableClass ContributorInsightsSpecification",
    )
}
