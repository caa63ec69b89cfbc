"""The two tables and a queue on moto's server, with the keys and indexes of `infra/stacks/data.py`."""

from typing import Any

import boto3

REGION = "us-east-1"


def aws_client(service: str, endpoint_url: str) -> Any:
    """A boto3 client of moto's server, with credentials that open nothing else."""
    return boto3.client(
        service,
        endpoint_url=endpoint_url,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def create_jobs_table(endpoint_url: str, name: str) -> None:
    """The table `realtime-jobs` under this name."""
    strings = ["jobId", "userId", "createdAt", "providerKey", "pollShard"]
    attributes = [{"AttributeName": attribute, "AttributeType": "S"} for attribute in strings]
    client = aws_client("dynamodb", endpoint_url)
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[*attributes, {"AttributeName": "nextPollAt", "AttributeType": "N"}],
        KeySchema=_keys("jobId"),
        GlobalSecondaryIndexes=[
            _index("UserIdIndex", "ALL", "userId", "createdAt"),
            _index("ReplicateIdIndex", "KEYS_ONLY", "providerKey"),
            _index("InFlightIndex", "KEYS_ONLY", "pollShard", "nextPollAt"),
        ],
    )
    client.close()


def create_cache_table(endpoint_url: str, name: str) -> None:
    """The table `gateway-cache` under this name."""
    client = aws_client("dynamodb", endpoint_url)
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=_keys("pk"),
    )
    client.close()


def _index(name: str, projection: str, *keys: str) -> dict[str, Any]:
    return {"IndexName": name, "KeySchema": _keys(*keys), "Projection": {"ProjectionType": projection}}


def _keys(partition: str, *sort: str) -> list[dict[str, str]]:
    keys = [{"AttributeName": partition, "KeyType": "HASH"}]
    return keys + [{"AttributeName": name, "KeyType": "RANGE"} for name in sort]
