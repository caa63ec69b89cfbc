"""Asks Postgres how it does, over connections that are made for it and closed at once."""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any
from uuid import uuid4

from psycopg import sql

from lib.domain.errors import RecordUnavailableError
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.limited_connection import connect_within

READ = "select version from jobs where job_id = '00000000-0000-0000-0000-000000000000'"
WRITE = "select check_write()"
LEDGER = "select name, checksum from schema_migrations"
IS_READ_ONLY = "select current_setting('transaction_read_only')"
NOTIFY_OPTION = "select notify from database_options"


def must_take_writes(record: RecordConnection) -> None:
    """One round trip over a connection that is there already, without a write.

    Raises RecordUnavailableError: the record is away, or takes no writes; then the next question goes over a new
    connection, for a database that was the primary until a moment ago goes on taking connections.
    """
    if record.fetch(IS_READ_ONLY) != [("off",)]:
        record.close()
        raise RecordUnavailableError("The record of jobs takes no writes.")


class PostgresProbe:
    """The `RecordProbe`.

    A new connection for each question finds what a warm one hides (no connection is free, a wrong password), and
    one that waits for a lock says nothing about the others.

    Args:
        url: gives the connection string.
        limit_seconds: for connecting, and again for each statement.
    """

    def __init__(self, url: Callable[[], str], *, limit_seconds: float = 2.0) -> None:
        self._url = url
        self._limit_seconds = limit_seconds

    def connect(self) -> None:
        """A new connection is accepted, and answers. Raises as `RecordConnection.fetch` does."""
        self._fetch("select 1")

    def read(self) -> None:
        """One look for a job that does not exist, by the primary key."""
        self._fetch(READ)

    def write(self) -> None:
        """One update of the row that is there for this."""
        if self._fetch(WRITE) != [(True,)]:
            raise RecordUnavailableError("the row that is written for the health check is not there")

    def applied_migrations(self) -> Mapping[str, str]:
        """The ledger."""
        return {str(name): str(checksum) for name, checksum in self._fetch(LEDGER)}

    def notify(self) -> bool:
        """Whether a notification to a channel of its own came back; False if the database's option is off.

        Raises:
            TimeoutError: it did not come.
            psycopg.Error: there is no connection, or it broke.
        """
        seconds, channel = self._limit_seconds, f"health_{uuid4().hex}"
        with closing(connect_within(self._url(), seconds, seconds)) as connection:
            option = connection.execute(NOTIFY_OPTION).fetchone()
            if option is not None and not option[0]:
                return False
            connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
            connection.execute("select pg_notify(%s, '')", [channel])
            for heard in connection.notifies(timeout=seconds, stop_after=1):
                return heard.channel == channel
            raise TimeoutError("no notification")

    def _fetch(self, statement: str) -> list[tuple[Any, ...]]:
        limit = self._limit_seconds
        with closing(
            RecordConnection(self._url, connect_seconds=limit, statement_seconds=limit)
        ) as connection:
            return connection.fetch(statement)
