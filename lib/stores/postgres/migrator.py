"""The migrator's own connections: patient with a database that wakes up, and silent about the address."""

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from lib.stores.postgres.sources import parse_connection_string

Connection = psycopg.Connection[tuple[Any, ...]]

CONNECT_SECONDS = 60  # a database that pauses when idle takes its time to wake up


def parts_of(url: str) -> dict[str, Any]:
    """What a connection string says: `user`, `password`, `host`, `dbname` and so on, as it may be used.

    Raises ConfigurationError without the string in it (libpq's own message would quote the password): it cannot be
    read, names no host, or would send the password to another machine in plain text.
    """
    return conninfo_to_dict(parse_connection_string(url).url)


def connect(url: str, *, connect_seconds: int = CONNECT_SECONDS) -> Connection:
    """A connection in autocommit that prepares nothing, so that a pool may stand between.

    Raises:
        ConfigurationError: as `parts_of`.
        psycopg.OperationalError: there is no connection; the message names host and user, never the password.
    """
    address = parse_connection_string(url).url
    return psycopg.connect(address, autocommit=True, connect_timeout=connect_seconds, prepare_threshold=None)
