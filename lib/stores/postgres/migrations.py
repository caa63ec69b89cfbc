"""Brings the record's schema up to date: plain SQL files, each once and whole, by one migrator at a time."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from lib.domain.errors import ConfigurationError

MIGRATIONS = Path(__file__).resolve().parents[3] / "database" / "migrations"
ADVISORY_LOCK = 7_305_818  # any fixed number: it keeps two migrators apart
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
    return [Migration(path.stem, path.read_text()) for path in files]


def migrate_up(
    url: str, directory: Path = MIGRATIONS, *, log: Callable[[str], None] = lambda _line: None
) -> list[str]:
    """Apply what is missing and return the names applied; run twice, the second run applies nothing.

    Raises:
        ConfigurationError: a file that was applied has been edited since, or a migration fails: the message
            names the file and Postgres's reason, and everything it did is undone.
    """
    applied: list[str] = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set lock_timeout = '10s'")
        connection.execute("set statement_timeout = '120s'")
        connection.execute("select pg_advisory_lock(%s)", (ADVISORY_LOCK,))
        connection.execute(LEDGER)
        done: dict[str, str] = dict(
            connection.execute("select name, checksum from schema_migrations").fetchall()
        )
        for migration in load_migrations(directory):
            if migration.name in done:
                _check_unedited(migration, done[migration.name])
                continue
            _apply(connection, migration)
            applied.append(migration.name)
            log(f"applied {migration.name}")
    return applied


def _check_unedited(migration: Migration, checksum: str) -> None:
    if migration.checksum != checksum:
        msg = f"migration {migration.name} was edited after it had been applied; write a new one instead"
        raise ConfigurationError(msg)


def _apply(connection: psycopg.Connection, migration: Migration) -> None:
    try:
        with connection.transaction():
            connection.execute(migration.sql.encode())
            connection.execute(
                "insert into schema_migrations (name, checksum) values (%s, %s)",
                (migration.name, migration.checksum),
            )
    except psycopg.Error as error:
        msg = f"migration {migration.name} failed and was undone: {str(error).strip()}"
        raise ConfigurationError(msg) from error
