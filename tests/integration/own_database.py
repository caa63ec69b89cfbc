"""Databases that a test has for itself, owned by a migrator that is no superuser."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg

from lib.database.programs import run_program
from lib.stores.postgres.catalog import Catalog, read_catalog
from lib.stores.postgres.migrator import connect
from local.backing import Postgres, RecordDatabase


@contextmanager
def own_database(postgres: Postgres) -> Iterator[RecordDatabase]:
    """An empty database with the logins of the tests' record."""
    database = RecordDatabase(postgres, name=f"own_{uuid4().hex}", stage="test")
    database.make()
    try:
        yield database
    finally:
        database.drop()


def catalog_of(url: str) -> Catalog:
    """What the database consists of."""
    with connect(url) as connection:
        return read_catalog(connection)


def dump_of(url: str) -> str:
    """`pg_dump --schema-only`, without the random word in its first and last lines."""
    text = run_program("pg_dump", url, "--schema-only", "--role=vsl_owner")
    return "\n".join(
        line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))
    )


def tables_of(url: str) -> set[str]:
    """The names of its tables."""
    return {str(row[0]) for row in rows(url, "select tablename from pg_tables where schemaname = 'public'")}


def rows(url: str, sql: str) -> list[tuple[object, ...]]:
    """What the owner reads."""
    with psycopg.connect(url) as connection:
        return connection.execute(sql.encode()).fetchall()
