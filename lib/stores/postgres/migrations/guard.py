"""One migrator at a time, also while a migration runs outside a transaction, and behind a transaction pool."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from lib.domain.errors import ConfigurationError
from lib.stores.postgres.advisory import holder, tried
from lib.stores.postgres.migrations.limits import Limits
from lib.stores.postgres.migrator import Connection, connect

ADVISORY_LOCK = 7_305_818  # any fixed number: it keeps two migrators of one database apart
_LONGEST_PAUSE = 1.0


@contextmanager
def only_migrator(url: str, limits: Limits, log: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """Be the only migrator inside; call what it gives before each step, which raises if the guard was lost.

    The lock lives in a transaction of a connection of its own, for the whole run: a pool that gives every
    transaction another connection leaves it alone, and it ends with the process. A session that waits inside
    `pg_advisory_xact_lock` holds a snapshot, and `create index concurrently` waits for older snapshots: so nobody
    waits inside. Between statements a read-committed transaction holds none.

    migrator A   begin  try: true ....................................... commit
                        create index concurrently (second connection) done
    migrator B          try: false   pause   try: false   pause ........ try: true

    Raises ConfigurationError when another migrator does not end within `other_migrator_seconds`.
    """
    with connect(url) as guard:
        _take(guard, limits, log)
        yield lambda: _check(guard)
        if not guard.closed:
            guard.execute("rollback")


def _take(guard: Connection, limits: Limits, log: Callable[[str], None]) -> None:
    until, pause = time.monotonic() + limits.other_migrator_seconds, 0.05
    while not _tried(guard):
        if time.monotonic() >= until:
            msg = (
                f"another migrator has been at work for {limits.other_migrator_seconds:g} s; try again later, "
                f"or end {holder(guard, ADVISORY_LOCK)}"
            )
            raise ConfigurationError(msg)
        if pause == 0.05:
            log("another migrator is at work; waiting for it")
        limits.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _tried(guard: Connection) -> bool:
    """In one round trip: a transaction that no time limit ends, and whether it has the lock."""
    guard.execute("begin isolation level read committed")
    guard.execute("set local idle_in_transaction_session_timeout = 0")
    if guard.info.server_version >= 170000:
        guard.execute("set local transaction_timeout = 0")
    if tried(guard, ADVISORY_LOCK):
        return True
    guard.execute("rollback")
    return False


def _check(guard: Connection) -> None:
    try:
        guard.execute("select 1")
    except psycopg.Error as error:
        msg = "the connection that keeps other migrators away was lost; what was applied so far stays; try again"
        raise ConfigurationError(msg) from error
