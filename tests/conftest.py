"""Fixtures that many tests share: real Postgres with the migrations, and a clean record for each test."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.migrations import migrate_up
from lib.stores.postgres.record import PostgresRecord
from local.backing import Moto, Postgres, Redis

TABLES = "users, api_keys, jobs, attempts, outputs, processing_timeline, idempotency_keys, outbox"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """An embedded Postgres with the schema, one for each test process."""
    server = Postgres(Path(tmp_path_factory.mktemp("postgres")))
    server.start()
    migrate_up(server.url)
    yield server
    server.stop()


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """The address of an empty record."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"truncate {TABLES} restart identity cascade")
    return postgres.url


@pytest.fixture
def record(postgres_url: str) -> Iterator[PostgresRecord]:
    """The real record, empty."""
    connection = RecordConnection(lambda: postgres_url)
    yield PostgresRecord(connection)
    connection.close()


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
