"""Brings the record's schema up to date: plain SQL files, each once and whole, by one migrator at a time."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from lib.domain.errors import ConfigurationError

MIGRATIONS = Path(__file__).resolve().parents[3] / "database" / "migrations"
ADVISORY_LOCK = 7_305_818  # any fixed number: it keeps two migrators apart
CONNECT_SECONDS = 60  # a database that pauses when idle takes its time to wake up
LIMITS = "set local lock_timeout = '10s'; set local statement_timeout = '120s'"
LEDGER = """
create table if not exists schema_migrations (
    name       text primary key,
    checksum   text not null,
    applied_at timestamptz not null default now()
)
"""


@dataclass(frozen=True)
class Migration:
    """One file: `name` without its ending, its SQL, and the SHA-256 of that SQL."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Changes when the file is edited."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load_migrations(directory: Path = MIGRATIONS) -> list[Migration]:
    """All migrations of a directory, in the order of their names; `.down.sql` files are their rollbacks."""
    files = sorted(path for path in directory.glob("*.sql") if not path.name.endswith(".down.sql"))
    return [Migration(path.stem, path.read_text(encoding="utf-8")) for path in files]


def migrate_up(
    url: str, directory: Path = MIGRATIONS, *, log: Callable[[str], None] = lambda _line: None
) -> list[str]:
    """Apply what is missing and return the names applied; run twice, the second run applies nothing.

    Each file is one transaction, and the lock lives as long as that: it holds behind a connection pool that
    gives every transaction another connection, too.

    migrator A   lock   001: applied   commit        lock   002: done before
    migrator B     lock .................. 001: done before   lock   002: applied   commit

    Raises:
        ConfigurationError: a file that was applied has been edited since, or a migration fails: the message
            names the file and Postgres's reason, and everything it did is undone.
        psycopg.OperationalError: there is no connection.
    """
    applied: list[str] = []
    with psycopg.connect(
        url, autocommit=True, connect_timeout=CONNECT_SECONDS, prepare_threshold=None
    ) as connection:
        for migration in load_migrations(directory):
            if _apply(connection, migration):
                applied.append(migration.name)
                log(f"applied {migration.name}")
    return applied


def _apply(connection: psycopg.Connection, migration: Migration) -> bool:
    """Whether the migration was missing; it is there now."""
    try:
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", (ADVISORY_LOCK,))
            connection.execute(LIMITS)
            if _is_applied(connection, migration):
                return False
            connection.execute(migration.sql.encode())
            connection.execute(
                "insert into schema_migrations (name, checksum) values (%s, %s)",
                (migration.name, migration.checksum),
            )
    except psycopg.Error as error:
        msg = f"migration {migration.name} failed and was undone: {str(error).strip()}"
        raise ConfigurationError(msg) from error
    return True


def _is_applied(connection: psycopg.Connection, migration: Migration) -> bool:
    connection.execute(LEDGER)
    found = connection.execute(
        "select checksum from schema_migrations where name = %s", (migration.name,)
    ).fetchone()
    if found is not None and found[0] != migration.checksum:
        msg = f"migration {migration.name} was edited after it had been applied; write a new one instead"
        raise ConfigurationError(msg)
    return found is not None
