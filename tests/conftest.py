"""Fixtures that many tests share: real Postgres with the migrations, and a clean record for each test.

The record is reached as on AWS: `owner_url` is the migrator, `worker_url` and `api_url` are bound by policies. Only
`superuser_url`, which exists in tests alone, sees everything at once.
"""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.logins import ensure_login
from lib.stores.postgres.migrations import migrate_up
from lib.stores.postgres.migrator import connect
from lib.stores.postgres.record import PostgresRecord
from lib.stores.postgres.roles import Group
from local.backing import Moto, Postgres, RecordDatabase, Redis

RECORD = {"name": "vsl_test", "stage": "test"}
KEPT = ["schema_migrations", "database_options", "health_probe"]
"""Tables whose rows come from the migrations."""


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """An embedded Postgres with the record's database and logins, one for each test process.

    Its `url` is the superuser's, beside the record. A test that needs another database with the same logins makes
    a `RecordDatabase` of the stage "test" and another name.
    """
    with Postgres(Path(tmp_path_factory.mktemp("postgres"))) as server:
        database = RecordDatabase(server, **RECORD)
        database.make()
        migrate_up(database.owner_url)
        with connect(database.owner_url) as connection:
            ensure_login(connection, database.api_url, Group.API)
            ensure_login(connection, database.worker_url, Group.WORKER)
        yield server


@pytest.fixture(scope="session")
def record_database(postgres: Postgres) -> RecordDatabase:
    """The record, as the tests before left it."""
    return RecordDatabase(postgres, **RECORD)


@pytest.fixture
def empty_record(record_database: RecordDatabase) -> RecordDatabase:
    """The record, emptied."""
    with psycopg.connect(record_database.superuser_url, autocommit=True) as connection:
        rows = connection.execute(
            "select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace"
            " and c.relkind in ('r', 'p') and c.relname <> all (%s)",
            [KEPT],
        ).fetchall()
        tables = sql.SQL(", ").join(sql.Identifier(str(name)) for (name,) in rows)
        connection.execute(sql.SQL("truncate {} restart identity cascade").format(tables))
    return record_database


@pytest.fixture
def postgres_url(worker_url: str) -> str:
    """The address of an empty record, for those who work on it."""
    return worker_url


@pytest.fixture
def worker_url(empty_record: RecordDatabase) -> str:
    """An empty record, as the workers and the sweep reach it."""
    return empty_record.worker_url


@pytest.fixture
def api_url(empty_record: RecordDatabase) -> str:
    """An empty record, as the functions reach it that answer callers: without an actor they see nothing."""
    return empty_record.api_url


@pytest.fixture
def owner_url(empty_record: RecordDatabase) -> str:
    """An empty record, as migrations and operators reach it."""
    return empty_record.owner_url


@pytest.fixture
def superuser_url(empty_record: RecordDatabase) -> str:
    """An empty record, as nobody reaches it outside of tests: no policy holds."""
    return empty_record.superuser_url


@pytest.fixture
def record(worker_url: str) -> Iterator[PostgresRecord]:
    """The real record, empty, as workers have it."""
    yield from _record(worker_url)


@pytest.fixture
def api_record(api_url: str) -> Iterator[PostgresRecord]:
    """The real record, empty, as the functions have it that answer callers."""
    yield from _record(api_url)


def _record(url: str) -> Iterator[PostgresRecord]:
    connection = RecordConnection(lambda: url)
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
