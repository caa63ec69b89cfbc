"""One local cloud for the end-to-end suite: the template, the functions, real stores and the simulator, over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud import LocalCloud
from local.settings import CloudSettings
from tests.e2e.caller import Caller

SWEEP = "vsl-local-check-replicate-status"


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A running cloud; a provider that was silent for two seconds may be asked."""
    directory = Path(tmp_path_factory.mktemp("cloud")) / ".local"
    settings = CloudSettings(
        port=0,
        directory=directory,
        parameters={
            "PollAfterSeconds": "2",
            "MaxOutputBytes": str(20 * 1024 * 1024),
            "RateLimitPerHour": "100000",
        },
        warm=True,
    )
    with LocalCloud(settings) as cloud:
        yield cloud


@pytest.fixture
def caller(cloud: LocalCloud) -> Iterator[Caller]:
    """A developer with an API key."""
    with Caller(cloud) as caller:
        yield caller
