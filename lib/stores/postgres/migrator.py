"""The migrator's own connections: patient with a database that wakes up, and silent about the address."""

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from lib.domain.errors import ConfigurationError

Connection = psycopg.Connection[tuple[Any, ...]]

CONNECT_SECONDS = 60  # a database that pauses when idle takes its time to wake up


def parts_of(url: str) -> dict[str, Any]:
    """What a connection string says: `user`, `password`, `host`, `dbname` and so on, where given.

    Raises ConfigurationError without the string in it: libpq's own message would quote the password.
    """
    try:
        return conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        msg = "The address of the database cannot be read; it must look like postgresql://user:password@host/name."
        raise ConfigurationError(msg) from None


def connect(url: str, *, connect_seconds: int = CONNECT_SECONDS) -> Connection:
    """A connection in autocommit that prepares nothing, so that a pool may stand between.

    Raises:
        ConfigurationError: the address cannot be read.
        psycopg.OperationalError: there is no connection; the message names host and user, never the password.
    """
    parts_of(url)
    return psycopg.connect(url, autocommit=True, connect_timeout=connect_seconds, prepare_threshold=None)
