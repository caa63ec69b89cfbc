"""One connection to the record for each warm process: it reconnects, and it never waits without a limit.

It keeps nothing in the server between transactions, so that its address may be that of PgBouncer in transaction mode
or of RDS Proxy: no prepared statements, no `set`, no temporary tables, no `listen`, no advisory locks of sessions.
RDS Proxy pins a client to one connection when it sees such a statement. It sees none here: the actor is named
by `select act_as(..)`, an ordinary function call, whose settings are local to the transaction. The wire is the extended
query protocol with unnamed statements, which both multiplex. A read-only copy is read by `begin read only`, not by a
parameter of the connection, which poolers refuse.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lib.stores.postgres.faults import FAULTS, raise_fault
from lib.stores.postgres.lease import Lease
from lib.stores.postgres.limited_connection import LimitedConnection, connect_within
from lib.stores.postgres.sessions import RecordSessions
from lib.stores.postgres.slow_statements import OnSlow


class RecordConnection(RecordSessions):
    """Statements and transactions over one connection that is made when needed; threads take turns.

    Args:
        url: gives the connection string; asked again for each new connection, so that a rotated secret is taken.
        connect_seconds: limit for connecting.
        statement_seconds: limit for each statement.
        read_only: refuse to write, whatever the address leads to.
        on_slow: is told of slow statements.
    """

    def __init__(
        self,
        url: Callable[[], str],
        *,
        connect_seconds: float = 2.0,
        statement_seconds: float = 5.0,
        read_only: bool = False,
        on_slow: OnSlow | None = None,
    ) -> None:
        super().__init__(read_only=read_only, on_slow=on_slow)
        self._url = url
        self._connect_seconds = connect_seconds
        self._statement_seconds = statement_seconds
        self._connection: LimitedConnection | None = None
        self._lock = threading.Lock()
        self._holder: int | None = None

    def close(self) -> None:
        """Close the connection; the next statement makes a new one."""
        with self._lock:
            self._drop()

    @contextmanager
    def _leased(self) -> Iterator[Lease]:
        me = threading.get_ident()
        if self._holder == me:
            raise RuntimeError("this thread is in a transaction: use the transaction's own fetch")
        with self._lock:
            self._holder, lease = me, None
            try:
                connection, reused = self._connected()
                lease = Lease(connection, self._renewed, reused=reused)
                yield lease
            finally:
                self._holder = None
                if lease is None or not lease.good:
                    self._drop()

    def _connected(self) -> tuple[LimitedConnection, bool]:
        if self._connection is not None and not self._connection.closed:
            return self._connection, True
        try:
            self._connection = connect_within(self._url(), self._connect_seconds, self._statement_seconds)
        except FAULTS as error:
            raise_fault(error)
        return self._connection, False

    def _renewed(self, _: LimitedConnection) -> LimitedConnection:
        self._drop()
        return self._connected()[0]

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.pgconn.finish()
