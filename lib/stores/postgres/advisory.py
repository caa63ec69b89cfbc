"""Advisory locks that end with their transaction: nobody waits for one inside the database, or without a limit.

Any login may take any advisory lock, also one that only migrators have a use for: who waits must be told whose it is.
"""

import time
from collections.abc import Callable

from lib.domain.errors import ConfigurationError
from lib.stores.postgres.migrator import Connection

_PAUSE = 0.05
_HOLDER = """
select format('process %%s of the login %%s', l.pid, coalesce(a.usename::text, 'unknown'))
from pg_locks l left join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.objsubid = 1 and l.granted and l.pid <> pg_backend_pid()
  and (l.classid::bigint << 32) + l.objid::bigint = %s
  and l.database = (select oid from pg_database where datname = current_database())
"""


def tried(connection: Connection, key: int) -> bool:
    """Whether this transaction has the lock now."""
    row = connection.execute("select pg_try_advisory_xact_lock(%s)", (key,)).fetchone()
    return row is not None and bool(row[0])


def holder(connection: Connection, key: int) -> str:
    """Who else has the lock: its process and its login; in a read-committed transaction, as it is at this moment."""
    row = connection.execute(_HOLDER, (key,)).fetchone()
    return str(row[0]) if row else "whoever has its lock"


def lock_within(
    connection: Connection, key: int, seconds: float, *, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Have the lock until the end of the transaction.

    Raises ConfigurationError naming who has it, if that is somebody else for so many seconds.
    """
    until = time.monotonic() + seconds
    while not tried(connection, key):
        if time.monotonic() >= until:
            msg = f"what this needs was locked for {seconds:g} s; try again later, or end {holder(connection, key)}"
            raise ConfigurationError(msg)
        sleep(_PAUSE)
