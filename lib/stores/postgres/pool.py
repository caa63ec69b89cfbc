"""A pool of connections to the record, for processes that live long and do several things at once.

A Lambda function does one thing at a time and has `lib.stores.postgres.connection`; psycopg_pool, which keeps threads
of its own, is in no Lambda bundle. Like that one, this keeps nothing in the server between transactions.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from psycopg import InterfaceError, OperationalError

from lib.stores.postgres.faults import FAULTS, raise_fault
from lib.stores.postgres.lease import Lease
from lib.stores.postgres.limited_connection import OPTIONS, LimitedConnection
from lib.stores.postgres.one_trip import fetch_rows
from lib.stores.postgres.sessions import RecordSessions
from lib.stores.postgres.slow_statements import OnSlow

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

RECONNECT_SECONDS = 5.0
"""After so long without success the pool waits for the next caller, so that one soon notices a restarted server."""

_CLEAN = """
select concat(current_setting('vsl.user_id', true), current_setting('vsl.guest_token', true),
              current_setting('vsl.key_hash', true)) = ''
"""


class RecordPool(RecordSessions):
    """Statements and transactions over up to `max_size` connections, one for each thread that is in one.

    The actor is set for each transaction; a connection that were to hold another's settings is closed, not given out.

    Args:
        url: gives the connection string; asked again for each new connection.
        min_size: how many connections are kept.
        max_size: how many there may be.
        wait_seconds: how long to wait for a connection.
        statement_seconds: limit for each statement.
        read_only: refuse to write, whatever the address leads to.
        on_slow: is told of slow statements.
    """

    def __init__(
        self,
        url: Callable[[], str],
        *,
        min_size: int = 1,
        max_size: int = 10,
        wait_seconds: float = 3.0,
        statement_seconds: float = 5.0,
        read_only: bool = False,
        on_slow: OnSlow | None = None,
    ) -> None:
        super().__init__(read_only=read_only, on_slow=on_slow)
        self._url = url
        self._sizes = (min_size, max_size)
        self._wait_seconds = wait_seconds
        self._statement_seconds = statement_seconds
        self._lock = threading.Lock()
        self._pool: ConnectionPool[LimitedConnection] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections, those in use when they are given back; the next statement opens the pool anew."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    @contextmanager
    def _leased(self) -> Iterator[Lease]:
        pool = self._opened()
        held = [self._taken(pool)]

        def exchange(dead: LimitedConnection) -> LimitedConnection:
            held.clear()
            _discard(pool, dead)
            held.append(self._taken(pool))
            return held[0]

        lease = Lease(held[0], exchange, reused=True)
        try:
            yield lease
        finally:
            for connection in held:  # none, if there was no other to exchange it for
                if lease.good:
                    pool.putconn(connection)
                    continue
                if lease.spoiled:
                    pool.drain()  # what became of the server is true for the others too: it may be read-only now
                _discard(pool, connection)

    def _taken(self, pool: "ConnectionPool[LimitedConnection]") -> LimitedConnection:
        """A connection that answers and is clean. After a restart those in the pool are dead, and are passed over."""
        deadline = time.monotonic() + self._wait_seconds
        try:
            while True:
                connection = pool.getconn(timeout=deadline - time.monotonic())
                try:
                    if _is_clean(connection):
                        return connection
                except BaseException:
                    _discard(pool, connection)
                    raise
                _discard(pool, connection)
        except FAULTS as error:
            raise_fault(error)

    def _opened(self) -> "ConnectionPool[LimitedConnection]":
        from psycopg_pool import ConnectionPool  # noqa: PLC0415 - in no Lambda bundle

        with self._lock:
            if self._pool is None:
                self._url()  # what is wrong with it is better told here than by threads that try again
                self._pool = ConnectionPool(
                    self._url,
                    connection_class=LimitedConnection,
                    kwargs=OPTIONS,
                    configure=self._limit,
                    min_size=self._sizes[0],
                    max_size=self._sizes[1],
                    timeout=self._wait_seconds,
                    reconnect_timeout=RECONNECT_SECONDS,
                    name="record",
                    open=False,
                )
                self._pool.open()
            return self._pool

    def _limit(self, connection: LimitedConnection) -> None:
        connection.statement_seconds = self._statement_seconds


def _discard(pool: "ConnectionPool[LimitedConnection]", connection: LimitedConnection) -> None:
    """Close it, and let the pool make another in its place."""
    connection.close()
    pool.putconn(connection)


def _is_clean(connection: LimitedConnection) -> bool:
    """Whether it answers, and holds no actor. Raises TimeoutError if the server is frozen."""
    try:
        return fetch_rows(connection, _CLEAN) == [(True,)]
    except (OperationalError, InterfaceError):
        return False
