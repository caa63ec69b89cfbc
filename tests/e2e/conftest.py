"""One local cloud for the end-to-end suite: the template, the functions, real stores and the simulator, over HTTP."""

import base64
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud import LocalCloud
from local.settings import CloudSettings
from tests.e2e.caller import Caller
from tests.e2e.door import Door

MASTER_KEY, OTHER_MASTER_KEY = (base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(2))
"""The key that seals users' own, and the one that all are wrapped under anew: the functions know both."""


@pytest.fixture(scope="session")
def dynamodb_door() -> Iterator[Door]:
    """The functions' way to DynamoDB: on AWS it fails apart from queues and secrets, here it shares their process."""
    door = Door()
    yield door
    door.close()


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory, dynamodb_door: Door) -> Iterator[LocalCloud]:
    """A running cloud; a provider that was silent for two seconds may be asked."""
    directory = Path(tmp_path_factory.mktemp("cloud")) / ".local"
    settings = CloudSettings(
        port=0,
        directory=directory,
        parameters={
            "PollAfterSeconds": "2",
            "MaxOutputBytes": str(20 * 1024 * 1024),
            "RateLimitPerHour": "100000",
            "UnpricedModels": "allowed",
        },
        environment={
            "AWS_ENDPOINT_URL_DYNAMODB": dynamodb_door.url,
            "ENCRYPTION_KEY": MASTER_KEY,
            "ENCRYPTION_KEYS_RETIRED": OTHER_MASTER_KEY,
        },
    )
    with LocalCloud(settings) as cloud:
        assert cloud.endpoints is not None
        dynamodb_door.target = cloud.endpoints.aws_endpoint_url
        yield cloud


@pytest.fixture
def caller(cloud: LocalCloud) -> Iterator[Caller]:
    """A developer with an API key."""
    with Caller(cloud) as caller:
        yield caller
