"""Brings the record's schema up to date, or back: plain SQL files, each once and whole, by one migrator at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lib.domain.errors import ConfigurationError
from lib.stores.postgres.migrations.files import MIGRATIONS, load_migrations, load_rollback
from lib.stores.postgres.migrations.guard import only_migrator
from lib.stores.postgres.migrations.ledger import applied, check_files, ensure_ledger, faults
from lib.stores.postgres.migrations.limits import Limits
from lib.stores.postgres.migrations.run import run
from lib.stores.postgres.migrator import Connection, connect
from lib.stores.postgres.roles import ensure_roles

Log = Callable[[str], None]

_APPLIED = "insert into schema_migrations (name, checksum, applied_at) values (%s, %s, now())"
_TAKEN_BACK = "delete from schema_migrations where name = %s"


def _nobody(_line: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Status:
    """What was applied, what waits, what a newer version applied, and what is wrong with the files; by name."""

    applied: tuple[str, ...]
    waiting: tuple[str, ...]
    newer: tuple[str, ...]
    faults: tuple[str, ...]


def migrate_up(
    url: str,
    directory: Path = MIGRATIONS,
    *,
    steps: int | None = None,
    limits: Limits = Limits(),  # noqa: B008 - it is frozen
    log: Log = _nobody,
) -> list[str]:
    """Apply what is missing, at most `steps` files, and return the names; run twice, the second run applies nothing.

    Makes the group roles first where they are missing.

    Raises:
        ConfigurationError: a file was edited after it was applied, is missing or came too late; this login may not
            migrate; or a migration fails: the message names the file and Postgres's reason.
        psycopg.OperationalError: there is no connection.
    """
    done: list[str] = []
    with only_migrator(url, limits, log) as check, connect(url) as connection:
        ensure_roles(connection)
        ensure_ledger(connection)
        files, held = load_migrations(directory), applied(connection)
        check_files(held, files)
        for file in [file for file in files if file.name not in held][:steps]:
            check()
            run(connection, file, (_APPLIED, (file.name, file.checksum)), limits, log)
            done.append(file.name)
            log(f"applied {file.name}")
    return done


def migrate_down(
    url: str,
    steps: int | None = None,
    directory: Path = MIGRATIONS,
    *,
    limits: Limits = Limits(),  # noqa: B008 - it is frozen
    log: Log = _nobody,
) -> list[str]:
    """Take back the last `steps` migrations, or all, the last first, and return their names. Data is lost.

    No deploy and no rollback calls it. Raises as `migrate_up` does, and ConfigurationError before anything is done
    where a file that takes one back is missing.
    """
    done: list[str] = []
    with only_migrator(url, limits, log) as check, connect(url) as connection:
        for file in [load_rollback(directory, name) for name in _last(connection, steps)]:
            check()
            run(connection, file, (_TAKEN_BACK, (file.name,)), limits, log)
            done.append(file.name)
            log(f"took back {file.name}")
    return done


def what_down_would_do(url: str, steps: int | None = None) -> list[str]:
    """The names that `migrate_down` would take back, the last first."""
    with connect(url) as connection:
        return _last(connection, steps)


def migration_status(url: str, directory: Path = MIGRATIONS) -> Status:
    """What was applied here and what was not; it changes nothing."""
    with connect(url) as connection:
        held = applied(connection)
    files = load_migrations(directory)
    names = [file.name for file in files]
    return Status(
        applied=tuple(held),
        waiting=tuple(name for name in names if name not in held),
        newer=tuple(name for name in held if name > max(names, default="")),
        faults=tuple(faults(held, files)),
    )


def _last(connection: Connection, steps: int | None) -> list[str]:
    if steps is not None and steps < 0:
        raise ConfigurationError(f"steps must be 0 or more, not {steps}")
    return list(reversed(applied(connection)))[:steps]
