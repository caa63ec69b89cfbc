"""A connection that never waits without a limit: not for the server to accept it, nor for an answer."""

import select
import threading
from typing import Any

import psycopg
from psycopg import errors as pg
from psycopg.abc import PQGen
from psycopg.pq import ConnStatus, TransactionStatus
from psycopg.rows import tuple_row

OPTIONS: dict[str, Any] = {
    "autocommit": True,
    "row_factory": tuple_row,
    "prepare_threshold": None,  # a pool in between gives the next statement another connection
}
"""How every connection to the record is made; see `lib.stores.postgres.connection` for why."""


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

    def was_ended(self) -> bool:
        """Whether the server ended it while nobody asked anything; seen without asking, if the news has come."""
        news = select.poll()
        news.register(self.pgconn.socket, select.POLLIN)
        try:
            while news.poll(
                0
            ):  # its last words come before its end; it may also be a ticket of TLS, or a setting
                self.pgconn.consume_input()
        except psycopg.OperationalError:
            return True
        return self.pgconn.status == ConnStatus.BAD

    @property
    def idle(self) -> bool:
        """Whether it is connected, as far as is known, and in no transaction."""
        return self.pgconn.transaction_status == TransactionStatus.IDLE


def connect_within(url: str, connect_seconds: float, statement_seconds: float) -> LimitedConnection:
    """Connect in a thread: libpq cannot wait for less than two seconds, and a frozen server just says nothing.

    Raises:
        TimeoutError: there is no connection within `connect_seconds`.
        psycopg.Error: the server refused, or cannot be reached.
    """
    result: list[LimitedConnection | BaseException] = []
    given_up = threading.Event()

    def connect() -> None:
        try:
            connection = LimitedConnection.connect(
                url, connect_timeout=max(2, int(connect_seconds)), **OPTIONS
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
