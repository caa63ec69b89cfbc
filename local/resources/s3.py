"""S3 buckets. Lifecycle, encryption and public access have no effect on a laptop."""

from local.resources.kind import Kind, Resource, World, kind
from local.template import ResourceState


def _bucket(resource: Resource, world: World) -> ResourceState:
    name = resource.physical_name("BucketName").lower()
    client = world.aws.client("s3")
    client.create_bucket(Bucket=name)
    if "CorsConfiguration" in resource.properties:
        client.put_bucket_cors(Bucket=name, CORSConfiguration=_cors(resource))
    client.close()
    return ResourceState(
        ref=name,
        attributes={
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.amazonaws.com",
        },
    )


def _cors(resource: Resource) -> dict[str, object]:
    names = {"MaxAge": "MaxAgeSeconds", "ExposedHeaders": "ExposeHeaders", "Id": "ID"}
    rules = resource.properties["CorsConfiguration"]["CorsRules"]
    return {"CORSRules": [{names.get(key, key): value for key, value in rule.items()} for rule in rules]}


KINDS: dict[str, Kind] = {
    "AWS::S3::Bucket": kind(
        _bucket,
        used="BucketName CorsConfiguration",
        harmless="BucketEncryption PublicAccessBlockConfiguration LifecycleConfiguration OwnershipControls"
        " Tags LoggingConfiguration AccessControl MetricsConfigurations InventoryConfigurations",
    )
}
