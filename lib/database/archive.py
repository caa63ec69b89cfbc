"""Backup and restore, whole or not at all, by a login that owns the record and is no superuser."""

import os
import tempfile
from pathlib import Path

from lib.database.programs import run_program
from lib.domain.errors import ConfigurationError
from lib.stores.postgres.migrator import connect
from lib.stores.postgres.roles import Group, ensure_roles

_AS_OWNER = f"--role={Group.OWNER}"
_WITHOUT_LARGE_OBJECTS = (
    "-B"  # the record has none, and one that any login made would be the end of every backup
)
_PATIENCE = "60s"
"""How long a backup waits for a table that somebody holds."""
_NOT_EMPTY = """
select 'table or view ' || c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
  and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
union all
select 'function ' || p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
limit 1
"""


def backup(url: str, file: Path) -> int:
    """Write everything of one moment into `file` (pg_dump's custom format) and return its size in bytes.

    FORCE ROW LEVEL SECURITY holds for the owner too, and pg_dump refuses filtered rows unless it is told that they
    are wanted: the owner's policies filter nothing, so all rows are written. The file appears when it is whole, is
    readable by its owner alone, and holds what people asked for: keep it as safe as the database.

    Raises ConfigurationError: pg_dump is missing or too old, or failed, or waited for a lock in vain; the directory
    cannot be written to.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".partial", dir=file.parent)
    except OSError as error:
        raise ConfigurationError(f"{file.parent} cannot be written to: {error.strerror}") from error
    os.close(handle)
    partial = Path(name)
    try:
        run_program(
            "pg_dump", url, "--format=custom", "--enable-row-security", _WITHOUT_LARGE_OBJECTS, _AS_OWNER,
            f"--lock-wait-timeout={_PATIENCE}", f"--file={partial}",
        )  # fmt: skip
        size = partial.stat().st_size
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return size


def restore(url: str, file: Path) -> None:
    """Fill an empty database from a backup, in one transaction: afterwards it equals the one that was written.

    Makes the group roles first where they are missing. What the backup says of schema `public` itself is left
    out: its rights are part of setting up the roles.

    Raises ConfigurationError: the file cannot be read, the database is not empty, or pg_restore failed; nothing
    was changed then but the roles.
    """
    if not file.is_file():
        raise ConfigurationError(f"there is no file {file}")
    with connect(url) as connection:
        found = connection.execute(_NOT_EMPTY).fetchone()
        if found is not None:
            msg = f"the database {connection.info.dbname} is not empty (there is {found[0]}); restore into an empty one"
            raise ConfigurationError(msg)
        ensure_roles(connection)
    with tempfile.NamedTemporaryFile("w", suffix=".list", encoding="utf-8") as wanted:
        wanted.write(_without_schema(run_program("pg_restore", url, "--list", str(file.absolute()))))
        wanted.flush()
        run_program(
            "pg_restore", url, "--single-transaction", "--exit-on-error", _AS_OWNER,
            f"--use-list={wanted.name}", str(file.absolute()),
        )  # fmt: skip


def _without_schema(contents: str) -> str:
    """pg_restore's list of what a backup holds, without the entries about schema public itself."""
    return "".join(line for line in contents.splitlines(keepends=True) if " SCHEMA public" not in line)
