"""What was applied: one row for each file, written with the file's own work."""

from psycopg import sql

from lib.domain.errors import ConfigurationError
from lib.stores.postgres.migrations.files import Migration
from lib.stores.postgres.migrator import Connection
from lib.stores.postgres.roles import Group

LEDGER = """
create table schema_migrations (
    name       text primary key,
    checksum   text not null check (checksum ~ '^[0-9a-f]{64}$'),
    applied_at timestamptz not null default now()
);
comment on table schema_migrations is 'Which migration files were applied: a row for each, written with its work.';
comment on column schema_migrations.name is 'The file, without its ending.';
comment on column schema_migrations.checksum is 'The SHA-256 of the file as it was applied; an edited file is refused.';
comment on column schema_migrations.applied_at is 'When its transaction began, or when its last statement was done.';
"""


def act_as_owner(connection: Connection) -> None:
    """Until the end of the transaction, what is made belongs to the owner, and the owner's policies hold."""
    connection.execute(sql.SQL("set local role {}").format(sql.Identifier(Group.OWNER)))


def ensure_ledger(connection: Connection) -> None:
    """Make the table of what was applied, where it is missing."""
    with connection.transaction():
        if not has_ledger(connection):
            act_as_owner(connection)
            connection.execute(LEDGER)


def has_ledger(connection: Connection) -> bool:
    """Whether any migration ever ran here."""
    row = connection.execute("select to_regclass('public.schema_migrations') is not null").fetchone()
    return row is not None and bool(row[0])


def applied(connection: Connection) -> dict[str, str]:
    """The checksums of what was applied, by name, in the order of names; empty where no migration ever ran."""
    with connection.transaction():
        if not has_ledger(connection):
            return {}
        act_as_owner(connection)
        rows = connection.execute(
            'select name, checksum from schema_migrations order by name collate "C"'
        ).fetchall()
    return {str(name): str(checksum) for name, checksum in rows}


def faults(held: dict[str, str], files: list[Migration]) -> list[str]:
    """Why these files cannot be what was applied: edited, missing, or come too late. Newer rows are no fault.

    After a rollback the older code finds rows behind its last file, and leaves them.
    """
    names = [file.name for file in files]
    said = [
        f"migration {file.name} was edited after it had been applied; write a new one instead"
        for file in files
        if held.get(file.name, file.checksum) != file.checksum
    ]
    said += [
        f"migration {name} was applied, but its file is missing while {names[-1]} is there"
        for name in held
        if name not in names and names and name < names[-1]
    ]
    last = max(held, default="")
    said += [
        f"migration {name} comes before {last}, which has been applied already; give it a later name"
        for name in names
        if name not in held and name < last
    ]
    return said


def check_files(held: dict[str, str], files: list[Migration]) -> None:
    """Raises ConfigurationError with the first of `faults`."""
    for fault in faults(held, files):
        raise ConfigurationError(fault)
