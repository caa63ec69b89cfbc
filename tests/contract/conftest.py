"""Real servers for the conformance suites, one of each for a test process."""

from collections.abc import Iterator

import pytest

from local.backing import Moto, Redis
from tests.fakes.aws_tables import REGION


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Redis; tests share it and use keys of their own."""
    with Redis(tmp_path_factory.mktemp("redis") / "data") as server:
        yield server


@pytest.fixture(scope="session")
def moto_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """AWS by moto; tests share it and use tables and queues of their own."""
    with Moto(tmp_path_factory.mktemp("moto") / "data") as server:
        yield server


@pytest.fixture
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a function finds in its environment: a region and credentials (that open nothing)."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
