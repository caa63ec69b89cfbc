"""Migrations as files: each a name, its SQL, and how to take it back."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from lib.domain.errors import ConfigurationError

MIGRATIONS = Path(__file__).resolve().parents[4] / "database" / "migrations"
NO_TRANSACTION = "-- no transaction"


@dataclass(frozen=True)
class Migration:
    """One file: `name` without its ending, and its SQL."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """The SHA-256 of the SQL: it changes when the file is edited."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def in_transaction(self) -> bool:
        """Whether all of it happens or nothing; else its first line is `-- no transaction`."""
        return self.sql.partition("\n")[0].strip() != NO_TRANSACTION


def load_migrations(directory: Path = MIGRATIONS) -> list[Migration]:
    """All migrations of a directory, in the order of their names; `.down.sql` files are their rollbacks."""
    files = sorted(path for path in directory.glob("*.sql") if not path.name.endswith(".down.sql"))
    return [Migration(path.stem, path.read_text(encoding="utf-8")) for path in files]


def load_rollback(directory: Path, name: str) -> Migration:
    """What takes the migration `name` back. Raises ConfigurationError where there is no such file."""
    path = directory / f"{name}.down.sql"
    if not path.is_file():
        raise ConfigurationError(f"migration {name} cannot be taken back: there is no {path.name}")
    return Migration(name, path.read_text(encoding="utf-8"))
