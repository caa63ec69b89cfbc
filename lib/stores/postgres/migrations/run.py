"""Runs one file: whole in a transaction, or statement by statement where Postgres wants no transaction."""

from collections.abc import Callable, Sequence

import psycopg
from psycopg import errors as pg
from psycopg import sql

from lib.domain.errors import ConfigurationError
from lib.stores.postgres.migrations.files import Migration
from lib.stores.postgres.migrations.ledger import act_as_owner
from lib.stores.postgres.migrations.limits import Limits, milliseconds
from lib.stores.postgres.migrations.statements import concurrent_index, is_concurrent, split_statements
from lib.stores.postgres.migrator import Connection
from lib.stores.postgres.roles import Group

Note = tuple[str, Sequence[str]]
"""The change of the ledger that belongs to a file's work: SQL and its parameters."""

_GIVES_WAY = (pg.LockNotAvailable, pg.DeadlockDetected, pg.SerializationFailure)


def run(
    connection: Connection, file: Migration, note: Note, limits: Limits, log: Callable[[str], None]
) -> None:
    """Do what the file says and note it in the ledger; a lock that others hold is tried for again and again.

    Raises ConfigurationError naming the file and Postgres's reason. What ran in a transaction is undone then;
    a file without one goes on after its last whole statement when it is run again.
    """
    work = _in_transaction if file.in_transaction else _by_statement
    for pause in (*limits.pauses, None):
        try:
            work(connection, file, note, limits)
            return
        except _GIVES_WAY as error:
            if pause is None:
                raise _busy(file, limits, error) from error
            log(f"{file.name}: others hold what it needs; trying again in {pause:g} s")
            limits.sleep(pause)
        except psycopg.Error as error:
            raise _failed(file, error) from error


def _in_transaction(connection: Connection, file: Migration, note: Note, limits: Limits) -> None:
    with connection.transaction():
        connection.execute(
            f"set local lock_timeout = '{milliseconds(limits.lock_seconds)}';"
            f"set local statement_timeout = '{milliseconds(limits.statement_seconds)}';"
            "set local search_path = public"
        )
        act_as_owner(connection)
        connection.execute(file.sql.encode())
        act_as_owner(connection)  # whatever the file did to its role
        connection.execute(note[0].encode(), note[1])


def _by_statement(connection: Connection, file: Migration, note: Note, limits: Limits) -> None:
    """Sets the session and not a transaction; behind a transaction pool, membership in the owner carries it."""
    try:
        _set_session(connection, limits)
        for statement in split_statements(file.sql):
            index = concurrent_index(statement)
            patience = limits.concurrent_lock_seconds if is_concurrent(statement) else limits.lock_seconds
            connection.execute(f"set lock_timeout = '{milliseconds(patience)}'".encode())
            if index is None or not _is_built(connection, index):
                connection.execute(statement.encode())
        with connection.transaction():
            act_as_owner(connection)
            connection.execute(note[0].encode(), note[1])
    finally:
        if not connection.closed:
            connection.execute("reset role; reset lock_timeout; reset statement_timeout; reset search_path")


def _set_session(connection: Connection, limits: Limits) -> None:
    connection.execute(sql.SQL("set role {}").format(sql.Identifier(Group.OWNER)))
    most = milliseconds(limits.concurrent_seconds)
    connection.execute(f"set statement_timeout = '{most}'; set search_path = public".encode())


def _is_built(connection: Connection, index: str) -> bool:
    """Whether the index is there and valid; one that a broken attempt left behind is dropped first."""
    row = connection.execute(
        "select i.indisvalid from pg_index i join pg_class c on c.oid = i.indexrelid"
        " where c.relname = %s and c.relnamespace = 'public'::regnamespace",
        (index,),
    ).fetchone()
    if row is not None and not row[0]:
        connection.execute(sql.SQL("drop index concurrently public.{}").format(sql.Identifier(index)))
    return row is not None and bool(row[0])


def _busy(file: Migration, limits: Limits, error: psycopg.Error) -> ConfigurationError:
    tries = len(limits.pauses) + 1
    what = "was undone" if file.in_transaction else "stopped half way, and goes on when it is run again"
    return ConfigurationError(
        f"migration {file.name} {what}: others held a lock that it needs, in each of {tries} tries "
        f"({_reason(error)}); end the transaction that holds it (pg_stat_activity) and run it again"
    )


def _failed(file: Migration, error: psycopg.Error) -> ConfigurationError:
    what = (
        "failed and was undone"
        if file.in_transaction
        else "failed half way, and goes on when it is run again"
    )
    return ConfigurationError(f"migration {file.name} {what}: {_reason(error)}")


def _reason(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
