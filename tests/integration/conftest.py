"""Fixtures that several files here share: the services around an empty record, and a record with many rows to read."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from lib.stores.postgres.logins import ensure_login
from lib.stores.postgres.migrations import migrate_up
from lib.stores.postgres.migrator import connect
from lib.stores.postgres.record import PostgresRecord
from lib.stores.postgres.roles import Group
from local.backing import Postgres, RecordDatabase
from tests.fakes.tier import FakeTier
from tests.integration.filled_record import fill
from tests.integration.world import World

FILLED_JOBS = 20_000
FILLED_DAYS = 40


@pytest.fixture
def world(record: PostgresRecord) -> World:
    """The services around an empty record, with one mirror."""
    return World(record, [FakeTier()])


@pytest.fixture(scope="session")
def filled(postgres: Postgres) -> Iterator[RecordDatabase]:
    """20,000 jobs of the last 40 days with all that belongs to them, and an admin called root; not to be changed."""
    database = RecordDatabase(postgres, name="filled_test", stage="test")
    database.make()
    migrate_up(database.owner_url)
    with connect(database.owner_url) as connection:
        ensure_login(connection, database.api_url, Group.API)
        ensure_login(connection, database.worker_url, Group.WORKER)
    fill(database.superuser_url, jobs=FILLED_JOBS, until=datetime.now(UTC), days=FILLED_DAYS)
    yield database
    database.drop()


class Raw:
    """All rows of a table, as dicts of what Postgres holds, read once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._tables: dict[str, list[dict[str, Any]]] = {}

    def __getitem__(self, table: str) -> list[dict[str, Any]]:
        if table not in self._tables:
            with psycopg.connect(self._url, row_factory=dict_row) as connection:
                query = sql.SQL("select * from {}").format(sql.Identifier(table))
                self._tables[table] = connection.execute(query).fetchall()
        return self._tables[table]


@pytest.fixture(scope="session")
def raw(filled: RecordDatabase) -> Raw:
    """The rows of the filled record: `raw["jobs"]`."""
    return Raw(filled.superuser_url)
