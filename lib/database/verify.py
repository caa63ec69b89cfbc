"""Compares a live database with the migrations that this version of the code comes with."""

from pathlib import Path

from lib.database.differences import differences
from lib.database.schema_file import SCHEMA_FILE, committed_catalog
from lib.stores.postgres.catalog import Catalog, read_catalog
from lib.stores.postgres.migrations import MIGRATIONS, migration_status
from lib.stores.postgres.migrator import connect


def verify(url: str, *, directory: Path = MIGRATIONS, schema: Path = SCHEMA_FILE) -> list[str]:
    """Every difference as a sentence: files edited, missing or waiting, then the catalog; none if all is well.

    Raises:
        ConfigurationError: there is no readable `schema.json`, or the address cannot be read.
        psycopg.OperationalError: there is no connection.
    """
    status = migration_status(url, directory)
    found = list(status.faults)
    found += [f"migration {name} has not been applied" for name in status.waiting]
    found += [f"migration {name} is newer than this code" for name in status.newer]
    return found + differences(committed_catalog(schema), live_catalog(url))


def live_catalog(url: str) -> Catalog:
    """What the database consists of now."""
    with connect(url) as connection:
        return read_catalog(connection)
