"""One connection to the record for each warm process: it reconnects, and it never waits without a limit."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import errors as pg
from psycopg.abc import PQGen
from psycopg.rows import tuple_row

from lib.domain.errors import RecordUnavailableError

TRANSIENT = (pg.SerializationFailure, pg.DeadlockDetected)
LOST_RACES = (*TRANSIENT, pg.UniqueViolation)  # the next try sees who won
AWAY = (psycopg.OperationalError, psycopg.InterfaceError, pg.ReadOnlySqlTransaction, TimeoutError)
RETRIES_OF_TRANSIENT = 3


class LimitedConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection whose every wait ends after `statement_seconds`, also when the server is frozen."""

    statement_seconds: float = 5.0

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for the server, at most `statement_seconds`; a connection that was too slow is closed."""
        try:
            return super().wait(gen, interval=interval, timeout=timeout or self.statement_seconds)
        except pg._WaitTimeout as error:  # psycopg's only sign that a wait was too long
            self.pgconn.finish()
            msg = f"Postgres did not answer within {self.statement_seconds} s"
            raise TimeoutError(msg) from error


class RecordConnection:
    """Runs single statements, each its own transaction, over one connection that is made when needed.

    It keeps nothing in the server between statements, so the address may be that of a connection pool.

    Args:
        url: gives the connection string; asked again for each new connection, so that a rotated secret is taken.
        connect_seconds: limit for connecting.
        statement_seconds: limit for each statement.
    """

    def __init__(
        self, url: Callable[[], str], *, connect_seconds: float = 2.0, statement_seconds: float = 5.0
    ) -> None:
        self._url = url
        self._connect_seconds = connect_seconds
        self._statement_seconds = statement_seconds
        self._connection: LimitedConnection | None = None
        self._lock = threading.Lock()

    def fetch(self, sql: str, params: Sequence[Any] = (), *, repeat: bool = True) -> list[tuple[Any, ...]]:
        """The rows of one statement, in one round trip.

        A statement on a connection that turns out to be dead is sent once more over a new one, which may run it
        twice: pass `repeat=False` where that is not harmless.

        Raises:
            RecordUnavailableError: the record is away, read-only, full, or did not answer in time; a statement
                that was under way may have been carried out.
        """
        with self._lock:
            return self._fetch(sql, params, repeat=repeat)

    def close(self) -> None:
        """Close the connection; the next statement makes a new one."""
        with self._lock:
            self._drop()

    def _fetch(self, sql: str, params: Sequence[Any], *, repeat: bool) -> list[tuple[Any, ...]]:
        reused = self._connection is not None
        try:
            return self._run(sql, params)
        except TRANSIENT as error:
            raise _away(error) from error
        except AWAY as error:
            self._drop()
            if reused and repeat and not isinstance(error, TimeoutError | pg.ReadOnlySqlTransaction):
                try:
                    return self._run(sql, params)
                except AWAY as second:
                    self._drop()
                    raise _away(second) from second
            raise _away(error) from error

    def _run(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        for attempt in range(RETRIES_OF_TRANSIENT):
            try:
                with self._connected().cursor() as cursor:
                    cursor.execute(sql, params)
                    return cursor.fetchall() if cursor.description else []
            except LOST_RACES:
                if attempt + 1 == RETRIES_OF_TRANSIENT:
                    raise
        raise AssertionError

    def _connected(self) -> LimitedConnection:
        if self._connection is None or self._connection.closed:
            self._connection = _connect_within(self._url(), self._connect_seconds, self._statement_seconds)
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.pgconn.finish()


def _connect_within(url: str, connect_seconds: float, statement_seconds: float) -> LimitedConnection:
    """Connect in a thread: libpq cannot wait for less than two seconds, and a frozen server just says nothing."""
    result: list[LimitedConnection | BaseException] = []
    given_up = threading.Event()

    def connect() -> None:
        try:
            connection = LimitedConnection.connect(
                url,
                autocommit=True,
                connect_timeout=max(2, int(connect_seconds)),
                row_factory=tuple_row,
                prepare_threshold=None,  # a pool gives the next statement another connection
            )
        except Exception as error:  # noqa: BLE001 - it is raised again in the thread that waits for it
            result.append(error)
            return
        result.append(connection)
        if given_up.is_set():
            connection.close()

    thread = threading.Thread(target=connect, daemon=True, name="connect-to-record")
    thread.start()
    thread.join(connect_seconds)
    if not result:
        given_up.set()
        msg = f"Postgres did not accept a connection within {connect_seconds} s"
        raise TimeoutError(msg)
    outcome = result[0]
    if isinstance(outcome, BaseException):
        raise outcome
    outcome.statement_seconds = statement_seconds
    return outcome


def _away(error: Exception) -> RecordUnavailableError:
    """What callers see: that the record is away, without its address or user."""
    kind = type(error).__name__
    return RecordUnavailableError(
        f"The record of jobs is not available right now ({kind}); try again shortly.",
        retry_after_seconds=5,
    )
